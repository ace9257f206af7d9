"""Posterior draws -> draws of every effect, labelled, and their table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.chain import Baselines, Linear
from bayes_sp.effects.formulas import Path, path_products
from bayes_sp.effects.means.nodes import LEAST_NODES, Rule
from bayes_sp.effects.means.worlds import from_cells
from bayes_sp.effects.problem import Problem, Quadrature, choose_nodes, coefficients_of, make_problem
from bayes_sp.effects.shapley import effects_of_sets, identity_link_effects, log_link_effects, with_totals
from bayes_sp.effects.summary import CI_PROB, converged, summarise
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import (
    ALONE,
    AVERAGE,
    COEFFICIENT,
    COMPARED,
    DIFFERENCE,
    EFFECT_COLUMNS,
    RATE_RATIO,
    RISK_RATIO,
    TOTAL,
    TOTAL_INDIRECT,
    is_total,
)
from bayes_sp.shown import Part, Shown, short

SHOWN = ("path", "scale", "median", "lower", "upper", "prob_negative")
RATIOS = (RATE_RATIO, RISK_RATIO)


@dataclass(frozen=True, eq=False, repr=False)
class Effects(Shown):
    """Draws of every path effect.

    Attributes
    ----------
    draws
        Dataset with variables ``alone`` (this path switched alone) and ``average`` (over all orders of switching, so
        that the paths add up to the total), each with dims (chain, draw, path, scale). Scales: ``coefficient``
        (product of coefficients, per unit of exposure; of the count part where there is a zero part; left out unless
        all mediators are on an identity link, enter linearly and do not interact with the exposure, because a product
        across unlike links mixes scales), ``rate_ratio`` (positive outcomes) or ``risk_ratio`` (binary ones), and
        ``difference`` (in ``unit``), the last two for the contrast. Attributes ``quadrature_nodes`` and
        ``quadrature_error`` where means are integrated numerically (see `choose_nodes`), and ``patients_in_cells``
        where they are means over cells of very many patients (`means.cells`).
    contrast
        Exposure values (u0, u1).
    kappa
        Correlation of one mediator's errors in two different worlds; not identified by any data.
    unit
        Unit of differences.
    mark
        What the records are.
    ordered
        Whether effects depend on the order in which paths are switched.
    """

    draws: xr.Dataset
    contrast: tuple[float, float]
    kappa: float
    unit: str
    mark: str
    ordered: bool = True

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each path, scale and decomposition, with equal-tailed intervals and convergence.

        ``prob_negative`` is P(effect < 0): for a rate ratio the probability that it is below 1.
        ``decomposition`` is empty where alone and average are the same by definition: products of coefficients, the
        total, and every effect under an identity link. Of several exposures, or a category, ``exposure``, ``from`` and
        ``to`` stand first.
        """
        table = self.intervals(ci_prob).join(self._convergence)
        told = [name for name in COMPARED if name in self.draws.coords]
        for name in told:
            table[name] = self.draws[name].sel(path=table["path"].to_numpy()).to_numpy()
        return table[[*told, *EFFECT_COLUMNS]]

    def compared(self) -> list[tuple[str, str, str]]:
        """Return (name, from, to) of each effect of several moves; [] where effects are for one contrast."""
        if "from" not in self.draws.coords:
            return []
        return list(zip(*(self.draws[name].to_numpy() for name in ("path", "from", "to")), strict=True))

    def intervals(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return the table without the columns on convergence, which take longer than all the others."""
        labels, values = self._columns
        table = summarise(values, ci_prob)
        table[["path", "scale", "decomposition", "kappa"]] = pd.DataFrame(labels)
        ratios = table["scale"].isin(RATIOS)
        table.loc[ratios, "prob_negative"] = (values < 1).mean(axis=(0, 1))[ratios]
        return table

    @cached_property
    def _convergence(self) -> pd.DataFrame:
        """R-hat, ESS and MCSE of the table's rows."""
        return converged(self._columns[1], self.draws)

    @cached_property
    def _columns(self) -> tuple[list[tuple[str, str, str, float]], Array]:
        """(path, scale, decomposition, kappa) of each row of the table, and their draws (chain, draw, row)."""
        labels, columns = [], []
        draws = {name: self._values(name) for name in (ALONE, AVERAGE)}
        for i, path in enumerate(self.draws["path"].to_numpy()):
            for j, scale in enumerate(self.draws["scale"].to_numpy()):
                both = self.ordered and scale != COEFFICIENT and not is_total(str(path))
                for decomposition in (ALONE, AVERAGE) if both else (ALONE,):
                    labels.append((str(path), str(scale), decomposition if both else "", self.kappa))
                    columns.append(draws[decomposition][..., i, j])
        return labels, np.stack(columns, axis=-1)

    def columns(self) -> Array:
        """Return the draws behind the table's rows, (chain, draw, row)."""
        return self._columns[1]

    def quantities(self) -> dict[str, Array]:
        """Return the draws (chain, draw) of every distinct effect by name, for diagnostics."""
        draws = self._values(AVERAGE)
        return {
            f"{path} [{scale}]": draws[..., i, j]
            for i, path in enumerate(self.draws["path"].to_numpy())
            for j, scale in enumerate(self.draws["scale"].to_numpy())
        }

    def average_draws(self) -> Array:
        """Return the draws averaged over the orders of switching, (chain, draw, path, scale)."""
        return self._values(AVERAGE)

    def _values(self, decomposition: str) -> Array:
        """Draws of one decomposition, (chain, draw, path, scale)."""
        return self.draws[decomposition].transpose("chain", "draw", "path", "scale").to_numpy()

    @property
    def moved(self) -> str:
        """What effects compare, in words."""
        u0, u1 = self.contrast
        return "what stands in brackets" if self.compared() else f"moving the exposure from {u0:g} to {u1:g}"

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. Effects of {self.moved}; differences in {self.unit}."
        table = self.intervals()
        table = table[table["decomposition"] != ALONE]
        orders = (
            f"Averaged over the orders in which paths can be counted, with kappa {self.kappa:g}."
            if self.ordered
            else ""
        )
        return head, [*([orders] if orders else []), short(table, SHOWN, rows=len(table))]


def compute_effects(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    *,
    kappa: float = 1.0,
    mark: str = "",
    baselines: Baselines | None = None,
) -> Effects:
    """Compute every path effect for every draw, exactly given the draw: no Monte Carlo error.

    Means over patients of E Y(u_D, M1(u_1), M2(u_2, M1(u_3))) in every world (`world_means`), then each path switched
    alone and averaged over all orders of switching (`effects_of_sets`). Observation windows (offsets) are not in
    effects, which are for the reference window. Patients are all those of the survey, non-responders (whose outcome is
    missing) included; the equation of a missing response is shifted there as the specification says
    (`linear_baselines`).

    ``posterior`` has draws as `sample_posterior` names them, and effects are standardised over the design's covariates.
    ``kappa`` couples a mediator in two different worlds, 0 to 1: the correlation of a normal mediator's errors, the
    weight of equal ranks against independent ranks for one with levels (`world_means`). ``baselines`` are patients'
    linear predictors without exposure and mediators, None for those of the design; for covariates with missing cells
    ``linear_baselines(model, design, posterior, columns)``. ``mark`` says what the records are.

    Raises ValueError if kappa is not in [0, 1], or for a chain without effects (`world_means`); SurveyError if
    covariates have missing cells and no baselines are given.

    Daniel, De Stavola, Cousens & Vansteelandt (2015), Biometrics 71, 1-14. doi:10.1111/biom.12248
    """
    if model.moves:
        raise ValueError("effects of a specification with several moves are computed for one of its views at a time")
    return effects_of(make_problem(model, design, posterior, baselines), model.outcome_unit, kappa=kappa, mark=mark)


def effects_of(problem: Problem, unit: str, *, kappa: float = 1.0, mark: str = "") -> Effects:
    """Return what `compute_effects` does, of a posterior that is read already; ``unit`` is the outcome's."""
    check_kappa(kappa)
    quadrature = Quadrature()
    if isinstance(problem.baselines, Linear) and _is_published_form(problem):
        by_scale, ordered = _closed_effects(problem, problem.baselines, kappa)
    else:
        by_scale, quadrature = general_effects(problem, kappa)
        ordered = not _is_linear(problem)
    cells = {"patients_in_cells": 1} if from_cells(problem.chain, problem.baselines) else {}
    draws = xr.Dataset(
        {name: (("chain", "draw", "path", "scale"), np.stack(v, axis=-1)) for name, v in by_scale.items()},
        coords={**problem.places, "path": [*problem.names, TOTAL_INDIRECT, TOTAL], "scale": list(problem.scales)},
        attrs={"kappa": kappa, "contrast": list(problem.contrast), "data_source": mark} | quadrature.attrs | cells,
    )
    return Effects(draws, problem.contrast, kappa, unit, mark, ordered)


def check_kappa(kappa: float) -> None:
    """Raise ValueError unless 0 <= kappa <= 1."""
    if not 0.0 <= kappa <= 1.0:
        raise ValueError(f"kappa is a correlation between 0 and 1, found {kappa!r}")


def general_effects(
    problem: Problem, kappa: float, quadrature: Quadrature | None = None
) -> tuple[dict[str, list[Array]], Quadrature]:
    """Return draws (chain, draw, path) by decomposition for each scale of a problem, from the means of every world."""
    worlds = problem.sets()
    found = choose_nodes(problem, worlds, Rule(kappa)) if quadrature is None else quadrature
    means = problem.means(worlds, Rule(kappa, found.nodes or LEAST_NODES))
    effects = effects_of_sets(means.values, problem.paths, logarithmic=means.logarithmic)
    unit = problem.chain.outcome.unit
    alone = {DIFFERENCE: unit * effects.difference_alone, problem.chain.outcome.ratio: effects.rate_ratio_alone}
    average = {DIFFERENCE: unit * effects.difference_average, problem.chain.outcome.ratio: effects.rate_ratio_average}
    if COEFFICIENT in problem.scales:
        products = np.stack([_product(problem, path) for path in problem.paths], axis=-1)
        alone[COEFFICIENT] = average[COEFFICIENT] = with_totals(products, problem.paths)
    by_scale = {
        name: [problem.labelled(values[scale]) for scale in problem.scales]
        for name, values in ((ALONE, alone), (AVERAGE, average))
    }
    return by_scale, found


def _product(problem: Problem, path: Path) -> Array:
    """Product of the coefficients along a path, (S,)."""
    nodes = (*path, len(problem.chain.mediators))
    product = problem.chain.exposure[:, nodes[0]]
    for k, j in pairwise(nodes):
        product = product * problem.chain.slopes[:, j, k]
    return product


def _is_published_form(problem: Problem) -> bool:
    """Whether `formulas` covers the chain: normal mediators, a linear or exponential mean, one slope for every world.

    Interactions are covered where the outcome's mean is exponential and they stand in its equation.
    """
    chain = problem.chain
    inner = chain.interactions[:, : len(chain.mediators)].any()
    linear = chain.outcome.linear and not chain.interactions.any()
    exponential = chain.outcome.exponential and not inner
    plain = not chain.products and chain.moderation is None and chain.rho is None
    return chain.all_normal and (linear or exponential) and plain


def _is_linear(problem: Problem) -> bool:
    """Whether each patient's outcome is linear in exposure and mediators, so that no order of switching matters."""
    chain = problem.chain
    alike = not chain.interactions.any() and not chain.products and not chain.tables
    return chain.all_normal and chain.outcome.linear and alike


def _closed_effects(problem: Problem, baselines: Linear, kappa: float) -> tuple[dict[str, list[Array]], bool]:
    """Effects by the closed forms of `formulas` and `shapley`, and whether they depend on the order."""
    coefficients, paths = coefficients_of(problem, baselines), problem.paths
    head = [with_totals(path_products(coefficients, paths), paths)] if COEFFICIENT in problem.scales else []
    if problem.chain.outcome.linear:
        difference = identity_link_effects(coefficients, paths, problem.contrast)
        return {name: [*head, difference] for name in (ALONE, AVERAGE)}, False
    found = log_link_effects(coefficients, paths, problem.contrast, baselines.w, kappa=kappa)
    return {
        ALONE: [*head, found.rate_ratio_alone, found.difference_alone],
        AVERAGE: [*head, found.rate_ratio_average, found.difference_average],
    }, True
