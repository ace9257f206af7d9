r"""The posterior of linear normal equations straight from means, SDs and correlations: no records, no chains.

The likelihood of y = X beta + e, e ~ N(0, sigma^2), depends on the records through X'X, X'y, y'y and n alone, which
moments give. With independent normal (or flat) priors of the coefficients, precision L and mean mu, beta given sigma is
normal with precision P = X'X / sigma^2 + L and mean m = P^{-1} (X'y / sigma^2 + L mu), and

.. math:: \log p(\sigma \mid y) = \log p(\sigma) - n \log\sigma - \tfrac12\log|P|
          - \tfrac12 (y'y/\sigma^2 + \mu' L \mu - m' P m) + \text{const}

is a density of one number, which is tabulated: draws are independent, and exact to the table's 4000 points. With priors
flat in the coefficients and in log sigma they are the classical ones, RSS / sigma^2 ~ chi^2 (Gelman et al. 2013,
Bayesian Data Analysis, 14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.effects.summary import CI_PROB, summarise
from bayes_sp.errors import SpecificationError, SurveyError, nearest
from bayes_sp.inference.likelihood.least_squares import Moments
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.terms import INTERCEPT, Number, Term, predictors_of
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT, path_name
from bayes_sp.records.published.study.read import read_study
from bayes_sp.records.published.study.results import Study
from bayes_sp.shown import Part, Shown

_GRID = 4000  # values of sigma at which its density is tabulated
_WIDE = 12.0  # SDs of log sigma on both sides of its mode


@dataclass(frozen=True, eq=False, repr=False)
class MomentPosterior(Shown):
    """Independent draws from the posterior of a chain of linear normal equations.

    Attributes
    ----------
    model
        The specification.
    coefficients
        Response -> draws of its coefficients, (draws, terms), in the order of ``model.terms``.
    sigma
        Response -> draws of its residual SD, (draws,).
    n
        Number of patients behind the moments.
    """

    model: PathModel
    coefficients: dict[str, Array]
    sigma: dict[str, Array]
    n: int

    @cached_property
    def effects(self) -> dict[str, Array]:
        """Path, ``total_indirect`` and ``total`` -> draws of its product of coefficients, per unit of the exposure."""
        slopes = {
            (equation.response, term): self.coefficients[equation.response][:, place]
            for equation in self.model.equations
            for place, term in enumerate(self.model.terms(equation))
        }
        found: dict[str, Array] = {}
        for path in self.model.named_paths():
            parts = [slopes[response, parent] for parent, response in pairwise(path)]
            found[path_name(path)] = np.asarray(np.prod(parts, axis=0))
        direct = self.model.exposure + ARROW + self.model.outcome
        indirect = [draws for name, draws in found.items() if name != direct]
        size = len(next(iter(self.sigma.values())))
        return found | {TOTAL_INDIRECT: sum(indirect, np.zeros(size)), TOTAL: sum(found.values(), np.zeros(size))}

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each effect: mean, median, SD, interval and P(< 0)."""
        draws = np.stack(list(self.effects.values()), axis=-1)[None]
        return summarise(draws, ci_prob).assign(effect=list(self.effects)).set_index("effect")

    def coefficient_table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each coefficient and residual SD: mean, median, SD, interval and P(< 0)."""
        names, columns = [], []
        for equation in self.model.equations:
            response = equation.response
            names += [(response, term) for term in (*self.model.terms(equation), "sigma")]
            columns += [*self.coefficients[response].T, self.sigma[response]]
        table = summarise(np.stack(columns, axis=-1)[None], ci_prob)
        return table.set_index(pd.MultiIndex.from_tuples(names, names=["response", "term"]))

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.model.name} from moments of {self.n} patients, per unit of {self.model.exposure}"
        return head, [self.table().reset_index()]


def moment_posterior(
    model: PathModel | str | Path, moments: Moments | str | Path | Study, *, draws: int = 4000, seed: int = 1
) -> MomentPosterior:
    """Draw from the posterior of a specification with normal equations, given moments alone.

    Any records with these moments give the same posterior. The specification, its name or its file, has normal and
    linear equations only, with normal or flat priors of the coefficients and any prior of the residual SD. Moments are
    of all its variables; or a study with a table of them, as `audit` takes it. Where it prints no mean or SD 0 and 1
    stand in: they change the unit of that variable's own slopes, and no other slope. Draws are independent.

    Raises SpecificationError if the specification is not linear and normal: everything in it that is not; SurveyError
    if moments lack a variable, contradict each other, or are of too few patients for priors without an integral.

    Examples
    --------
    >>> from bayes_sp.inference.moment_posterior import moment_posterior
    >>> len(moment_posterior("process6", "kellezi2019").table())
    6
    """
    chain = model if isinstance(model, PathModel) else load_model(model)
    problems = [problem for equation in chain.equations for problem in _not_linear(chain, equation)]
    if chain.correlated:
        *others, last = chain.correlated
        advice = f"set residual_correlations = [] in the equation of {last}"
        problems.append(f"correlations of the errors of {', '.join(others)} and {last} need records; {advice}")
    problems += ["unmeasured confounders have no place in it"] if chain.confounders else []
    if problems:
        raise SpecificationError(f"{chain.name} from moments", problems)
    known = moments if isinstance(moments, Moments) else moments_of(moments, chain)
    missing = [name for name in chain.columns if name not in known.names]
    if missing:
        lacking = [f"the moments have no {name!r}{nearest(name, known.names)}" for name in missing]
        raise SurveyError(f"{chain.name} from moments", lacking)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise SurveyError("moment_posterior", [f"draws must be a whole number of 1 or more, found {draws!r}"])
    rng = np.random.default_rng(seed)
    found = {equation.response: _draw(chain, equation, known, draws, rng) for equation in chain.equations}
    return MomentPosterior(
        chain, {name: beta for name, (beta, _) in found.items()}, {name: s for name, (_, s) in found.items()}, known.n
    )


def moments_of(study: str | Path | Study, model: PathModel) -> Moments:
    """Return the moments that a study's table prints of a specification's variables."""
    read = study if isinstance(study, Study) else read_study(study)
    names = model.columns
    table = read.table_of(*names)
    if table is None:
        raise SurveyError(read.source, [f"no table holds all of {', '.join(names)}"])
    pairs = [(a, b, table.r(a, b)) for i, a in enumerate(names) for b in names[:i]]
    if missing := [f"the table does not print r({a}, {b})" for a, b, r in pairs if r is None]:
        raise SurveyError(read.source, missing)
    rows = [table.variable(name) for name in names]
    mean = np.array([0.0 if row.mean is None else row.mean.value for row in rows])
    sd = np.array([1.0 if row.sd is None else row.sd.value for row in rows])
    matrix = np.eye(len(names))
    for a, b, r in pairs:
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = 0.0 if r is None else r.value
    return Moments(names, mean, sd, matrix, table.n)


def _not_linear(model: PathModel, equation: Equation) -> list[str]:
    """Return what keeps an equation from being linear and normal with priors that allow exact draws."""
    where = f"equation {equation.response!r}"
    if equation.family != "normal":
        return [f"{where}: the family must be normal, found {equation.family}; moments say too little of others"]
    unfit = {
        "groups with intercepts of their own": equation.varying,
        "a monotonic effect": equation.monotonic,
        "a known reliability": equation.reliability,
        "an observation window": equation.offset,
    }
    problems = [f"{where}: {what} needs records" for what, there in unfit.items() if there]
    for term in predictors_of(model, equation)[0].terms:
        coding = term.factors[0].coding if len(term.factors) == 1 else None
        if term.name != INTERCEPT and (not isinstance(coding, Number) or coding.log1p):
            problems.append(f"{where}: {term.name!r} is not linear in a variable, and needs records")
        prior = model.prior(equation.response, term.name)
        if prior is None or prior.dist not in ("normal", "flat"):
            problems.append(f"{where}: the prior of {term.name!r} must be normal or flat, found {prior}")
    return problems


def _sums(equation: Equation, terms: tuple[Term, ...], moments: Moments) -> tuple[Array, Array, float]:
    """Return X'X, X'y and y'y of an equation's coded columns from moments."""
    codings = [term.factors[0] for term in terms if term.name != INTERCEPT]
    places = [moments.names.index(factor.variable) for factor in codings] + [moments.names.index(equation.response)]
    numbers = [factor.coding for factor in codings if isinstance(factor.coding, Number)]
    center = np.array([number.center for number in numbers] + [0.0])
    scale = np.array([number.scale for number in numbers] + [1.0])
    mean, sd = (moments.mean[places] - center) / scale, moments.sd[places] / scale
    deviations = (moments.n - 1) * np.outer(sd, sd) * moments.correlation[np.ix_(places, places)]
    whole = np.empty((len(places) + 1,) * 2)
    whole[1:, 1:] = deviations + moments.n * np.outer(mean, mean)
    whole[0, 1:] = whole[1:, 0] = moments.n * mean
    whole[0, 0] = moments.n
    own = [i for i, term in enumerate(terms) if term.name == INTERCEPT]
    order = [0 if i in own else 1 + sum(k not in own for k in range(i)) for i in range(len(terms))]
    return whole[np.ix_(order, order)], whole[order, -1], float(whole[-1, -1])


def _draw(
    model: PathModel, equation: Equation, moments: Moments, draws: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return draws of an equation's coefficients, (draws, p), and of its residual SD, (draws,)."""
    terms = predictors_of(model, equation)[0].terms
    xx, xy, yy = _sums(equation, terms, moments)
    priors = [model.prior(equation.response, term.name) for term in terms]
    proper = np.array([prior is not None and prior.dist == "normal" for prior in priors])
    constants = [prior.numbers if prior is not None and prior.dist == "normal" else (0.0, 1.0) for prior in priors]
    mu, precision = np.array([c[0] for c in constants]), proper / np.array([c[1] for c in constants]) ** 2
    sigma_prior = model.prior(equation.response, "sigma")
    if sigma_prior is None:
        raise SpecificationError(model.name, [f"equation {equation.response!r}: sigma has no prior"])
    sums = (xx, xy, yy)
    grid, density = _tabulated(sums, mu, precision, sigma_prior, moments, equation)
    sigma = _inverse(grid, density, rng.uniform(size=draws))
    p = xx / sigma[:, None, None] ** 2 + np.diag(precision)
    mean = np.linalg.solve(p, (xy / sigma[:, None] ** 2 + precision * mu)[..., None])[..., 0]
    root = np.linalg.cholesky(p)
    noise = np.linalg.solve(np.swapaxes(root, -1, -2), rng.standard_normal((draws, len(terms), 1)))[..., 0]
    return mean + noise, sigma


def _log_density(
    log_sigma: Array, sums: tuple[Array, Array, float], mu: Array, precision: Array, prior: Prior, n: int
) -> Array:
    """Return the log-density of log sigma, up to a constant."""
    xx, xy, yy = sums
    sigma = np.exp(log_sigma)
    p = xx / sigma[:, None, None] ** 2 + np.diag(precision)
    right = xy / sigma[:, None] ** 2 + precision * mu
    mean = np.linalg.solve(p, right[..., None])[..., 0]
    fit = yy / sigma**2 + mu @ (precision * mu) - (mean * right).sum(axis=1)
    half_log_det = 0.5 * np.linalg.slogdet(p)[1]
    density: Array = prior.log_density(sigma) + log_sigma - n * log_sigma - half_log_det - 0.5 * fit
    return density


def _tabulated(
    sums: tuple[Array, Array, float], mu: Array, precision: Array, prior: Prior, moments: Moments, equation: Equation
) -> tuple[Array, Array]:
    """Return a grid of log sigma around the mode, and the density there."""
    xx, xy, yy = sums
    n, flat = moments.n, int((precision == 0).sum())
    eigenvalues = np.linalg.eigvalsh(xx / np.sqrt(np.outer(np.diag(xx), np.diag(xx))))
    if (flat and eigenvalues[0] < 1e-10) or n <= flat + 1:
        reason = "priors without an integral need more patients than coefficients, and no collinear variables"
        raise SurveyError(f"equation {equation.response!r} from moments", [reason])
    residual = yy - float(xy @ np.linalg.lstsq(xx, xy, rcond=None)[0])
    spread = moments.sd[moments.names.index(equation.response)]
    if residual < -1e-8 * yy:
        reason = "no data can have these correlations (the matrix is not positive definite); check the table"
        raise SurveyError(f"equation {equation.response!r} from moments", [reason])
    middle = 0.5 * np.log(max(residual, 1e-12 * (n - 1) * spread**2) / max(n - len(xy), 1))
    coarse = np.linspace(middle - 10.0, middle + 10.0, 2001)
    values = _log_density(coarse, sums, mu, precision, prior, n)
    mode = float(coarse[int(np.argmax(values))])
    inside = coarse[values > values.max() - 0.5 * _WIDE**2]
    low, high = min(float(inside.min()), mode - 0.02), max(float(inside.max()), mode + 0.02)
    grid = np.linspace(low, high, _GRID)
    values = _log_density(grid, sums, mu, precision, prior, n)
    return grid, np.exp(values - values.max())


def _inverse(grid: Array, density: Array, u: Array) -> Array:
    """Return sigma at the quantiles ``u`` of a density of log sigma that is linear between the points of a grid."""
    step = float(grid[1] - grid[0])
    area = np.concatenate([[0.0], np.cumsum(0.5 * step * (density[1:] + density[:-1]))])
    target = u * area[-1]
    cell = np.clip(np.searchsorted(area, target, side="right") - 1, 0, len(grid) - 2)
    slope = (density[cell + 1] - density[cell]) / step
    left = target - area[cell]
    # density t + slope t^2 / 2 = left, in the form that has no difference of near numbers
    root = np.sqrt(np.maximum(density[cell] ** 2 + 2.0 * slope * left, 0.0))
    moved = 2.0 * left / np.maximum(density[cell] + root, 1e-300)
    sigma: Array = np.exp(grid[cell] + np.minimum(moved, step))
    return sigma
