r"""Mediators side by side with correlated errors as a chain: each given those before it.

Errors :math:`e \sim N(0, D R D)` of K normal mediators, D the diagonal of their SDs and :math:`R = L L'`, are as well

.. math:: e_i \mid e_1 \dots e_{i-1} \sim N\Big(\sum_{k<i} b_{ik} e_k,\ (\sigma_i L_{ii})^2\Big),
          \quad b_{ik} = \frac{\sigma_i}{\sigma_k} \big(L_{i,<i} L_{<i,<i}^{-1}\big)_k .

With :math:`e_k = m_k - \eta_k` that is a chain with arrows from every mediator to those after it, whose coefficients
follow from those of the mediators side by side: :math:`\eta_i - \sum_k b_{ik} \eta_k + \sum_k b_{ik} m_k`. So whatever
evaluates a likelihood evaluates that of the chain, missing cells included, and knows of no correlation.

The sampler sees partial correlations, :math:`z_{ik}` of i and k given those before k (C-vine), with
:math:`L_{ik} = z_{ik} \prod_{l<k} \sqrt{1 - z_{il}^2}`. The LKJ density :math:`|R|^{\eta - 1}` is
:math:`\prod (1 - z_{ik}^2)^{\eta - 1}`, and :math:`|\partial R / \partial z| = \prod (1 - z_{ik}^2)^{(K - 2 - k)/2}`
with k from 0 (Lewandowski, Kurowicka & Joe 2009, doi:10.1016/j.jmva.2009.04.008).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import INTERCEPT, predictors_of
from bayes_sp.names import RESIDUAL_CORRELATION, VARYING

type Numbers = Any  # an array or a tensor, or a number
type Matrix = list[list[Numbers]]


@dataclass(frozen=True)
class Given:
    """A mediator given those before it."""

    # response, before: the mediator, and those before it.
    response: str
    before: tuple[str, ...]
    names: tuple[str, ...]  # of its coefficients in the chain
    # slopes, intercept: their places among those: of each mediator before, and of the intercept.
    slopes: tuple[int, ...]
    intercept: int
    # (place among ``names``, number of the mediator, place among its own coefficients) of everything else.
    sources: tuple[tuple[int, int, int], ...]
    centers: tuple[float, ...]  # what is taken off each mediator before


def in_sequence(model: PathModel) -> PathModel:
    """Return the chain that a specification's mediators with correlated errors are; others as they are."""
    names = model.correlated
    if not names:
        return model
    equations = list(model.equations)
    for i in range(1, len(names)):
        equations[i] = _joined(equations[: i + 1], names[:i])
    return replace(model, equations=tuple(equations))


def design_in_sequence(model: PathModel, design: Design) -> Design:
    """Return a design with the arrows of `in_sequence`."""
    if not model.correlated:
        return design
    edges = np.array([[name in e.parents for name in model.mediators] for e in in_sequence(model).equations])
    return replace(design, edges_mediators=edges)


def _joined(own: Sequence[Equation], before: tuple[str, ...]) -> Equation:
    def union(found: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one for several in found for one in several))

    covariates = [equation.covariates for equation in own]
    return replace(
        own[-1],
        parents=union([*(equation.parents for equation in own), before]),
        covariates=None if None in covariates else union([chosen or () for chosen in covariates]),
        products=union([equation.products for equation in own]),
        varying=next((equation.varying for equation in own if equation.varying), ""),
        residual_correlations=None,
    )


def givens(model: PathModel) -> tuple[Given, ...]:
    """Return every mediator with correlated errors but the first, given those before it."""
    names, chain = model.correlated, in_sequence(model)
    found = []
    for i in range(1, len(names)):
        terms = predictors_of(chain, chain.equations[i])[0].names
        own = [predictors_of(model, equation)[0].names for equation in model.equations[: i + 1]]
        sources = [(terms.index(name), k, place) for k, labels in enumerate(own) for place, name in enumerate(labels)]
        slopes, centers = (terms.index(name) for name in names[:i]), (model.variable(n).center for n in names[:i])
        found.append(
            Given(names[i], names[:i], terms, tuple(slopes), terms.index(INTERCEPT), tuple(sources), tuple(centers))
        )
    return tuple(found)


def sequential(model: PathModel, at: Mapping[Any, Numbers], xp: ModuleType = np) -> dict[Any, Numbers]:
    """Return parameters of a specification as those of its chain (`in_sequence`), by name, elements beside."""
    found = dict(at)
    if not model.correlated:
        return found
    names = model.correlated
    root = cholesky(correlation_matrix([at[RESIDUAL_CORRELATION, pair] for pair in model.correlated_pairs]), xp.sqrt)
    for i, given in enumerate(givens(model), start=1):
        sigma = at["sigma", given.response]
        slopes = [b * sigma / at["sigma", k] for b, k in zip(_regression(root, i), names, strict=False)]
        found["sigma", given.response] = sigma * root[i][i]
        parts: list[Numbers] = [0.0] * len(given.names)
        for place, k, own in given.sources:
            parts[place] = parts[place] + (1.0 if k == i else -slopes[k]) * at[names[k]][..., own]
        for place, slope, center in zip(given.slopes, slopes, given.centers, strict=True):
            parts[place] = slope
            parts[given.intercept] = parts[given.intercept] + slope * center
        found[given.response] = xp.stack(parts, axis=-1)
        groups = [(1.0 if k == i else -slopes[k], f"{name}{VARYING}") for k, name in enumerate(names[: i + 1])]
        there = [(times, at[key]) for times, key in groups if key in at]
        if there:
            found[f"{given.response}{VARYING}"] = sum(_beside(times) * values for times, values in there)
    return found


def correlation_matrix(pairs: Sequence[Numbers]) -> Matrix:
    """Return K rows of correlations, up to the diagonal, from those of the pairs (0, 1), (0, 2), (1, 2), (0, 3) ..."""
    count = _members(len(pairs))
    return [[*pairs[i * (i - 1) // 2 : i * (i + 1) // 2], 1.0] for i in range(count)]


def cholesky(matrix: Matrix, sqrt: Any = np.sqrt) -> Matrix:  # noqa: ANN401 - NumPy's or PyTensor's
    """Return L of a matrix L L' that is given by its rows up to the diagonal."""
    root = [list(row) for row in matrix]
    for i in range(len(root)):
        for j in range(i + 1):
            for k in range(j):
                root[i][j] = root[i][j] - root[i][k] * root[j][k]
            root[i][j] = sqrt(root[i][i]) if i == j else root[i][j] / root[j][j]
    return root


def jacobian_powers(pairs: int) -> list[float]:
    """Return the power of 1 - z^2 in the Jacobian of each pair's partial correlation."""
    count = _members(pairs)
    return [(count - 2 - k) / 2 for i in range(count) for k in range(i)]


def correlations_of(partials: Sequence[Numbers], xp: ModuleType = np) -> list[Numbers]:
    """Return the correlations of all pairs that partial ones, in the same order, stand for."""
    root: Matrix = []
    for i in range(_members(len(partials))):
        own, left = [], 1.0
        for z in partials[i * (i - 1) // 2 : i * (i + 1) // 2]:
            own.append(left * z)
            left = left * xp.sqrt(1.0 - z**2)
        root.append([*own, left])
    return [
        sum(a * b for a, b in zip(root[k], root[i][: k + 1], strict=True)) for i in range(len(root)) for k in range(i)
    ]


def partials_of(correlations: Array) -> Array:
    """Return the partial correlations of all pairs, (..., pairs), from correlations."""
    root = cholesky(correlation_matrix(list(np.moveaxis(correlations, -1, 0))))
    found = []
    for row in root[1:]:
        left: Numbers = 1.0
        for part in row[:-1]:
            found.append(part / left)
            left = left * np.sqrt(1.0 - found[-1] ** 2)
    return np.stack(found, axis=-1)


def _members(pairs: int) -> int:
    """Return how many variables have so many pairs."""
    return (1 + math.isqrt(1 + 8 * pairs)) // 2


def _regression(root: Matrix, i: int) -> list[Numbers]:
    """Return b with b L = l, l the i-th row of L and L its rows before that: slopes of standardised errors."""
    found: list[Numbers] = [0.0] * i
    for k in reversed(range(i)):
        rest = root[i][k]
        for m in range(k + 1, i):
            rest = rest - found[m] * root[m][k]
        found[k] = rest / root[k][k]
    return found


def _beside(times: Numbers) -> Numbers:
    """Return a factor of each draw with a place for elements after it."""
    return times if isinstance(times, float) else times[..., None]
