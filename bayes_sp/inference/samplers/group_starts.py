"""Where chains start, and the scale they move on, where groups have intercepts of their own.

The joint density of the groups' SD tau and their intercepts tau z is highest where tau is as large as its prior allows,
whatever the records say: there is nothing to start from. Here tau is that of EM steps, tau^2 <- tau^2 mean(z^2 + var z)
over the groups, each z at its mode given tau, with the variance that the curvature gives it; a start needs no more.
With g_k = 1 - var z_k, the part of an intercept that the records know, log tau has a variance of about
1 / (1 + 2 sum g_k^2), and all other parameters follow it along their modes given tau.

References
----------
Papaspiliopoulos, Roberts & Skoeld (2007). Statistical Science 22(1), 59-73. doi:10.1214/088342307000000014 (partly
centred intercepts)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.samplers.hessians import Full, Held, Ints
from bayes_sp.inference.samplers.mode import Mode, curvature_near, find_mode
from bayes_sp.inference.samplers.target import LogPosterior
from bayes_sp.inference.samplers.units import search_units

ROUNDS = 5
MANY = 400  # parameters from which EM takes two rounds: a Hessian is as many gradients
ENOUGH = 0.1  # change of log tau


def find_start(posterior: LogPosterior, *, cores: int = 1) -> Mode:
    """Return where chains start, and their scale: the mode, hidden values held at 0, with groups as said above.

    Raises NoModeError if the density is not finite at the start.
    """
    program = posterior.program
    if not program.groups or program.confounders:
        return find_mode(posterior, cores=cores, strict=False, held=program.standardised)
    taus = np.array([tau for tau, _, _ in program.groups])
    held = np.concatenate([taus, program.standardised])
    for _ in range(ROUNDS if posterior.size <= MANY else 2):
        mode = find_mode(posterior, cores=cores, strict=False, held=held)
        theta, variance = mode.theta.copy(), np.concatenate([(mode.scale**2).sum(axis=1), mode.spread**2])
        steps = []
        for tau, first, count in program.groups:
            z = slice(first, first + count)
            steps.append(0.5 * np.log(np.mean(theta[z] ** 2 + variance[z])))
            theta[tau] += steps[-1]
            theta[z] *= np.exp(-steps[-1])
        posterior = replace(posterior, program=program.starting(theta))
        if np.abs(steps).max() < ENOUGH:
            break
    return _with_spreads(posterior, mode, taus, cores)


def _with_spreads(posterior: LogPosterior, mode: Mode, taus: Ints, cores: int) -> Mode:
    """Return the mode given tau with a scale for log tau, along which all others move as their modes do.

    An intercept's share is g, what the records know of it; see `LogPosterior` on what it does.
    """
    program, framed = posterior.program, posterior.program.framed
    units = search_units(program)
    hessian = curvature_near(posterior.moved(mode.theta, units), cores, program.standardised)
    whole_hessian = hessian.inner if isinstance(hessian, Held) else hessian
    free = hessian.free if isinstance(hessian, Held) else np.arange(posterior.size)
    if not isinstance(whole_hessian, Full):
        raise TypeError("without confounders the Hessian is one matrix")
    matrix = whole_hessian.matrix
    others = np.flatnonzero(~np.isin(free, taus))
    covariance, _ = Full(matrix[np.ix_(others, others)]).inverse_anyway(len(others))
    whole, shares = np.eye(posterior.size), np.zeros(posterior.size)
    whole[np.ix_(free[others], free[others])] = covariance
    for _, first, count in program.groups:
        own = slice(first, first + count)
        shares[own] = 1.0 - np.clip(np.diag(whole)[own], 0.0, 1.0)
    whole[taus, taus] = 0.0
    for tau, first, count in program.groups:
        own = slice(first, first + count)
        along = np.zeros(posterior.size)
        along[free[others]] = -covariance @ matrix[others, int(np.searchsorted(free, tau))]
        along[own] += shares[own] * mode.theta[own]
        known = 2.0 * float(shares[own] @ shares[own])  # where little is, modes given tau say little of the way
        along *= known**2 / (16.0 + known**2)
        along[tau] = 1.0
        whole += np.outer(along, along) / (1.0 + known)
    scale: Array = units @ np.linalg.cholesky(whole[:framed, :framed])
    return replace(mode, scale=scale, spread=np.sqrt(np.diag(whole)[framed:]), shares=shares)
