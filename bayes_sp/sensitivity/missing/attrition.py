"""Effects over all patients who were asked, not only those who came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.work import answer_table
from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.analysis.provenance import provenance
from bayes_sp.design.build import design_arrays
from bayes_sp.design.relevance import came_back
from bayes_sp.effects.paths import Effects, check_kappa
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, AVERAGE
from bayes_sp.records.nonresponders import NonResponders
from bayes_sp.sensitivity.missing.attrition_tipping import DepartureTipping, tipping
from bayes_sp.sensitivity.missing.curves import EVERYONE, NONRESPONDERS, NUMBERS, AttritionCurves, attrition_curves
from bayes_sp.sensitivity.missing.departures import LEVELS, SLOPES, Departure, Ranges, departures, unit_of
from bayes_sp.sensitivity.missing.mixture import Patterns, labelled_effects, patterns
from bayes_sp.sensitivity.target import Estimate, Finding, Target, estimate_of, viewed_fit
from bayes_sp.shown import Part, Shown, short

RESPONDERS = "responders"
POINTS = 9  # of each curve: an odd number has one at 0 of a symmetric range
SHOWN = ("population", "path", "median", "lower", "upper", "prob_negative")
ATTRITION_COLUMNS = (
    "population", "shifted", "delta", "fraction", "path", "scale", "decomposition", "kappa", "mean", "median",
    "lower", "upper", "ci_kind", "ci_prob", "prob_negative",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Attrition(Shown):
    """Effects over everyone who was asked, and how much the others must differ to change the conclusion.

    Attributes
    ----------
    target
        The effect that the conclusion is about.
    effects
        Draws of every effect where the others are like those who came back given their covariates (missing at random),
        by population: ``responders`` (the fit's own), ``nonresponders`` and ``all``. Products of coefficients are not
        averages over patients, and left out.
    standardised
        Their table: columns of ``effects.csv`` after ``population``, with Monte Carlo standard errors of the limits.
    departures
        How those who did not come back may differ.
    curves
        Every effect along every departure (see `AttritionCurves.curves`), with where all this comes from as attributes.
    tipping
        One for each departure, for the target over everyone.
    notes
        What a reader must know.
    trustworthy
        The verdict on the draws and on the effects over everyone.
    model
        The specification.
    """

    target: Target
    effects: dict[str, Effects]
    standardised: pd.DataFrame
    departures: tuple[Departure, ...]
    curves: xr.Dataset
    tipping: tuple[DepartureTipping, ...]
    notes: tuple[str, ...]
    trustworthy: bool
    model: PathModel

    @property
    def table(self) -> pd.DataFrame:
        """One row for each population, departure, delta, path and scale; no departure for the effects without one."""
        first = self.standardised[[name for name in ATTRITION_COLUMNS if name in self.standardised]]
        dims = ("shifted", "step", "population", "path", "scale")
        values = self.curves[list(NUMBERS)].to_dataframe(dim_order=list(dims)).reset_index()
        values = values.assign(
            decomposition=AVERAGE, kappa=self.curves.attrs["kappa"], ci_kind=CI_KIND,
            ci_prob=self.curves.attrs["ci_prob"],
        )  # fmt: skip
        return pd.concat([first, values]).reset_index(drop=True).reindex(columns=list(ATTRITION_COLUMNS))

    def findings(self) -> list[Finding]:
        """Return the target over everyone and over those who did not come back, and at the last end of each range."""
        size, everyone = int(self.curves.attrs["nonresponders"]), int(self.curves.attrs["everyone"])
        cases = {EVERYONE: f"all {everyone} who were asked", NONRESPONDERS: f"the {size} who did not come back"}
        found = [
            Finding("attrition", f"{words}, missing at random", self._standardised(population))
            for population, words in cases.items()
        ]
        return [*found, *self._curve_findings(everyone)]

    def _curve_findings(self, everyone: int) -> Iterator[Finding]:
        for departure, tip in zip(self.departures, self.tipping, strict=True):
            row = self.curves.isel(step=-1).sel(
                population=EVERYONE, shifted=departure.name, path=self.target.path, scale=self.target.scale
            )
            median, lower, upper = (float(row[name]) for name in NUMBERS[1:4])
            estimate = Estimate(median, lower, upper, self.trustworthy)
            case = f"all {everyone}, {departure.at_the_end} among those who did not come back"
            yield Finding("attrition", case, estimate, tip.sentence)

    def _standardised(self, population: str) -> Estimate:
        own = self.standardised[self.standardised["population"] == population]
        return estimate_of(own, self.target, trustworthy=self.trustworthy)

    def _shown(self) -> tuple[str, list[Part]]:
        rows = self.standardised[self.standardised["path"] == self.target.path]
        own = rows[(rows["decomposition"] != ALONE) & (rows["scale"] == self.target.scale)]
        tips = list(dict.fromkeys(tip.sentence for tip in self.tipping))
        return str(self.curves.attrs["data_source"]), [short(own, SHOWN, rows=len(own)), tips]


def attrition(
    fit: Conditioned,
    nonresponders: NonResponders,
    *,
    shifts: Ranges | None = None,
    slopes: Ranges | None = None,
    target: Target | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
    points: int = POINTS,
) -> Attrition:
    """Standardise effects over everyone who was asked, and let those who did not come back differ.

    See `bayes_sp.sensitivity.missing.mixture` for the model and `bayes_sp.sensitivity.missing.attrition_tipping` for
    what levels can and cannot do. Nothing is fitted again.

    Parameters
    ----------
    fit
        A posterior with the records of those who came back.
    nonresponders
        Those who did not: `nonresponders_from_records`, `nonresponders_from_moments`, or for the published study
        `published_nonresponders`. Where moments are known, the patients who came back are weighted to them (entropy
        balancing), so that everything that is not listed is as among them after weighting.
    shifts
        Response -> first and last delta of its level, on the scale of its linear predictor; all responses of the
        mapping also move together, from their first ends to their last. None for every response, 1 to either side (SD
        of the observed response under an identity link, log rate, log odds or probit), last towards a higher outcome.
    slopes
        ``parent -> response`` -> first and last delta of its slope; None for every edge of the target, from unchanged
        to reversed.
    target
        The effect that the tipping points are about; by default the serial path's difference. Of a category or of
        several exposures all results are of what it compares, ``total [choir against sport]``.
    kappa
        Coupling of a mediator in two worlds, 0 to 1.
    ci_prob
        Probability of the intervals.
    points
        Of each curve, at least 3. Crossings are looked for between neighbouring points. Where means need quadrature a
        point costs as much as all effects do.

    Returns
    -------
    Attrition

    Raises
    ------
    BayesSpError
        For a target, a response or an edge that the specification does not have, or a scale that is not averaged over
        patients; where the survey holds patients without any response.
    SurveyError
        For moments that no weights reach, or groups that nobody who came back belongs to.
    ValueError
        For kappa outside [0, 1], fewer than 3 points, a probability outside (0, 1), or a chain without effects.

    References
    ----------
    Hainmueller (2012). Political Analysis 20, 25-46. doi:10.1093/pan/mpr025
    White, Carpenter & Horton (2018). Statistica Sinica 28, 1985-2003. doi:10.5705/ss.202016.0308
    """
    check_kappa(kappa)
    if points < 3 or not 0.0 < ci_prob < 1.0:
        raise ValueError(f"points must be 3 or more and ci_prob between 0 and 1, found {points!r} and {ci_prob!r}")
    fit, target = viewed_fit(fit.first, target)
    _check_came_back(fit)
    both = patterns(fit, nonresponders, kappa)
    ways = departures(both, target, shifts, slopes)
    found = attrition_curves(both, ways, ci_prob)
    _check_target(fit, found, target)
    effects = _effects(found, fit.survey.mark)
    tables = [answer_table(own, ci_prob).assign(population=name) for name, own in effects.items()]
    standardised = pd.concat(tables, ignore_index=True)
    attrs = {
        **provenance(fit), "kappa": kappa, "contrast": list(found.problem.contrast), "unit": fit.model.outcome_unit,
        "target_path": target.path, "target_scale": target.scale, "responders": both.design.n,
        "nonresponders": both.size, "everyone": both.everyone, "nonresponders_source": nonresponders.source,
        "ess_of_weights": float("nan") if both.balanced is None else both.balanced.ess, **found.quadrature.attrs,
    }  # fmt: skip
    curves = found.curves(ways, points)
    return Attrition(
        target,
        effects,
        standardised[["population", *(name for name in standardised if name != "population")]],
        ways,
        curves.assign_attrs({**curves.attrs, **attrs}),
        tuple(tipping(found, way, target, points) for way in ways),
        _notes(both, nonresponders, ways),
        diagnose(fit.posterior, effects[EVERYONE].quantities()).trustworthy,
        fit.model,
    )


def _check_came_back(fit: Conditioned) -> None:
    """Refuse a survey that holds patients without any response: they cannot be weighted as if they had come back."""
    design = design_arrays(fit.model, fit.survey)
    absent = int((~came_back(design)).sum())
    if absent:
        problem = (
            f"{absent} patients have no response, so they did not come back: `delta_curve` is for rows in the survey "
            "itself; or leave them out of it, and give them as non-responders"
        )
        raise BayesSpError(fit.survey.source, [problem])


def _check_target(fit: Conditioned, found: AttritionCurves, target: Target) -> None:
    problems = []
    if target.path not in found.paths:
        problems.append(f'has no path "{target.path}"{nearest(target.path, found.paths)}')
    if target.scale not in found.scales:
        problems.append(
            f'effects over patients have no scale "{target.scale}"; they have {", ".join(found.scales)} (a product of '
            f"coefficients is no average over patients)"
        )
    if problems:
        raise BayesSpError(fit.model.name, problems)


def _effects(found: AttritionCurves, mark: str) -> dict[str, Effects]:
    """Return draws of every effect without a departure, by population."""
    means = {
        RESPONDERS: found.came_back,
        NONRESPONDERS: found.others,
        EVERYONE: found.patterns.mixed(found.came_back, found.others),
    }
    return {
        name: labelled_effects(found.patterns, found.problem, own, found.quadrature, mark)
        for name, own in means.items()
    }


def _notes(both: Patterns, nonresponders: NonResponders, ways: tuple[Departure, ...]) -> tuple[str, ...]:
    """Return what a reader must know of the covariates, the weights and the directions."""
    model, came_back = both.model, both.design.n
    notes = [
        f"Without a departure the {both.size} who did not come back follow the equations of the {came_back} who did, "
        f"given their covariates (missing at random); no data can tell."
    ]
    if both.balanced is None:
        notes.append(f"Their covariates are {nonresponders.source}.")
    else:
        listed = [moment.column for moment in nonresponders.moments]
        moved = model.move.names if model.move else ()
        others = [c.name for c in model.covariates if c.name not in (*listed, *moved)]
        notes.append(
            f"{', '.join(listed) or 'Nothing'} of those who did not come back is known ({nonresponders.source}): the "
            f"{came_back} are weighted to it and then count as {both.balanced.ess:.0f}; the moments are taken as exact."
        )
        if others:
            notes.append(f"{', '.join(others)}: taken to be as among those who came back after this weighting.")
        if both.balanced.gaps:
            notes.append(f"{', '.join(both.balanced.gaps)}: matched among the patients whose value is known.")
    if any(way.kind == LEVELS for way in ways):
        ends = [
            f"{way.moves[0][0].response} {way.ends[1]:+.3g} ({unit_of(model, way.moves[0][0].response)})"
            for way in ways
            if way.kind == LEVELS and len(way.moves) == 1
        ]
        notes.append(f"Levels run to {', '.join(ends)}; by default that is the way towards a higher outcome.")
    turning = {pair[0].parent for way in ways if way.kind == SLOPES for pair in way.moves}
    if turning:
        centres = ", ".join(_turning(model, name) for name in (model.source, *model.mediators) if name in turning)
        notes.append(
            f"A moved slope is that of those who came back plus delta in every draw, given by its posterior mean; it "
            f"turns about the specification's centre: {centres}."
        )
    if both.chain.zero_part:
        notes.append("Departures are of the mean's equation; the zero part stays that of those who came back.")
    return tuple(notes)


def _turning(model: PathModel, name: str) -> str:
    """Return about which value a moved slope turns, in words."""
    if model.move and name == model.source and (len(model.move.moved) > 1 or name in model.categories):
        return f"{name} at {', '.join(model.words_of(one, u0) for one, u0, _ in model.move.moved)}, where it moves from"
    own = next((c.center for c in model.covariates if c.name == name), model.variable(name).center)
    return f"{name} at {own:g}"
