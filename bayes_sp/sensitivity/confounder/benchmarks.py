"""How strong the measured covariates are, and how much is left unexplained: what a confounder is measured against."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.names import BENCHMARK_COLUMNS

ROOM = 0.8  # share of the unexplained SD that a confounder is given, so that something is left to the response itself
MANY_TIMES = 4.0  # the strongest covariate, where no unexplained SD bounds a confounder


def benchmark_strengths(fit: Conditioned, *, ci_prob: float = CI_PROB) -> pd.DataFrame:
    r"""Return how strongly each covariate goes with each response, on the scale of the response's linear predictor.

    .. math:: E_{\text{posterior}} \operatorname{SD}_i\Bigl(\sum_l \gamma_l w_{il}\Bigr),

    the SD over patients of what the covariate contributes, over all of its columns: for a covariate with one column
    :math:`E|\gamma|` times the column's SD. An unmeasured confounder has SD 1, so that its strengths are on the same
    scale. The mean of an absolute value is above 0 even where there is no effect: a weak covariate looks stronger than
    it is, by at most about 0.8 posterior SDs of its contribution, which the interval shows.

    Parameters
    ----------
    fit
        A posterior with its specification and records.
    ci_prob
        Probability of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        ``covariate, response, link, strength, lower, upper, ci_kind, ci_prob``; one row for each covariate of each
        equation (of its count part where it has a zero part). Missing cells are left out of the SDs.

    References
    ----------
    Imbens (2003), American Economic Review 93(2), 126-132. doi:10.1257/000282803321946921
    Cinelli & Hazlett (2020), JRSS B 82, 39-67. doi:10.1111/rssb.12348
    """
    fit = fit.first
    model, design = fit.model, design_arrays(fit.model, fit.survey)
    posterior = fit.posterior["posterior"].to_dataset()
    tail = (1.0 - ci_prob) / 2.0
    rows = []
    for equation in model.equations:
        link = FAMILIES[equation.family].link
        for covariate in model.covariates_of(equation):
            draws = _contribution(posterior, design, equation, covariate.terms)
            lower, upper = np.quantile(draws, [tail, 1.0 - tail])
            numbers = (float(draws.mean()), float(lower), float(upper))
            rows.append((covariate.name, equation.response, link, *numbers, CI_KIND, ci_prob))
    return pd.DataFrame(rows, columns=list(BENCHMARK_COLUMNS))


def _contribution(posterior: xr.Dataset, design: Design, equation: Equation, terms: tuple[str, ...]) -> Array:
    """Draws of the SD over patients of what some columns contribute, (chain * draw,)."""
    columns = design.w[:, [design.covariate_terms.index(term) for term in terms]]
    columns = columns[np.isfinite(columns).all(axis=1)]
    spread = np.cov(columns, rowvar=False).reshape(len(terms), len(terms))
    coefficients = posterior[equation.response].sel({f"{equation.response}_term": list(terms)})
    gamma = coefficients.transpose("chain", "draw", ...).to_numpy().reshape(-1, len(terms))
    return np.sqrt(np.einsum("sl,lm,sm->s", gamma, spread, gamma))


def unexplained_sd(model: PathModel, posterior: xr.Dataset, response: str) -> float | None:
    r"""Return how much of a response its equation leaves unexplained, as an SD on the linear predictor's scale.

    A confounder is part of it, so that its strength cannot be larger. With U of strength s:

    - normal, latent normal and lognormal: sigma of the model without U is :math:`\sqrt{s^2 + \sigma^2}`; Student t
      likewise, nearly, for the scale.
    - negative binomial and gamma, with shape r: the squared coefficient of variation beyond Poisson is 1/r without U
      and :math:`e^{s^2}(1 + 1/r') - 1 \ge e^{s^2} - 1` with it, so that :math:`s \le \sqrt{\log(1 + 1/r)}`.
    - logit and probit links: no bound, because the link fixes the scale; :math:`\pi/\sqrt 3` and 1, the SDs of their
      latent errors, say what is much.

    Returns the posterior mean; None where the family says nothing (Poisson, beta).
    """
    equation = next(equation for equation in model.equations if equation.response == response)
    family = FAMILIES[equation.family]
    if "sigma" in family.parameters:
        return float(_parameter(posterior, "sigma", response).mean())
    for name in ("phi", "shape"):
        if name in family.parameters:
            return float(np.sqrt(np.log1p(1.0 / _parameter(posterior, name, response))).mean())
    return family.latent_sd


def _parameter(posterior: xr.Dataset, name: str, response: str) -> Array:
    return posterior[name].sel({f"{name}_response": response}).to_numpy()


def greatest_strength(model: PathModel, posterior: xr.Dataset, benchmarks: pd.DataFrame, response: str) -> float:
    """Return the strength up to which a confounder of a response is tried, on the linear predictor's scale.

    0.8 times what is unexplained; four times the strongest covariate, or 1 without covariates, where nothing bounds it.
    """
    unexplained = unexplained_sd(model, posterior, response)
    if unexplained is not None:
        return ROOM * unexplained
    strengths = benchmarks.loc[benchmarks["response"] == response, "strength"]
    return MANY_TIMES * float(strengths.max()) if len(strengths) else 1.0
