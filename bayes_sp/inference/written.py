r"""Derivatives of simple families written out in NumPy: one fit to all records needs no compiled code.

With :math:`t = \log\sigma` or :math:`\log\phi`, by the linear predictor eta and t, exact.
"""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array, least_squares
from bayes_sp.inference.likelihood.maximum import Regression
from bayes_sp.model.families.registry import FAMILIES


class Written(Regression):
    """A regression of a family whose derivatives are written out."""

    def at_rows(self, y: Array, w: Array, eta: Array, zeta: Array, theta: Array) -> tuple[Array, Array, Array]:
        """Return each row's weighted log-likelihood and derivatives, as `Regression.at_rows`."""
        derivatives = FAMILIES[self.family].derivatives
        if derivatives is None:
            raise ValueError(f'the derivatives of the family "{self.family}" are not written out')
        value, first, second = derivatives(y, eta, theta[:, -1:])
        ones = [np.broadcast_to(each, eta.shape) for each in first]
        twos = [[np.broadcast_to(each, eta.shape) for each in row] for row in second]
        return w * value, w * np.stack(ones), w * np.array(twos)


def least_squares_start(data: Regression) -> Array:
    """Return starting values, (P,): of normal responses least squares, which is where the maximum lies."""
    family = FAMILIES[data.family]
    if not family.gaussian or family.latent:
        return data.start
    (part,) = data.parts
    y = family.to_link(data.y) - part.offset
    beta = least_squares(part.x, y)
    rms = float(np.sqrt(np.mean((y - part.x @ beta) ** 2)))
    return np.array([*beta, np.log(rms) if rms > 0 else data.start[-1]])
