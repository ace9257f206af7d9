"""Posterior draws -> draws of every effect, labelled, and their table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.effects.formulas import Array, ChainCoefficients, enumerate_paths, path_products
from bayes_sp.effects.shapley import identity_link_effects, log_link_effects, with_totals
from bayes_sp.effects.summary import CI_PROB, convergence, summarise
from bayes_sp.names import (
    ALONE,
    AVERAGE,
    COEFFICIENT,
    DIFFERENCE,
    EFFECT_COLUMNS,
    RATE_RATIO,
    TOTAL,
    TOTAL_INDIRECT,
    path_name,
)
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Design

SCALES = {"identity": (COEFFICIENT, DIFFERENCE), "log": (COEFFICIENT, RATE_RATIO, DIFFERENCE)}


@dataclass(frozen=True, eq=False)
class Effects:
    """Draws of every path effect.

    Attributes
    ----------
    draws
        Dataset with variables ``alone`` (this path switched alone) and ``average`` (over all orders of switching, so
        that the paths add up to the total), each with dims (chain, draw, path, scale). Scales: ``coefficient``
        (product of coefficients, per unit of exposure), ``rate_ratio`` (log link only) and ``difference`` (in
        ``unit``), the last two for the contrast.
    contrast
        Exposure values (u0, u1).
    kappa
        Correlation of one mediator's errors in two different worlds; not identified by any data.
    unit
        Unit of differences.
    mark
        What the records are.
    """

    draws: xr.Dataset
    contrast: tuple[float, float]
    kappa: float
    unit: str
    mark: str

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each path, scale and decomposition, with equal-tailed intervals and convergence.

        ``prob_negative`` is P(effect < 0): for a rate ratio the probability that it is below 1.
        ``decomposition`` is empty where alone and average are the same by definition: products of coefficients, the
        total, and every effect under an identity link.
        """
        return self.intervals(ci_prob).join(self._convergence)[list(EFFECT_COLUMNS)]

    def intervals(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return the table without the columns on convergence, which take longer than all the others."""
        labels, values = self._columns
        table = summarise(values, ci_prob)
        table[["path", "scale", "decomposition", "kappa"]] = pd.DataFrame(labels)
        ratios = table["scale"] == RATE_RATIO
        table.loc[ratios, "prob_negative"] = (values < 1).mean(axis=(0, 1))[ratios]
        return table

    @cached_property
    def _convergence(self) -> pd.DataFrame:
        """R-hat, ESS and MCSE of the table's rows."""
        return convergence(self._columns[1])

    @cached_property
    def _columns(self) -> tuple[list[tuple[str, str, str, float]], Array]:
        """(path, scale, decomposition, kappa) of each row of the table, and their draws (chain, draw, row)."""
        labels, columns = [], []
        draws = {name: self._values(name) for name in (ALONE, AVERAGE)}
        has_order = RATE_RATIO in self.draws["scale"]
        for i, path in enumerate(self.draws["path"].to_numpy()):
            for j, scale in enumerate(self.draws["scale"].to_numpy()):
                both = has_order and scale != COEFFICIENT and path != TOTAL
                for decomposition in (ALONE, AVERAGE) if both else (ALONE,):
                    labels.append((str(path), str(scale), decomposition if both else "", self.kappa))
                    columns.append(draws[decomposition][..., i, j])
        return labels, np.stack(columns, axis=-1)

    def quantities(self) -> dict[str, Array]:
        """Return the draws (chain, draw) of every distinct effect by name, for diagnostics."""
        draws = self._values(AVERAGE)
        return {
            f"{path} [{scale}]": draws[..., i, j]
            for i, path in enumerate(self.draws["path"].to_numpy())
            for j, scale in enumerate(self.draws["scale"].to_numpy())
        }

    def _values(self, decomposition: str) -> Array:
        """Draws of one decomposition, (chain, draw, path, scale)."""
        return self.draws[decomposition].transpose("chain", "draw", "path", "scale").to_numpy()

    def _repr_html_(self) -> str:
        table = self.table()
        u0, u1 = self.contrast
        head = f"{self.mark}. Effects of moving the exposure from {u0:g} to {u1:g}; differences in {self.unit}."
        return f"<p>{escape(head)}</p>" + table.to_html(index=False, float_format=lambda value: f"{value:.3g}")


def chain_coefficients(model: PathModel, design: Design, posterior: xr.Dataset) -> ChainCoefficients:
    """Return a posterior's draws as the chain's coefficients with leading dims (chain, draw), variables uncentred.

    A parent enters its equation less a fixed centre; the intercept is moved to uncentred parents here.
    """
    lead = (posterior.sizes["chain"], posterior.sizes["draw"])
    responses, k = design.responses, len(design.mediators)
    intercept, exposure = np.zeros((*lead, k + 1)), np.zeros((*lead, k + 1))
    mediators = np.zeros((*lead, k + 1, k))
    covariates = np.zeros((*lead, k + 1, len(design.covariate_terms)))
    for j, equation in enumerate(model.equations):
        beta = posterior[responses[j]].to_numpy()
        slopes = dict(zip(model.terms(equation), np.moveaxis(beta, -1, 0), strict=True))
        centred = sum(slopes[name] * model.variable(name).center for name in equation.parents)
        intercept[..., j] = slopes["intercept"] - centred
        exposure[..., j] = slopes.get(design.exposure, 0.0)
        for i, name in enumerate(design.mediators):
            mediators[..., j, i] = slopes.get(name, 0.0)
        for i, term in enumerate(design.covariate_terms):
            covariates[..., j, i] = slopes[term]
    sigma = posterior["sigma"].sel(sigma_response=list(design.mediators)).to_numpy()
    return ChainCoefficients(intercept, exposure, mediators, covariates, sigma**2)


def compute_effects(
    model: PathModel, design: Design, posterior: xr.Dataset, *, kappa: float = 1.0, mark: str = ""
) -> Effects:
    """Compute every path effect for every draw.

    Parameters
    ----------
    model, design
        The specification and the arrays that the draws were conditioned on; effects are standardised over its
        patients' covariates.
    posterior
        Draws (chain, draw, ...) as `sample_posterior` names them.
    kappa
        Correlation of the cross-world errors of a mediator, 0 to 1.
    mark
        What the records are, kept with the result.

    Returns
    -------
    Effects

    Raises
    ------
    ValueError
        If kappa is not in [0, 1].

    References
    ----------
    Daniel, De Stavola, Cousens & Vansteelandt (2015), Biometrics 71, 1-14. doi:10.1111/biom.12248
    """
    if not 0.0 <= kappa <= 1.0:
        raise ValueError(f"kappa is a correlation between 0 and 1, found {kappa!r}")
    paths = enumerate_paths(design.edges_exposure, design.edges_mediators)
    coefficients = chain_coefficients(model, design, posterior)
    products = with_totals(path_products(coefficients, paths), paths)
    link = model.outcome_family.link
    if link == "identity":
        difference = identity_link_effects(coefficients, paths, design.contrast)
        by_decomposition = {name: [products, difference] for name in (ALONE, AVERAGE)}
    else:
        found = log_link_effects(coefficients, paths, design.contrast, design.w, kappa=kappa)
        by_decomposition = {
            ALONE: [products, found.rate_ratio_alone, found.difference_alone],
            AVERAGE: [products, found.rate_ratio_average, found.difference_average],
        }
    names = [path_name(path) for path in model.named_paths()]
    draws = xr.Dataset(
        {name: (("chain", "draw", "path", "scale"), np.stack(v, axis=-1)) for name, v in by_decomposition.items()},
        coords={
            "chain": posterior["chain"].to_numpy(),
            "draw": posterior["draw"].to_numpy(),
            "path": [*names, TOTAL_INDIRECT, TOTAL],
            "scale": list(SCALES[link]),
        },
        attrs={"kappa": kappa, "contrast": list(design.contrast), "data_source": mark},
    )
    return Effects(draws, design.contrast, kappa, model.variable(model.outcome).unit or model.outcome, mark)
