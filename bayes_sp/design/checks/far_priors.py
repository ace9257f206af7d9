"""Priors that lie far from what the records say, as where a column has other units than the specification thinks of."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bayes_sp.arrays import Array, least_squares
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel

FAR = 6.0  # SDs of a prior
MOVED = 1.0  # posterior SDs by which such a prior moves an estimate


def far_priors(model: PathModel, design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    r"""Yield (response, descriptions) of normal priors that contradict the records and decide beside them.

    In equations whose predictor is a mean, by least squares on complete rows: an estimate b with the standard error s
    is far from Normal(mu, tau) where

    .. math:: \frac{|b - \mu|}{\sqrt{\tau^2 + s^2}} > 6, \qquad
              \frac{|b - \mu|}{\sqrt{\tau^2 + s^2}} \cdot \frac{s}{\tau} > 1;

    the latter is by how many posterior SDs the prior moves it. A residual SD r of n records is far from
    HalfNormal(tau) where r / tau > 6 and (r / tau)^2 > sqrt(2 n).
    """
    for j, equation in enumerate(model.equations):
        if FAMILIES[equation.family].link == "identity":
            found = _of_one(model, equation, equation_matrix(model, design, j), design.coded(j))
            if found:
                yield equation.response, found


def _of_one(model: PathModel, equation: Equation, x: Array, y: Array) -> tuple[str, ...]:
    whole = np.isfinite(x).all(axis=1) & np.isfinite(y)
    x, y, size = x[whole], FAMILIES[equation.family].to_link(y[whole]), np.abs(x[whole]).max(axis=0, initial=0.0)
    if len(y) <= x.shape[1] or not (size > 0.0).all() or not np.isfinite(y).all():
        return ()
    x, unit = x / size, max(float(np.abs(y).max()), np.finfo(float).tiny)  # so that squares are numbers
    b = least_squares(x, y / unit)
    residual = math.sqrt(float(np.square(y / unit - x @ b).sum()) / (len(y) - x.shape[1]))
    inverse = np.linalg.pinv(x.T @ x)
    with np.errstate(over="ignore"):
        errors = residual * np.sqrt(np.maximum(np.diag(inverse), 0.0)) / size * unit
        estimates = b / size * unit
    found = [
        _coefficient(model, equation, *each) for each in zip(model.terms(equation), estimates, errors, strict=True)
    ]
    return tuple(word for word in (*found, _spread(model, equation, residual * unit, len(y))) if word)


def _coefficient(model: PathModel, equation: Equation, name: str, estimate: float, error: float) -> str:
    prior = model.prior(equation.response, name)
    if prior is None or prior.dist != "normal":
        return ""
    centre, scale = prior.numbers
    if not math.isfinite(error):
        return ""
    away = abs(estimate - centre) / math.hypot(scale, error)
    return f"{name} {estimate:.3g} ({prior})" if away > FAR and away * error / scale > MOVED else ""


def _spread(model: PathModel, equation: Equation, residual: float, n: int) -> str:
    prior = model.prior(equation.response, "sigma")
    if prior is None or prior.dist != "half_normal":
        return ""
    ratio = residual / prior.numbers[0]
    return f"sigma {residual:.3g} ({prior})" if ratio > FAR and ratio > MOVED * (2 * n) ** 0.25 else ""
