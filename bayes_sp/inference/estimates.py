r"""Maximum-likelihood estimates of a specification's equations, with standard errors from the observed information.

Each equation is fitted to the records without missing cells, each record once; equations that share true values
measured with error are fitted together. With the log-likelihood l(theta) in the parameters theta of Newton's method and
the natural ones g(theta), as a posterior has them,

.. math:: \mathrm{Cov} = J \, (-\partial^2 l / \partial\theta^2)^{-1} J', \qquad J = \partial g / \partial \theta,

which at the maximum is the inverse of the negative Hessian in the natural parameters. Where the maximum lies at
infinity, the parameters that do not go there keep the estimates and errors that they have in the limit.

References
----------
Efron & Hinkley (1978). Biometrika 65, 457-483. doi:10.1093/biomet/65.3.457
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from bayes_sp.arrays import Array, least_squares
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap import boundary as at
from bayes_sp.inference.bootstrap.available import MOST_STEPS, complete_design
from bayes_sp.inference.bootstrap.equation_fits import boundaries_of, fit_with_steps
from bayes_sp.inference.likelihood.equations import as_draws, regressions
from bayes_sp.inference.likelihood.latent import NO_MAXIMUM, Together, apart, together
from bayes_sp.inference.likelihood.latent_edge import closed_form
from bayes_sp.inference.likelihood.maximum import Fits, Regression, determined
from bayes_sp.inference.likelihood.normal_equations import Flags
from bayes_sp.inference.likelihood.predictors import Predictors
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import RESIDUAL_CORRELATION
from bayes_sp.records.survey import Survey

SMALL_STEP = 1e-4  # of a standardised parameter or a logarithm, for J
FLAT = 1e-10  # share of a parameter's information below which the others determine it
FAR, FAR_SHARED = 15.0, 7.0  # how far towards infinity: factors of e of rates, and of a shared parameter
MOVES = 0.01  # of a standard error, in one unit of the direction: such a parameter goes to infinity
CORRECTIONS = 4
Pair = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Maximum-likelihood estimates of every equation that has them."""

    # (response, posterior variable) -> estimates and standard errors of its elements, in the posterior's order; NaN
    # where there is none. Equations without a fit are left out.
    values: Mapping[tuple[str, str], Pair]
    patients: int  # records that the fits rest on; 0 for no fit
    notes: tuple[str, ...]  # what is missing and why, in sentences


def maximum_likelihood(model: PathModel, survey: Survey, design: Design) -> Estimates:
    """Fit every equation of a specification by maximum likelihood, with standard errors.

    Records with a missing cell are left out; ``design`` is of all records, as the posterior sees them: the error of
    measurement is theirs.
    """
    reasons = unavailable(model)
    notes = [f"no maximum-likelihood fit of {response}: {reason}" for response, reason in reasons.items()]
    if len(reasons) == len(model.equations):
        return Estimates({}, 0, tuple(notes))
    used, note = design, ""
    if not design.complete:
        try:
            used, note = complete_design(model, survey)
        except SurveyError as error:
            return Estimates({}, 0, (f"no maximum-likelihood fit: {'; '.join(error.problems)}",))
        used = replace(used, measurement_sd=design.measurement_sd)
    notes += [f"maximum likelihood {note}, the posterior all of them"] if note else []
    data = tuple(_written(regression) for regression in regressions(model, used))
    found: dict[tuple[str, str], Pair] = {}
    for block, numbers in together(model, data, used):
        if all(model.equations[j].response not in reasons for j in numbers):
            found |= _block_estimates(model, block, numbers, notes)
    if model.correlated and not set(model.correlated) & set(reasons):
        found[model.correlated[-1], RESIDUAL_CORRELATION] = _correlations(model, used)
    return Estimates(found, used.n, tuple(notes))


def _correlations(model: PathModel, design: Design) -> Pair:
    """Return the correlations of least-squares residuals, and (1 - r^2) / sqrt(n), their error for normal ones."""
    columns = [equation_matrix(model, design, j) for j in range(len(model.correlated))]
    errors = [y - x @ least_squares(x, y) for x, y in zip(columns, design.y.T, strict=False)]
    r = np.corrcoef(errors)[np.tril_indices(len(errors), -1)]
    return r, (1.0 - r**2) / np.sqrt(design.n)


def unavailable(model: PathModel) -> dict[str, str]:
    """Return the equations, by response, that have no maximum-likelihood fit here, and why."""
    measured = [e.response for e in model.equations if FAMILIES[e.family].latent]
    found: dict[str, str] = {}
    for equation in model.equations:
        response = equation.response
        steps = sum(model.coding(name).levels - 1 for name in equation.monotonic)
        acting = [u.name for u in model.confounders if dict(u.strengths).get(response, 0.0) != 0.0]
        if FAMILIES[equation.family].kernel is None:
            found[response] = f'the family "{equation.family}" has no derivatives for it'
        elif acting:
            found[response] = f"the unmeasured {', '.join(acting)} has no place in it"
        elif equation.varying:
            found[response] = "intercepts by group have no place in it"
        elif len(measured) > 1 and {response, *equation.parents} & set(measured):
            found[response] = f"more than one response measured with error ({', '.join(measured)})"
        elif set(equation.monotonic) & set(measured):
            found[response] = "a monotonic effect of a response measured with error"
        elif steps > MOST_STEPS:
            found[response] = f"monotonic effects with {steps} steps, more than {MOST_STEPS}"
    if len(measured) == 1:  # fitted together with the equations that see the true value
        shared = [e.response for e in model.equations if measured[0] in (e.response, *e.parents)]
        if first := next((response for response in shared if response in found), ""):
            why = f"it is fitted together with {first}, which has none"
            found |= {response: why for response in shared if response not in found}
    return {e.response: found[e.response] for e in model.equations if e.response in found}


class Written(Regression):
    r"""A regression with derivatives written out in NumPy: one fit to all records needs no compiled code.

    They are by the linear predictor eta and t, :math:`t = \log\sigma` or :math:`\log\phi`, and exact.
    """

    def at_rows(self, y: Array, w: Array, eta: Array, zeta: Array, theta: Array) -> tuple[Array, Array, Array]:
        """Return each row's weighted log-likelihood and derivatives, as `Regression.at_rows`."""
        derivatives = FAMILIES[self.family].derivatives
        if derivatives is None:
            raise ValueError(f'the derivatives of the family "{self.family}" are not written out')
        value, first, second = derivatives(y, eta, theta[:, -1:])
        ones = [np.broadcast_to(each, eta.shape) for each in first]
        twos = [[np.broadcast_to(each, eta.shape) for each in row] for row in second]
        return w * value, w * np.stack(ones), w * np.array(twos)


def _written(regression: Regression) -> Regression:
    """Return a regression whose derivatives are at hand without compiled code, where they are."""
    if FAMILIES[regression.family].derivatives is None:
        return regression
    written = Written(**{field.name: getattr(regression, field.name) for field in fields(Regression)})
    return replace(written, start=_least_squares_start(written))


def _least_squares_start(data: Regression) -> Array:
    """Return starting values, (P,): of normal responses least squares, which is where the maximum lies."""
    family = FAMILIES[data.family]
    if not family.gaussian or family.latent:
        return data.start
    (part,) = data.parts
    y = family.to_link(data.y) - part.offset
    beta = least_squares(part.x, y)
    rms = float(np.sqrt(np.mean((y - part.x @ beta) ** 2)))
    return np.array([*beta, np.log(rms) if rms > 0 else data.start[-1]])


def _block_estimates(
    model: PathModel, block: Regression | Together, numbers: Sequence[int], notes: list[str]
) -> dict[tuple[str, str], Pair]:
    """Fit what is fitted at once; reasons go to the notes."""
    names = ", ".join(model.equations[j].response for j in numbers)
    fits, keep = _fitted(block)
    if fits.reason[0]:
        why = NO_MAXIMUM if isinstance(block, Together) else fits.reason[0]
        notes.append(f"no maximum-likelihood fit of {names}: {why}")
        return {}
    members = [(j, *member) for j, member in zip(numbers, block.members, strict=True)]
    bits = [boundaries_of(regression, apart(fits, place), keep[:, place]) for _, regression, place in members]
    edge = int(np.bitwise_or.reduce([each[0] for each in bits]))
    whole = fits.direction.any() and (isinstance(block, Together) or edge & at.NO_ERROR)
    if edge:
        words = "; ".join(words for words, _ in at.counted(np.array([edge])))
        beyond = "nothing of it is estimated" if whole else "what has no finite value or no regular error is left empty"
        notes.append(f"the maximum likelihood of {names} lies on a boundary ({words}): {beyond}")
    if whole:
        return {}
    theta, covariance = _limit(block, fits)
    if covariance is None:
        notes.append(f"no standard errors of {names}: the likelihood has no curvature at its maximum")
        covariance = np.full((len(theta), len(theta)), np.nan)
    found: dict[tuple[str, str], Pair] = {}
    for j, regression, place in members:
        own = apart(fits, place)
        found |= _natural(model, j, regression, theta[place], covariance[place, place], own, keep[0, place])
    return found


def _fitted(block: Regression | Together) -> tuple[Fits, Flags]:
    """Fit to every record once; which coefficients the records determine, (1, P)."""
    start = None
    if isinstance(block, Together):
        start = np.concatenate([_fitted(regression)[0].theta[0] for regression, _ in block.members])
        start = np.where(np.isfinite(start), start, block.beginning)
    everyone = np.ones((1, len(block.members[0][0].y)))
    keep = np.concatenate([determined(regression, everyone) for regression, _ in block.members], axis=1)
    fits = fit_with_steps(block, everyone, keep, start)
    if isinstance(block, Together):
        closed_form(block, everyone, fits)
    return fits, keep


def _limit(block: Regression | Together, fits: Fits) -> tuple[Array, Array | None]:
    """Return parameters, (P,), and their covariance, (P, P); in the limit where the maximum lies at infinity.

    There one of the parameters that go to infinity is held far out, and the others climb to their maximum given it.
    """
    theta, direction, free = fits.theta[0].copy(), fits.direction[0], fits.kept[0].copy()
    if not direction.any():
        return theta, _inverse(_information(block, theta), free)
    if isinstance(block, Regression) and not block.ordered:
        linear = block.places[len(block.parts) - 1].stop
        shared = float(np.abs(direction[linear:]).max(initial=0.0))
        theta += min(FAR, FAR_SHARED / shared if shared else FAR) * direction
    free[int(np.abs(direction).argmax())] = False
    best = theta
    for _ in range(CORRECTIONS):
        covariance = _inverse(_information(block, best), free)
        if covariance is None:
            return theta, None
        _, first, _ = block.derivatives(best[None], np.ones((1, _patients(block))))
        best = best + covariance @ block.score(first)[0]
    return (best, covariance) if np.isfinite(best).all() else (theta, None)


def _patients(block: Predictors) -> int:
    """Return the number of patients of a likelihood."""
    return len(block.columns[0])


def _information(block: Predictors, theta: Array) -> Array:
    """Return the negative second derivatives of the log-likelihood, (P, P)."""
    _, _, second = block.derivatives(theta[None], np.ones((1, _patients(block))))
    return np.asarray(block.curvature(lambda k, m: -second[k, m], 1)[..., 0])


def _inverse(information: Array, free: Flags) -> Array | None:
    """Invert the information on the free parameters, 0 for the others; None where it is not that of a maximum."""
    own = information[np.ix_(free, free)]
    diagonal = np.diag(own)
    if not (np.isfinite(own).all() and (diagonal > 0).all()):
        return None
    unit = 1.0 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(own * unit[:, None] * unit)
    if values.min(initial=1.0) <= FLAT:
        return None
    found = np.zeros(information.shape)
    found[np.ix_(free, free)] = (vectors / values) @ vectors.T * unit[:, None] * unit
    return found


def _natural(
    model: PathModel, j: int, regression: Regression, theta: Array, covariance: Array, fits: Fits, keep: Flags
) -> dict[tuple[str, str], Pair]:
    """Return an equation's estimates and standard errors by posterior variable, NaN for what is infinite."""
    equation, count = model.equations[j], len(theta)
    alone = replace(model, equations=(equation,))
    near = SMALL_STEP * np.eye(count)
    sets = np.concatenate([theta[None], theta + near, theta - near, (theta + fits.direction[0])[None]])
    draws = as_draws(alone, [regression], [sets])
    found: dict[tuple[str, str], Pair] = {}
    for name, array in draws.data_vars.items():
        g = array.to_numpy()[0]
        slopes = (g[1 : count + 1] - g[count + 1 : -1]) / (2.0 * SMALL_STEP)
        errors = np.sqrt(np.einsum("pk,pq,qk->k", slopes, covariance, slopes))
        values = g[0].copy()
        moving = fits.direction.any() & ~(np.abs(g[-1] - g[0]) <= MOVES * errors)
        values[moving], errors[moving] = np.nan, np.nan
        found[equation.response, str(name)] = values, errors
    _without_errors(model, j, regression, keep & ~fits.kept[0], found)
    return found


def _without_errors(
    model: PathModel, j: int, regression: Regression, zero: Flags, found: dict[tuple[str, str], Pair]
) -> None:
    """Take away the standard errors of monotonic effects with steps of 0, which have no regular ones."""
    equation = model.equations[j]
    response, terms = equation.response, model.terms(equation)
    for name, steps in zip(equation.monotonic, regression.steps, strict=True):
        if zero[steps].any():
            found[response, response][1][terms.index(name)] = np.nan
            found[response, f"{response}_{name}_simplex"][1][:] = np.nan
