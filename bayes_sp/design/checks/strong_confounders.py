"""Assumed confounders that make up more than the records leave unexplained."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bayes_sp.arrays import Array, least_squares
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

SURE = 3.0  # standard errors of a residual variance


def strong_confounders(model: PathModel, design: Design) -> Iterator[tuple[str, str, float, float]]:
    r"""Yield (confounder, response, variance left unexplained, what the confounder makes up) of impossible strengths.

    With U ~ N(0, t), t = 1 before the first of its responses, and a normal response of which least squares leaves the
    variance v and which U moves by g for one SD, the residual variance is v - g^2 t; given that response too, U has the
    variance t (v - g^2 t) / v. Named is g^2 t that is more than 3 standard errors of v, v sqrt(2 / n), above v. Only of
    strengths that are numbers, and of responses that have the earlier ones of the same confounder among their parents.
    """
    for confounder in model.confounders:
        strengths, left, earlier = dict(confounder.strengths), 1.0, list[str]()
        for j, equation in enumerate(model.equations):
            strength = strengths.get(equation.response)
            if strength is None:
                continue
            family = FAMILIES[equation.family]
            if family.link != "identity" or family.latent or not set(earlier) <= set(equation.parents):
                break
            if isinstance(strength, Prior):
                break
            found, n = _unexplained(equation_matrix(model, design, j), family.to_link(design.coded(j)))
            taken = strength**2 * left
            if n and taken - found > SURE * found * math.sqrt(2.0 / n):
                yield confounder.name, equation.response, found, taken
                break
            left *= max(found - taken, 0.0) / found if n and found > 0.0 else 1.0
            earlier.append(equation.response)


def _unexplained(x: Array, y: Array) -> tuple[float, int]:
    """Return the residual variance and the residual degrees of freedom, 0 where there are too few complete rows."""
    whole = np.isfinite(x).all(axis=1) & np.isfinite(y)
    x, y = x[whole], y[whole]
    if len(y) < x.shape[1] + 3:
        return 0.0, 0
    n = len(y) - x.shape[1]
    return float(np.square(y - x @ least_squares(x, y)).sum()) / n, n
