"""The log-posterior of one survey under one specification, as numbers that the engine reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.lower import Program


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class LogPosterior:
    """The log-posterior density on unconstrained parameters, seen from a frame of its own.

    Attributes
    ----------
    program
        Model, records and priors, packed.
    frame
        Parameters are theta = origin + L z for the first F of them (coefficients and what belongs to equations) and
        origin + spread z for the others (one for each hidden value): origin (P,), spread (P,), L row by row (F, F).
    """

    program: Program
    frame: Array

    @property
    def size(self) -> int:
        """Number of parameters that are sampled, P."""
        return self.program.size

    @property
    def scale(self) -> Array:
        """L of the frame, (F, F)."""
        return self.frame[2 * self.size :].reshape(self.program.framed, self.program.framed)

    def moved(self, origin: Array, scale: Array, spread: Array | None = None) -> LogPosterior:
        """Return the same posterior in another frame.

        Parameters
        ----------
        origin
            (P,).
        scale
            Lower triangular L, (F, F).
        spread
            Scales of the other parameters, (P - F,); None for 1.
        """
        size, framed = self.size, self.program.framed
        if scale.shape != (framed, framed) or np.triu(scale, 1).any():
            raise ValueError(f"the scale must be lower triangular, ({framed}, {framed}), found {scale.shape}")
        spreads = np.ones(size)
        if spread is not None:
            spreads[framed:] = spread
        return replace(self, frame=np.concatenate([origin, spreads, scale.ravel()]))

    def theta(self, z: Array) -> Array:
        """Return the sampled parameters of draws z, (..., P)."""
        size, framed = self.size, self.program.framed
        origin, spread = self.frame[:size], self.frame[size : 2 * size]
        scale = self.scale
        theta = origin + z * spread
        theta[..., :framed] = origin[:framed] + z[..., :framed] @ scale.T
        return theta


def log_posterior(program: Program) -> LogPosterior:
    """Return the log-posterior of a program in the frame theta = z."""
    size, framed = program.size, program.framed
    frame = np.concatenate([np.zeros(size), np.ones(size), np.eye(framed).ravel()])
    assert program.ints[at.FRAMED] == framed  # noqa: S101
    return LogPosterior(program, frame)
