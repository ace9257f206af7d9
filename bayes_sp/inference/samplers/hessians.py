"""Forms of a Hessian: one matrix, an arrow where patients have parameters of their own, or that of some parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from bayes_sp.arrays import Array

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

    @cached_property
    def _factor(self) -> Array | None:
        return _cholesky(self.matrix)

    def solver(self, added: Array | float = 0.0) -> Solve | None:
        """See `Curvature`."""
        more = np.broadcast_to(added, self.diagonal.shape)
        factor = _cholesky(self.matrix + np.diag(more)) if more.any() else self._factor
        if factor is None:
            return None
        return lambda g: solve_triangular(factor, solve_triangular(factor, g, lower=True), lower=True, trans="T")

    def decrement(self, gradient: Array) -> float | None:
        """See `Curvature`."""
        factor = self._factor
        if factor is None:
            return None
        newton = solve_triangular(factor, gradient, lower=True)
        return float(newton @ newton)

    def inverse(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`."""
        factor = self._factor
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
    """A Hessian whose patients' blocks are not connected: n patients with at most k parameters each."""

    shared: Ints  # places of the G parameters that all patients share
    slots: Ints  # places of the patients' own, (n, k), -1 where a patient has fewer
    # top, side, blocks: H between shared ones, (G, G); between a patient's own and shared ones, (n, k, G); and between
    # a patient's own, (n, k, k), with 1 on the diagonal of empty slots.
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
            """Return H^-1 g, shared parameters first."""
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


@dataclass(eq=False)
class Held:
    """A Hessian of some parameters, the others held where they are: their variance is 1, and steps leave them alone."""

    free: Ints  # places of the parameters that move
    inner: Full  # their Hessian
    size: int  # number of all parameters

    def __post_init__(self) -> None:
        self.diagonal = np.ones(self.size)
        self.diagonal[self.free] = self.inner.diagonal
        self.finite = self.inner.finite

    def solver(self, added: Array | float = 0.0) -> Solve | None:
        """See `Curvature`."""
        solve = self.inner.solver(np.broadcast_to(added, self.diagonal.shape)[self.free])
        if solve is None:
            return None

        def step(g: Array) -> Array:
            """Return H^-1 g among free parameters, 0 elsewhere."""
            out = np.zeros(self.size)
            out[self.free] = solve(g[self.free])
            return out

        return step

    def decrement(self, gradient: Array) -> float | None:
        """See `Curvature`."""
        return self.inner.decrement(gradient[self.free])

    def inverse(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`."""
        return self._whole(*self.inner.inverse(self._framed(framed)), framed)

    def inverse_anyway(self, framed: int) -> tuple[Array, Array]:
        """See `Curvature`."""
        return self._whole(*self.inner.inverse_anyway(self._framed(framed)), framed)

    def _whole(self, covariance: Array, variances: Array, framed: int) -> tuple[Array, Array]:
        moved = self._framed(framed)
        whole, others = np.eye(framed), np.ones(self.size)
        whole[np.ix_(self.free[:moved], self.free[:moved])] = covariance
        others[self.free[moved:]] = variances
        return whole, others[framed:]

    def _framed(self, framed: int) -> int:
        """Return how many of the first ``framed`` parameters are free."""
        return int((self.free < framed).sum())


def _parts(covariance: Array, framed: int) -> tuple[Array, Array]:
    return covariance[:framed, :framed], np.diag(covariance)[framed:]


def _cholesky(matrix: Array) -> Array | None:
    """Return the factor of a matrix, or of each of a stack; None where one is not positive definite."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    return factor if np.isfinite(factor).all() else None
