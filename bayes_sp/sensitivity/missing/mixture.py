r"""Effects over all patients who were asked, those who did not come back included: a pattern-mixture model.

Let R = 1 for patients who came back and R = 0 for the others. Mean potential outcomes of a world are a mixture,

.. math:: E\,Y(\text{world}) = P(R=1)\,E[Y(\text{world}) \mid R=1] + P(R=0)\,E[Y(\text{world}) \mid R=0],

each standardised over its own covariates, draw by draw; differences, ratios and the paths' shares come from the mixed
means. Under missingness at random given the covariates, those who did not come back follow the equations of those who
did. Their own likelihood terms integrate to 1 when all their answers are missing, so that they tell nothing of the
parameters: the posterior is that of the patients who came back, and only the averages are taken over more patients.
*Departures* (delta-adjustment) add constants to coefficients of the equations of those who did not come back: to an
intercept (their level differs) or to a slope (their path differs). No data can tell them; delta = 0 is missing at
random. A slope turns about the fixed centre that the specification gives its variable.

References
----------
Little (1993). Journal of the American Statistical Association 88, 125-134. doi:10.1080/01621459.1993.10594302
White, Carpenter & Horton (2018). Statistica Sinica 28, 1985-2003. doi:10.5705/ss.202016.0308
Dahabreh, Robertson, Steingrimsson, Stuart & Hernan (2020). Statistics in Medicine 39, 1999-2014. doi:10.1002/sim.8426
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from math import prod

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.arrays import Array, Codes
from bayes_sp.design.build import complete_cases, covariate_columns, design_arrays, group_codes
from bayes_sp.design.design import Design
from bayes_sp.effects.baselines import Columns, linear_baselines, with_unmeasured
from bayes_sp.effects.chain import Baselines, Batched, Chain, covariates_of
from bayes_sp.effects.means.nodes import LEAST_NODES, Rule
from bayes_sp.effects.means.worlds import Means
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.problem import Problem, Quadrature, choose_nodes, make_problem
from bayes_sp.effects.read import read_chain
from bayes_sp.effects.shapley import PathEffects, effects_of_sets
from bayes_sp.errors import SurveyError
from bayes_sp.inference.pointwise.imputed import filled_columns
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE, TOTAL, TOTAL_INDIRECT
from bayes_sp.records.nonresponders import NonResponders
from bayes_sp.sensitivity.missing.coefficient_shifts import Move, moved, split_moves
from bayes_sp.sensitivity.missing.entropy_balancing import Balance, balance

CONFOUNDER_NODES = 15  # Gauss-Hermite, for each unmeasured confounder of those who did not come back


@dataclass(frozen=True, eq=False)
class Patterns:
    """Both groups of patients, and the draws that speak of them."""

    # model, draws: specification, and the posterior given those who came back.
    model: PathModel
    draws: xr.Dataset
    # design, nonresponders: covariates of those who came back, and of the others: rows, or the same rows weighted.
    design: Design
    nonresponders: Design
    columns: Columns | None  # draws of missing covariates of those who came back; None where none are missing
    # Draws of the unmeasured confounders of those who came back; None without any. Of the others nothing is known of
    # them but their distribution, over which they are averaged.
    unmeasured: xr.Dataset | None
    shared: bool  # whether both groups have the same rows
    # Weights of those rows for the patients who did not come back, where their moments are known alone.
    balanced: Balance | None
    size: int  # how many did not come back
    kappa: float  # coupling of a mediator in two worlds

    @cached_property
    def chain(self) -> Chain:
        """The chain of those who came back."""
        return read_chain(self.model, self.draws)

    @property
    def everyone(self) -> int:
        """How many patients were asked."""
        return self.design.n + self.size

    @property
    def share(self) -> float:
        """P(R = 0), the share of those who did not come back."""
        return self.size / self.everyone

    def responders_problem(self) -> Problem:
        """Return what the effects on those who came back start from."""
        baselines = linear_baselines(self.model, self.design, self.draws, self.columns)
        if self.unmeasured is not None:
            baselines = with_unmeasured(self.model, self.draws, self.unmeasured, baselines)
        return make_problem(self.model, self.design, self.draws, baselines)

    def others_problem(self, moves: Sequence[Move] = ()) -> Problem:
        """Return what the effects on the others start from, with some of their coefficients moved."""
        draws = moved(self.model, self.draws, moves)
        columns = self.columns if self.shared else None
        baselines = linear_baselines(self.model, self.nonresponders, draws, columns)
        weights = None if self.balanced is None else self.balanced.weights
        if self.unmeasured is not None:
            baselines, weights = self._over_unmeasured(draws, baselines, weights)
        problem = make_problem(self.model, self.nonresponders, draws, baselines)
        return replace(problem, weights=weights)

    def _over_unmeasured(self, draws: xr.Dataset, known: Baselines, weights: Array | None) -> tuple[Baselines, Array]:
        """Return the others once for every node of the confounders' standard normal distribution, and weights."""
        rows = self.nonresponders.n
        nodes, share = np.polynomial.hermite_e.hermegauss(CONFOUNDER_NODES)
        count = len(self.model.confounders)
        grid = np.array(list(product(nodes, repeat=count)))
        shares = np.array([prod(chosen) for chosen in product(share / share.sum(), repeat=count)])
        dims, sizes = ("chain", "draw", "patient"), (draws.sizes["chain"], draws.sizes["draw"])
        values = {
            confounder.name: (dims, np.broadcast_to(np.repeat(column, rows), (*sizes, rows * len(grid))))
            for confounder, column in zip(self.model.confounders, grid.T, strict=True)
        }

        repeated = Batched(
            lambda start, stop: np.tile(known(start, stop), (1, 1, len(grid))),
            lambda start, stop: np.tile(covariates_of(known, start, stop), (1, len(grid), 1)),
        )
        own = np.full(rows, 1.0 / rows) if weights is None else weights
        return with_unmeasured(self.model, draws, xr.Dataset(values), repeated), np.kron(shares, own)

    def others_means(self, base: Means, moves: Sequence[Move], quadrature: Quadrature) -> Means:
        """Return mean outcomes of the others with coefficients moved, from those without (`base`)."""
        rest, added = split_moves(self.chain, self.design.responses, moves)
        means = self.means(self.others_problem(rest), quadrature) if rest else base
        if means.logarithmic or self.chain.outcome.linear:
            return Means(means.values + added, means.logarithmic)
        return Means(means.values * np.exp(added), False)

    def quadrature(self, extremes: Sequence[Sequence[Move]]) -> Quadrature:
        """Return nodes that are enough for both groups, and for the others at both ends of every range of moves."""
        problems = [self.responders_problem(), self.others_problem(), *map(self.others_problem, extremes)]
        found = [choose_nodes(problem, problem.sets(), Rule(self.kappa)) for problem in problems]
        return Quadrature(max(one.nodes for one in found), max(one.error for one in found))

    def means(self, problem: Problem, quadrature: Quadrature) -> Means:
        """Return the mean outcome of every set of switched paths, (2**P, S)."""
        return problem.means(problem.sets(), Rule(self.kappa, quadrature.nodes or LEAST_NODES))

    def mixed(self, came_back: Means, others: Means) -> Means:
        """Return mean outcomes of everyone."""
        if came_back.logarithmic:
            parts = np.log1p(-self.share) + came_back.values, np.log(self.share) + others.values
            return Means(np.logaddexp(*parts), True)
        return Means((1.0 - self.share) * came_back.values + self.share * others.values, False)


def patterns(fit: Conditioned, nonresponders: NonResponders, kappa: float) -> Patterns:
    """Return both groups of patients: those of the fit, and those who did not come back.

    The fit is that of one move, where the specification has several. Raises SurveyError for records that lack columns
    or name unknown groups, or moments that no weights reach.
    """
    model, design = fit.model, design_arrays(fit.model, fit.survey)
    draws = fit.posterior["posterior"].to_dataset()
    columns = None
    if "imputed" in fit.posterior:
        columns = partial(filled_columns, design, fit.posterior["imputed"].to_dataset())
    unmeasured = fit.posterior["unmeasured"].to_dataset() if model.confounders else None
    if nonresponders.records is None:
        records = complete_cases(model, fit.survey).records
        numbers = {
            str(name): column.to_numpy(dtype=float, na_value=np.nan)
            for name, column in records.items()
            if name not in model.grouping and pd.api.types.is_numeric_dtype(column)
        }
        weights = balance(numbers, nonresponders.moments, nonresponders.n, nonresponders.source)
        others, shared = _without_answers(design, design.w, design.groups), True
    else:
        weights, shared = None, False
        groups = _known_groups(model, design, nonresponders.records, nonresponders.source)
        rows = _with_exposures(model, nonresponders.records, nonresponders.source)
        others = _without_answers(design, covariate_columns(model, rows), groups)
    return Patterns(model, draws, design, others, columns, unmeasured, shared, weights, nonresponders.n, kappa)


def effects_of(problem: Problem, means: Means) -> PathEffects:
    """Return effects from the mean outcomes of every set of switched paths, in the outcome's unit."""
    found = effects_of_sets(means.values, problem.paths, logarithmic=means.logarithmic)
    unit = problem.chain.outcome.unit
    return replace(
        found, difference_alone=unit * found.difference_alone, difference_average=unit * found.difference_average
    )


def scales_of(problem: Problem) -> tuple[str, ...]:
    """Return the scales that effects averaged over patients have: not products of coefficients."""
    return tuple(scale for scale in problem.scales if scale != COEFFICIENT)


def labelled_effects(patterns: Patterns, problem: Problem, means: Means, quadrature: Quadrature, mark: str) -> Effects:
    """Return draws of every path effect on one group of patients, or on everyone."""
    found = effects_of(problem, means)
    by_scale = {
        ALONE: {DIFFERENCE: found.difference_alone, problem.chain.outcome.ratio: found.rate_ratio_alone},
        AVERAGE: {DIFFERENCE: found.difference_average, problem.chain.outcome.ratio: found.rate_ratio_average},
    }
    scales = scales_of(problem)
    draws = xr.Dataset(
        {
            name: (
                ("chain", "draw", "path", "scale"),
                np.stack([problem.labelled(values[scale]) for scale in scales], axis=-1),
            )
            for name, values in by_scale.items()
        },
        coords={**problem.places, "path": [*problem.names, TOTAL_INDIRECT, TOTAL], "scale": list(scales)},
        attrs={"kappa": patterns.kappa, "contrast": list(problem.contrast), "data_source": mark} | quadrature.attrs,
    )
    ordered = not (problem.chain.outcome.linear and problem.chain.all_normal)
    ordered = ordered or problem.chain.bent
    return Effects(draws, problem.contrast, patterns.kappa, patterns.model.outcome_unit, mark, ordered)


def _without_answers(design: Design, w: Array, groups: dict[str, tuple[Codes, tuple[str, ...]]]) -> Design:
    """Return a design of patients of whom only covariates and groups are known."""
    n = len(w)
    return Design(
        exposure=design.exposure,
        mediators=design.mediators,
        outcome=design.outcome,
        families=design.families,
        x=np.full(n, np.nan),
        y=np.full((n, len(design.responses)), np.nan),
        w=w,
        covariate_terms=design.covariate_terms,
        edges_exposure=design.edges_exposure,
        edges_mediators=design.edges_mediators,
        contrast=design.contrast,
        coding=design.coding,
        groups=groups,
    )


def _with_exposures(model: PathModel, records: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return records in which what moves has the value that it moves from; what stays as observed must be there."""
    moved = model.move.moved if model.move else ()
    rows = records.assign(**{name: u0 for name, u0, _ in moved})
    problems = [
        f'column "{c.name}" is missing, or empty: effects of {model.source} leave {c.name} as observed; add it for '
        "those who did not come back, give moments in place of records, or leave their rows in the survey"
        for c in model.covariates
        if c.name not in rows
    ]
    if problems:
        raise SurveyError(source, problems)
    return rows


def _known_groups(
    model: PathModel, design: Design, records: pd.DataFrame, source: str
) -> dict[str, tuple[Codes, tuple[str, ...]]]:
    """Return the groups of those who did not come back by the numbers of the fit's groups.

    Raises SurveyError for a group that no patient who came back belongs to: nothing is known of its intercept.
    """
    found, problems = {}, []
    for name in model.grouping:
        codes, labels = group_codes(records[name])
        known = design.groups[name][1]
        if strange := [label for label in labels if label not in known]:
            problems.append(
                f'column "{name}": no patient who came back is in {", ".join(strange)}, so that nothing is known of '
                f"such a group; leave its patients out, or leave varying out of the specification"
            )
            continue
        places = np.array([known.index(label) for label in labels], dtype=np.int64)
        found[name] = (places[codes], known)
    if problems:
        raise SurveyError(source, problems)
    return found
