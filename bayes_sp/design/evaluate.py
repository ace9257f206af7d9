"""What an equation says of each patient at some parameters: the one evaluation, in NumPy or PyTensor."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.build import columns_of, design_values
from bayes_sp.design.design import Design
from bayes_sp.design.elements import with_elements
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.joint import JointModel
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import Predictor, Steps, Term, predictors_of
from bayes_sp.names import VARYING

type Numbers = Any  # an array, with one set of parameters or one for every draw, or a tensor
# Parameters by posterior variable, (..., elements); the element of a response, (...), under (variable, response).
type At = Mapping[Any, Numbers]
type Values = Mapping[str, Numbers]


def evaluate(
    predictor: Predictor, x: Numbers, live: Collection[int], values: Values, at: At, xp: ModuleType = np
) -> Numbers:
    """Return a linear predictor, (..., R): known columns by one product, live terms by their factors.

    ``x`` has a column for each term, (R, p); ``live`` are places of terms whose columns follow from ``values``, (R,) or
    (..., R), and parameters instead; ``xp`` is ``numpy`` or ``pytensor.tensor``.
    """
    if not predictor.terms:  # an ordered response without a parent or a covariate
        return xp.zeros(x.shape[0])
    beta = at[predictor.variable]
    known = np.where(np.isin(np.arange(len(predictor.terms)), list(live)), 0.0, x) if live and xp is np else x
    # no matrix product of tensors: compiling one takes 40 s, and the gradient is as fast
    eta = beta @ known.T if xp is np else (known * beta).sum(axis=-1)
    for k in live:
        eta = eta + beta[..., k, None] * term_column(predictor.terms[k], values, at, xp)
    return eta


def term_column(term: Term, values: Values, at: At, xp: ModuleType = np) -> Numbers:
    """Return a term's column, (R,) or (..., R): the product of its factors."""
    found = None
    for factor in term.factors:
        column = factor.of(values[factor.key])
        if isinstance(factor.coding, Steps):
            column = monotonic_column(at[factor.coding.shares], column, factor.coding.count, xp)
        found = column if found is None else found * column
    return found


def monotonic_column(shares: Numbers, level: Array, count: int, xp: ModuleType = np) -> Numbers:
    """Return D * (sum of the shares of the steps up to each level), (..., R), of D shares and levels from 0.

    The column of a monotonic effect (Bürkner & Charpentier 2020, doi:10.1111/bmsp.12195); NaN where the level is.
    """
    sums = xp.concatenate([xp.zeros_like(shares[..., :1]), xp.cumsum(shares, axis=-1)], axis=-1) * count
    places = np.clip(np.nan_to_num(level), 0, count).round().astype(np.intp)
    if xp is not np:
        return sums[places]
    places = np.broadcast_to(places, (*shares.shape[:-1], level.shape[-1]))
    return np.where(np.isnan(level), np.nan, np.take_along_axis(sums, places, axis=-1))


def hidden_value(
    eta: Numbers, z: Numbers, sigma: Numbers, seen: Sequence[Numbers] = (), xp: ModuleType = np
) -> Numbers:
    """Return the value behind a response that is missing, eta + sigma z, or measured with error, (..., R).

    With an observed value y of error SD s and w = sigma^2 / (sigma^2 + s^2), the value is
    N(eta + w (y - eta), sigma^2 (1 - w)).

    ``seen`` is (y, s, where y was observed) of a response measured with error.
    """
    if not seen:
        return eta + sigma * z
    y, error, measured = seen
    share = xp.where(measured, sigma**2 / (sigma**2 + error**2), 0.0)
    return eta + share * (y - eta) + sigma * xp.sqrt(1.0 - share) * z


def auxiliary(family: str, response: str, fixed: Sequence[float], at: At, xp: ModuleType = np) -> Numbers:
    """Return the aux of a family, cutpoints or parameters and a known SD: (..., A) in NumPy, else a list of scalars."""
    if FAMILIES[family].ordered:
        return at[f"{response}_cutpoint"]
    found = [at[name, response] for name in FAMILIES[family].parameters]
    if xp is not np:
        return [*found, *fixed]
    found += [np.full(found[0].shape, known) for known in fixed]
    return np.stack(found, axis=-1) if found else np.empty(0)


def strength(model: PathModel, confounder: str, response: str, at: At) -> Numbers:
    """Return what one SD of a confounder adds to a response's predictor, (...) or (); 0 where it does not act."""
    strengths = next(dict(u.strengths) for u in model.confounders if u.name == confounder)
    given = strengths.get(response, 0.0)
    return at[confounder, response] if isinstance(given, Prior) else np.asarray(float(given))


def _beside(
    model: PathModel,
    predictor: Predictor,
    eta: Numbers,
    values: Values,
    at: At,
    groups: Numbers | None,
    offset: Array | None,
) -> Numbers:
    """Return a mean's predictor with what stands in it beside terms: groups, unmeasured confounders, windows."""
    response = predictor.response
    if groups is not None:
        eta = eta + at[f"{response}{VARYING}"][..., groups]
    for loading in predictor.loadings:
        if loading.name in values:
            eta = eta + strength(model, loading.name, response, at)[..., None] * values[loading.name]
    return eta if offset is None else eta + offset


@dataclass(frozen=True, eq=False, repr=False)
class Evaluated:
    """An equation of a joint model at some parameters: predictors, (..., R), aux, and values of every variable."""

    equation: JointEquation
    eta: Numbers
    zeta: Numbers
    aux: Numbers
    values: dict[str, Numbers]


def walk(
    joint: JointModel, at: At, hidden: Values, xp: ModuleType = np, columns: Mapping[str, Numbers] | None = None
) -> Iterator[Evaluated]:
    """Yield every equation in turn, each with the hidden values of those before it.

    ``hidden`` are standardised values of variables with hidden ones, and of unmeasured confounders, (..., R);
    ``columns`` are tensors in place of the equations' own.
    """
    values: dict[str, Numbers] = {**known_values(joint), **{c.name: hidden[c.name] for c in joint.confounders}}
    for equation in joint.equations:
        eta, zeta = joint_predictors(joint, equation, values, at, xp, columns)
        aux = auxiliary(equation.family, equation.response, equation.fixed, at, xp)
        if equation.response in hidden:
            sigma = at[equation.likelihood.parameters[0], equation.response][..., None]
            seen = (equation.y, *equation.fixed, equation.seen) if equation.fixed else ()
            value = hidden_value(eta, hidden[equation.response], sigma, seen, xp)
            values[equation.response] = xp.where(equation.hidden_number >= 0, value, equation.y)
        yield Evaluated(equation, eta, zeta, aux, values)


def known_values(joint: JointModel) -> dict[str, Array]:
    """Return what factors are made of in every row, (R,), 0 where it is not known."""
    return {name: np.nan_to_num(column) for name, column in design_values(joint.rows.design).items()}


def joint_predictors(
    joint: JointModel,
    equation: JointEquation,
    values: Values,
    at: At,
    xp: ModuleType = np,
    columns: Mapping[str, Numbers] | None = None,
    *,
    hidden: bool = True,
) -> tuple[Numbers, Numbers]:
    """Return eta and zeta of an equation, (..., R), zeta 0 without a zero part; ``hidden`` parents in it or not."""
    columns = columns or {}
    x = columns.get(equation.mean.variable, equation.x)
    eta = evaluate(equation.mean, x, equation.live(hidden=hidden), values, at, xp)
    eta = _beside(joint.model, equation.mean, eta, values, at, equation.groups, equation.offset)
    if equation.zero is None:
        return eta, 0.0 * eta if xp is np else None
    zero_x = columns.get(equation.zero.variable, equation.zero_x)
    return eta, evaluate(equation.zero, zero_x, equation.live(zero=True, hidden=hidden), values, at, xp)


def mean_predictor(model: PathModel, design: Design, j: int, at: At, values: Values) -> Array:
    """Return eta of equation j of a chain, (..., n), NaN where a cell behind it is missing.

    ``at`` is as `arrays_of` has it. ``values`` are responses as later equations see them, in their own units, (n,) or
    (..., n), where the design's are not meant; unmeasured confounders, in SDs, are 0 where they are not given.
    """
    equation = model.equations[j]
    predictor = predictors_of(model, equation)[0]
    eta = _chain_predictor(predictor, design, at, values)
    groups = design.groups[equation.varying][0] if equation.varying else None
    return np.asarray(_beside(model, predictor, eta, values, at, groups, design.offset(equation.response)))


def zero_predictor(model: PathModel, design: Design, j: int, at: At, values: Values) -> Array:
    """Return zeta of equation j of a chain, (..., n); 0 without a zero part."""
    zero = predictors_of(model, model.equations[j])[1:]
    return _chain_predictor(zero[0], design, at, values) if zero else np.zeros(design.n)


def _chain_predictor(predictor: Predictor, design: Design, at: At, values: Values) -> Array:
    live = [k for k, term in enumerate(predictor.terms) if term.steps or any(f.key in values for f in term.factors)]
    found = evaluate(predictor, columns_of(predictor, design), live, {**design_values(design), **values}, at)
    return np.asarray(found)


def chain_auxiliary(model: PathModel, design: Design, j: int, at: At) -> Array:
    """Return the aux of equation j's family, (..., A)."""
    equation = model.equations[j]
    fixed = [design.measurement_sd[equation.response]] if FAMILIES[equation.family].latent else []
    return np.asarray(auxiliary(equation.family, equation.response, fixed, {**with_elements(model, at), **at}))
