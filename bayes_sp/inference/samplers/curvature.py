"""The curvature of a log-posterior at a point: a full matrix, or an arrow where patients have parameters of their own.

With unmeasured confounders every patient has a parameter, and given the others no two patients' parameters know of
each other. The Hessian is then an arrow: a block for all shared parameters, a small one for each patient, and what is
between. It takes as many gradients as there are shared parameters, and time and memory in proportion to patients.
"""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array, unit_of
from bayes_sp.inference.backends import log_densities
from bayes_sp.inference.samplers.hessians import Arrow, Curvature, Full, Held, Ints
from bayes_sp.inference.samplers.target import LogPosterior


def curvature_at(
    posterior: LogPosterior, theta: Array, steps: Array, cores: int, held: Ints | None = None
) -> Curvature:
    """Return minus the Hessian by central differences of the gradient, symmetrised.

    With an arrow, all patients' first parameters are moved at once, then all second ones. Where equations know nothing
    of each other, a parameter of each is moved at once. Parameters that are ``held`` are left out.
    """
    if held is not None and len(held):
        free = np.setdiff1d(np.arange(len(steps)), held)
        moves = np.zeros((len(free), len(steps)))
        moves[np.arange(len(free)), free] = steps[free]
        rows = _differences(posterior, theta, moves, cores)[:, free] / (2 * steps[free][:, None])
        return Held(free, Full((rows + rows.T) / 2), len(steps))
    patient = posterior.program.patient
    if (patient < 0).all():
        return _full(posterior, theta, steps, cores)
    shared, slots = np.flatnonzero(patient < 0), _slots(patient)
    moves = np.zeros((len(shared) + slots.shape[1], len(steps)))
    moves[np.arange(len(shared)), shared] = steps[shared]
    used = slots >= 0
    for k in range(slots.shape[1]):
        moves[len(shared) + k, slots[used[:, k], k]] = steps[slots[used[:, k], k]]
    found = _differences(posterior, theta, moves, cores)
    rows = found[: len(shared)] / (2 * steps[shared][:, None])
    side = np.where(used[:, :, None], np.moveaxis(rows[:, slots], 0, -1), 0.0)
    blocks = np.zeros((*slots.shape, slots.shape[1]))
    for k in range(slots.shape[1]):
        blocks[:, :, k] = found[len(shared) + k][slots] / (2 * steps[slots[:, [k]]])
    both = used[:, :, None] & used[:, None, :]
    blocks = np.where(both, (blocks + blocks.swapaxes(1, 2)) / 2, np.eye(slots.shape[1]))
    top = rows[:, shared]
    return Arrow(shared, slots, (top + top.T) / 2, side, blocks)


def _full(posterior: LogPosterior, theta: Array, steps: Array, cores: int) -> Full:
    equation = _equations(posterior)
    rank = np.zeros(len(steps), dtype=np.int64)  # of a parameter among those of its equation: what is moved at once
    for number in np.unique(equation):
        rank[equation == number] = np.arange(int((equation == number).sum()))
    moves = np.where(rank == np.arange(rank.max() + 1)[:, None], steps, 0.0)
    rows = _differences(posterior, theta, moves, cores)[rank] / (2 * steps[:, None])
    rows = np.where(equation[:, None] == equation, rows, 0.0)
    found = Full((rows + rows.T) / 2)
    if equation.any() and not _holds(posterior, theta, steps, found):
        rows = _differences(posterior, theta, np.diag(steps), cores) / (2 * steps[:, None])
        return Full((rows + rows.T) / 2)
    return found


def _holds(posterior: LogPosterior, theta: Array, steps: Array, found: Full) -> bool:
    """Try a Hessian along one direction in which all parameters move: a block that is not there would show."""
    move = steps * np.where(np.arange(len(steps)) % 2, 1.0, -0.7)
    difference = _differences(posterior, theta, move[None], 1)[0] / 2
    expected = found.matrix @ move
    if not (np.isfinite(difference).all() and np.isfinite(expected).all()):
        return False
    unit = unit_of(np.array([difference, expected]), axis=(0, 1)).item()
    return bool(np.linalg.norm((difference - expected) / unit) <= 1e-2 * np.linalg.norm(expected / unit))


def _equations(posterior: LogPosterior) -> Ints:
    """Return the number of each parameter's equation, (P,); 0 for all where one equation could know of another.

    That is so where a value is hidden, where a patient has several rows, or where the frame ties their parameters.
    """
    program = posterior.program
    alone = np.zeros(posterior.size, dtype=np.int64)
    if program.deferred or program.confounders or len(program.parts) == 1:
        return alone
    equation = np.full(posterior.size, -1, dtype=np.int64)
    for number, part in enumerate(program.parts):
        for own in (*part.blocks, *part.others):
            block = next(b for b in program.parameters.blocks if (b.variable, b.labels) == (own.variable, own.labels))
            equation[block.start : block.start + block.size] = number
    scale = posterior.scale
    tied = scale[equation[: len(scale), None] != equation[: len(scale)]].any()
    return alone if (equation < 0).any() or tied else equation


def _differences(posterior: LogPosterior, theta: Array, moves: Array, cores: int) -> Array:
    """Return the gradient before each move less that after, (moves, P)."""
    _, found = log_densities(posterior, np.concatenate([theta - moves, theta + moves]), cores)
    return found[: len(moves)] - found[len(moves) :]


def _slots(patient: Ints) -> Ints:
    """Return the places of each patient's parameters, (n, k)."""
    owned = np.flatnonzero(patient >= 0)
    order = owned[np.argsort(patient[owned], kind="stable")]
    _, first, counts = np.unique(patient[order], return_index=True, return_counts=True)
    slots = np.full((len(counts), counts.max()), -1, dtype=np.int64)
    rank = np.arange(len(order)) - np.repeat(first, counts)
    slots[np.repeat(np.arange(len(counts)), counts), rank] = order
    return slots
