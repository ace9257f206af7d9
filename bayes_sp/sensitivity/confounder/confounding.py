"""What it would take of an unmeasured confounder to take the sign of an effect away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.fit import Fit, fit
from bayes_sp.analysis.provenance import provenance_of
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import SamplerOptions, usual_options
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.confounder.benchmarks import benchmark_strengths, greatest_strength, unexplained_sd
from bayes_sp.sensitivity.confounder.fits import ConfoundedFits
from bayes_sp.sensitivity.confounder.grid import Grid, array_of, table_of
from bayes_sp.sensitivity.confounder.multiples import (
    Statement,
    multiples_of,
    multiples_table,
    strongest,
    tipping_curve,
    with_refined,
)
from bayes_sp.sensitivity.confounder.pairs import Pair, Strengths, check_strengths, confounded_pairs, default_levels
from bayes_sp.sensitivity.confounder.words import ASSUMPTIONS, findings_of, problems_sentence, sentences_of
from bayes_sp.sensitivity.target import Estimate, Finding, Target, estimate_in, viewed, viewed_fit
from bayes_sp.shown import Part, Shown

SHOWN = ("first", "second", "covariate", "sign", "multiple", "most", "mcse")


@dataclass(frozen=True, eq=False, repr=False)
class Confounding(Shown):
    """How effects change with an unmeasured confounder of two responses, by the strengths that it is given.

    Attributes
    ----------
    model, target
        The specification without the confounder, and the effect that tipping is about.
    plain
        The target without confounding.
    surfaces
        (earlier response, later response) -> Dataset with dims (earlier response, later response, path, scale), the
        strengths as coordinates (`array_of`).
    table
        The same as one long table, with the reason where there is no answer.
    benchmarks
        Strengths of the covariates (`benchmark_strengths`).
    tipping
        For each pair and strength of the earlier response, the least strength of the later one at which the
        interval first includes no effect, interpolated (`tipping_curve`).
    multiples
        For each pair and covariate how many times as strong as it a confounder would have to be in both equations:
        the strongest covariate's by fits (``refitted`` > 0), the others' interpolated. NaN where none up to ``most``.
    statements
        For each pair its strongest covariate, with the target under a confounder as strong as it, by a fit.
    averaged
        What one fit says that averages over priors of the strengths; None where none were given.
    outcomes
        What came of every fit, the plain one first.
    attrs
        Target, contrast, probability and kind of the intervals, seed, versions, digest and mark of the records,
        specification.
    """

    model: PathModel
    target: Target
    plain: Estimate
    surfaces: Mapping[Pair, xr.Dataset]
    table: pd.DataFrame
    benchmarks: pd.DataFrame
    tipping: pd.DataFrame
    multiples: pd.DataFrame
    statements: tuple[Statement, ...]
    averaged: Outcome | None
    outcomes: tuple[Outcome, ...]
    attrs: Mapping[str, object]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What all of this rests on."""
        return ASSUMPTIONS

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Fits without an answer, with the reason."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Failure))

    def findings(self) -> list[Finding]:
        """Return what a confounder as strong as each pair's strongest covariate leaves of the target."""
        averaged = None if self.averaged is None else estimate_in(self.averaged, self.target)
        reason = self.averaged.reason if isinstance(self.averaged, Failure) else ""
        return findings_of(self.model, self.target, self.statements, averaged, reason)

    def sentence(self) -> str:
        """Return the conclusion for the pair that needs least."""
        return self.sentences()[0]

    def sentences(self) -> list[str]:
        """Return the conclusion for each pair, the one that needs least first, and what is wrong with the fits."""
        percent = f"{100 * float(str(self.attrs['ci_prob'])):g} %"
        found = sentences_of(self.model, self.target, self.plain, self.statements, self.tipping, percent)
        wrong = problems_sentence(self.outcomes)
        return [*found, wrong] if wrong else found

    def _shown(self) -> tuple[str, list[Part]]:
        return str(self.attrs["data_source"]), [*self.sentences(), *self.assumptions, self.multiples[list(SHOWN)]]


def confounding(
    model: PathModel | str | Path,
    survey: Survey,
    *,
    target: Target | None = None,
    strengths: Strengths | None = None,
    seed: int = 1,
    options: SamplerOptions | None = None,
    runner: Runner | None = None,
    ci_prob: float = CI_PROB,
    fitted: Fit | None = None,
) -> Confounding:
    """Fit a specification again and again with a confounder of two responses, of stated strengths.

    U_i ~ N(0, 1), one for each patient, adds :math:`s_j U_i` and :math:`s_k U_i` to the linear predictors of two
    responses j and k, for every pair whose common cause would bias the target (`confounded_pairs`) and every strength
    of a grid: :math:`s_j > 0` and :math:`s_k` of both signs. Between them the interval's limit is interpolated in a way
    that is exact where the bias, :math:`s_j s_k / v`, acts linearly (`Surface`), which gives the tipping curve and the
    multiples of covariates; the multiple of each pair's strongest covariate is then found by further fits. Priors of
    strengths give one fit more, averaged over them: a Bayesian sensitivity analysis, beside the default grid of these
    responses.

    For the arguments and errors see `bayes_sp.sensitivity.confounding`; ``fitted`` is the fit of the specification as
    it is, where it is at hand.
    """
    if fitted is not None:
        fitted, asked = viewed_fit(fitted, target)
    model, target = (load_model(model), target) if fitted is None else (fitted.model, asked)
    model, target = viewed(model, target)
    pairs = _pairs(model, target, strengths)
    options = options or usual_options()
    fitted = fitted or fit(model, survey, seed=seed, options=options)
    benchmarks = benchmark_strengths(fitted, ci_prob=ci_prob)
    grids = _grids(fitted, pairs, strengths, benchmarks)
    plain = Cell(model.name, model, survey, seed, options, ci_prob=ci_prob)
    fits = ConfoundedFits(plain, target, runner or Runner())
    fits.run(place for grid in grids for place in grid.places())
    priors = {name: given for name, given in (strengths or {}).items() if isinstance(given, Prior)}
    averaged = fits.averaged(priors) if priors else None
    margins = {grid.pair: fits.margins(grid) for grid in grids}
    multiples = [m for grid in grids for m in multiples_of(grid, margins[grid.pair], benchmarks)]
    statements = fits.statements(strongest(multiples))
    attrs = {**provenance_of(model, survey, seed), **_asked(target, model, ci_prob)}
    surfaces = {g.pair: array_of(g, fits.answer, fits.outcomes).assign_attrs(attrs) for g in grids}
    curves = [tipping_curve(grid, margins[grid.pair], _variance(fitted, grid.pair[0])) for grid in grids]
    return Confounding(
        model=model,
        target=target,
        plain=fits.estimate,
        surfaces=surfaces,
        table=table_of(surfaces, fits.outcomes, ci_prob),
        benchmarks=benchmarks,
        tipping=pd.concat(curves, ignore_index=True),
        multiples=multiples_table(with_refined(multiples, [statement.multiple for statement in statements])),
        statements=tuple(statements),
        averaged=averaged,
        outcomes=tuple(fits.made),
        attrs=attrs,
    )


def _pairs(model: PathModel, target: Target, strengths: Strengths | None) -> list[Pair]:
    """Return the pairs to confound: those that could bias the target, of the responses that strengths name."""
    if strengths is not None:
        check_strengths(model, strengths)
    pairs = [p for p in confounded_pairs(model, target) if strengths is None or set(p) <= strengths.keys()]
    if not pairs:
        among = f" among {', '.join(strengths)}" if strengths is not None else ""
        raise BayesSpError(model.name, [f'no two responses{among} have a common cause that would bias "{target.path}"'])
    return pairs


def _grids(fitted: Fit, pairs: Sequence[Pair], strengths: Strengths | None, benchmarks: pd.DataFrame) -> list[Grid]:
    """Return the grid of each pair, of the given strengths or the default ones."""
    posterior = fitted.posterior["posterior"].to_dataset()
    levels: dict[str, tuple[float, ...]] = {}
    for response in dict.fromkeys(name for pair in pairs for name in pair):
        given = strengths[response] if strengths is not None else None
        if given is None or isinstance(given, Prior):
            levels[response] = default_levels(greatest_strength(fitted.model, posterior, benchmarks, response))
        else:
            levels[response] = tuple(sorted({float(value) for value in given}))
    return [Grid(pair, levels[pair[0]], levels[pair[1]]) for pair in pairs]


def _variance(fitted: Fit, response: str) -> float | None:
    """Return the residual variance of a normal response; None for others."""
    family = next(FAMILIES[e.family] for e in fitted.model.equations if e.response == response)
    if not family.gaussian or family.logged:
        return None
    sd = unexplained_sd(fitted.model, fitted.posterior["posterior"].to_dataset(), response)
    return None if sd is None else sd**2


def _asked(target: Target, model: PathModel, ci_prob: float) -> dict[str, object]:
    """Return what was asked, beside where it comes from."""
    named = f"{target.path} [{target.scale}]"
    return {"target": named, "contrast": list(model.ends[1]), "ci_kind": CI_KIND, "ci_prob": ci_prob}
