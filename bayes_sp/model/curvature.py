"""The curvature of a log-posterior at a point: a full matrix, or an arrow where patients have parameters of their own.

With unmeasured confounders every patient has a parameter, and given the others no two patients' parameters know of
each other. The Hessian is then an arrow: a block for all shared parameters, a small one for each patient, and what is
between. It takes as many gradients as there are shared parameters, and time and memory in proportion to patients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from bayes_sp.model import layout as at
from bayes_sp.model.native import log_densities
from bayes_sp.model.posterior import LogPosterior
from bayes_sp.survey.design import Array

Ints = NDArray[np.int64]
Solve = Callable[[Array], Array]


class Curvature(Protocol):
    """The negative Hessian H of a log-density; ``finite`` where every number of it is."""

    diagonal: Array
    finite: bool

    def solver(self, added: Array | float = 0.0) -> Solve | None:
        """Return ``g -> (H + diag(added))^-1 g``; None where that matrix is not positive definite."""

    def decrement(self, gradient: Array) -> float | None:
        """Return g' H^-1 g; None where H is not positive definite."""

    def inverse(self, framed: int) -> tuple[Array, Array]:
        """Return the first ``framed`` rows and columns of H^-1, and the other parameters' variances in it."""

    def inverse_anyway(self, framed: int) -> tuple[Array, Array]:
        """Return the same of a positive definite matrix near to H, where H itself is none."""


@dataclass(eq=False)
class Full:
    """A Hessian as one matrix, (P, P)."""

    matrix: Array

    def __post_init__(self) -> None:
        self.diagonal = np.diag(self.matrix)
        self.finite = bool(np.isfinite(self.matrix).all())

    def solver(self, added: Array | float = 0.0) -> Solve | None:
        """See `Curvature`."""
        factor = _cholesky(self.matrix + np.diag(np.broadcast_to(added, self.diagonal.shape)))
        if factor is None:
            return None
        return lambda g: solve_triangular(factor, solve_triangular(factor, g, lower=True), lower=True, trans="T")

    def decrement(self, gradient: Array) -> float | None:
        """See `Curvature`."""
        factor = _cholesky(self.matrix)
        if factor is None:
            return None
        newton = solve_triangular(factor, gradient, lower=True)
        return float(newton @ newton)

    def inverse(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`."""
        factor = _cholesky(self.matrix)
        assert factor is not None  # noqa: S101 - asked for where the decrement is known
        root = solve_triangular(factor, np.eye(len(factor)), lower=True)
        return _parts(root.T @ root, framed)

    def inverse_anyway(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`; its eigenvalues are made positive."""
        curvature, axes = np.linalg.eigh(self.matrix)
        typical = float(np.median(np.abs(curvature)))
        positive = np.maximum(np.abs(curvature), 1e-6 * typical + 1e-12)
        return _parts((axes / positive) @ axes.T, framed)


@dataclass(eq=False)
class Arrow:
    """A Hessian whose patients' blocks are not connected: n patients with at most k parameters each.

    Attributes
    ----------
    shared
        Places of the G parameters that all patients share.
    slots
        Places of the patients' own, (n, k), -1 where a patient has fewer.
    top, side, blocks
        H between shared ones, (G, G); between a patient's own and shared ones, (n, k, G); and between a patient's own,
        (n, k, k), with 1 on the diagonal of empty slots.
    """

    shared: Ints
    slots: Ints
    top: Array
    side: Array
    blocks: Array

    def __post_init__(self) -> None:
        self.diagonal = np.empty(len(self.shared) + int((self.slots >= 0).sum()))
        self.diagonal[self.shared] = np.diag(self.top)
        self.diagonal[self.slots[self.slots >= 0]] = np.diagonal(self.blocks, axis1=1, axis2=2)[self.slots >= 0]
        self.finite = all(bool(np.isfinite(part).all()) for part in (self.top, self.side, self.blocks))

    def solver(self, added: Array | float = 0.0) -> Solve | None:
        """See `Curvature`; by the Schur complement of the patients' blocks."""
        parts = self._eliminated(np.broadcast_to(added, self.diagonal.shape))
        if parts is None:
            return None
        inner, weighted, factor = parts
        used = self.slots >= 0

        def solve(g: Array) -> Array:
            own = np.where(used, g[self.slots], 0.0)
            rest = g[self.shared] - np.einsum("nkg,nk->g", weighted, own)
            out = np.empty_like(g)
            out[self.shared] = solve_triangular(factor, solve_triangular(factor, rest, lower=True), lower=True, trans=1)
            local = np.einsum("nkl,nl->nk", inner, own) - weighted @ out[self.shared]
            out[self.slots[used]] = local[used]
            return out

        return solve

    def decrement(self, gradient: Array) -> float | None:
        """See `Curvature`."""
        solve = self.solver()
        return None if solve is None else float(gradient @ solve(gradient))

    def inverse(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`."""
        return self._inverse(0.0, framed)

    def inverse_anyway(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`; a growing part of |diagonal| is added."""
        size = np.maximum(np.abs(self.diagonal), 1e-12)
        for damping in 1e-4 * 4.0 ** np.arange(40):
            if self.solver(damping * size) is not None:
                return self._inverse(damping * size, framed)
        raise np.linalg.LinAlgError("the curvature is not finite")

    def _inverse(self, added: Array | float, framed: int) -> tuple[Array, Array]:
        parts = self._eliminated(np.broadcast_to(added, self.diagonal.shape))
        assert parts is not None  # noqa: S101 - as above
        inner, weighted, factor = parts
        root = solve_triangular(factor, np.eye(len(factor)), lower=True)
        shared = root.T @ root
        variance = np.empty(len(self.diagonal))
        variance[self.shared] = np.diag(shared)
        own = np.diagonal(inner, axis1=1, axis2=2) + np.einsum("nkg,gh,nkh->nk", weighted, shared, weighted)
        variance[self.slots[self.slots >= 0]] = own[self.slots >= 0]
        return shared[:framed, :framed], variance[framed:]

    def _eliminated(self, added: Array) -> tuple[Array, Array, Array] | None:
        """Return the blocks' inverses, those times ``side``, and the Cholesky factor of the Schur complement."""
        own = np.where(self.slots >= 0, added[self.slots], 0.0)
        blocks = self.blocks + own[:, :, None] * np.eye(self.slots.shape[1])
        if _cholesky(blocks) is None:
            return None
        inner = np.linalg.inv(blocks)
        weighted = inner @ self.side
        complement = self.top + np.diag(added[self.shared]) - np.einsum("nkg,nkh->gh", self.side, weighted)
        factor = _cholesky(complement)
        return None if factor is None else (inner, weighted, factor)


def curvature_at(posterior: LogPosterior, theta: Array, steps: Array, cores: int) -> Curvature:
    """Return minus the Hessian by central differences of the gradient, symmetrised.

    With an arrow, all patients' first parameters are moved at once, then all second ones. Where equations know nothing
    of each other, a parameter of each is moved at once.
    """
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
    return bool(np.linalg.norm(difference - expected) <= 1e-2 * np.linalg.norm(expected))


def _equations(posterior: LogPosterior) -> Ints:
    """Return the number of each parameter's equation, (P,); 0 for all where one equation could know of another.

    That is so where a value is hidden, where a patient has several rows, or where the frame ties their parameters.
    """
    program = posterior.program
    alone = np.zeros(posterior.size, dtype=np.int64)
    if program.ints[at.ANY_DEFERRED] or program.confounders or len(program.parts) == 1:
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


def _parts(covariance: Array, framed: int) -> tuple[Array, Array]:
    return covariance[:framed, :framed], np.diag(covariance)[framed:]


def _cholesky(matrix: Array) -> Array | None:
    """Return the factor of a matrix, or of each of a stack; None where one is not positive definite."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    return factor if np.isfinite(factor).all() else None
