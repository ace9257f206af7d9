"""How sceptical must a prior be to change the conclusion? The tipping point of priors (reverse Bayes)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.batch.cell import Cell, Failure
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.provenance import provenance_of
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.inference.options import SamplerOptions, usual_options
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.crossings import Crossing, Region, State, Tipping
from bayes_sp.sensitivity.prior.dials import CENTRED, CONSTANT, PriorDial, any_dial
from bayes_sp.sensitivity.prior.terms import Term, along, arrow, prior_of
from bayes_sp.sensitivity.target import Estimate, Finding, Target, effect_words, estimate_in, run_once, viewed
from bayes_sp.sensitivity.tipping_search import SCAN, find_tipping
from bayes_sp.shown import Part, Shown

PRIOR_RANGE = 0.95


def prior_range(prior: Prior, prob: float = PRIOR_RANGE) -> tuple[float, float] | None:
    """Return the equal-tailed range that holds a share of a prior; None for an improper one, or one of shares."""
    if prior.distribution.frozen is None:
        return None
    tail, quantile = (1.0 - prob) / 2.0, prior.scipy().ppf
    return float(quantile(tail)), float(quantile(1.0 - tail))


def prior_words(prior: Prior) -> str:
    """Return a prior with two digits of each constant: ``Normal(0, 0.035)``."""
    return f"{prior.distribution.display}({', '.join(f'{value:.2g}' for value in prior.numbers)})"


def range_words(prior: Prior) -> str:
    """Return the range that holds 95 % of a prior, in words."""
    found = prior_range(prior)
    return "has any value" if found is None else f"lies between {found[0]:.2g} and {found[1]:.2g}"


def region_words(region: Region) -> str:
    """Return the null, or the region of practical equivalence, in words."""
    low, high = region
    return f"{low:g}" if low == high else f"the region of practical equivalence, {low:g} to {high:g}"


def event(tipping: Tipping, after: State) -> str:
    """Return what the interval does at the tipping point."""
    region = region_words(tipping.region)
    if after == "across":
        point = tipping.region[0] == tipping.region[1]
        return f"includes {region}" if point else f"lies across an end of {region}"
    return f"lies inside {region}" if after == "inside" else f"excludes {region}, all {after} it"


def kept(tipping: Tipping) -> str:
    """Return what the interval does everywhere."""
    region = region_words(tipping.region)
    words = {"across": f"includes {region}", "inside": f"lies inside {region}"}
    if tipping.region[0] != tipping.region[1]:
        words["across"] = f"lies across an end of {region}"
    return words.get(tipping.before, f"lies {tipping.before} {region}")


SCEPTICAL = "sceptical"
LEAST_FACTOR = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class TippingPoint(Shown):
    """The prior at which the conclusion on an effect changes.

    Attributes
    ----------
    target, effect
        The effect, and its words.
    dial
        What was turned.
    base
        The effect under the specification's own priors.
    tipping
        The search: first crossing on each side of the start, every evaluation.
    priors
        (coefficient, prior) at the first crossing, for each prior that the dial turns; empty where there is none.
    ci_prob
        Probability of the intervals.
    failures
        The fits that failed.
    attrs
        Specification, seed, options, versions, data digest and mark.
    """

    target: Target
    effect: str
    dial: PriorDial
    base: Estimate
    tipping: Tipping
    priors: tuple[tuple[Term, Prior], ...]
    ci_prob: float
    failures: tuple[Failure, ...]
    attrs: Mapping[str, Any]

    @property
    def value(self) -> float:
        """The dial's value at the first crossing; NaN where there is none."""
        return float("nan") if self.tipping.first is None else self.tipping.first.value

    @property
    def table(self) -> pd.DataFrame:
        """One row for each value of the dial."""
        return self.tipping.table

    @property
    def sentence(self) -> str:
        """The result in words, with the prior that one would have to hold."""
        head = f"The {100 * self.ci_prob:g} % interval of {self.effect}"
        first, low, high = self.tipping.first, self.tipping.low, self.tipping.high
        if first is None:
            where = f"value from {low:.3g} to {high:.3g} of the {self.dial.words}"
            note = f" ({self.tipping.note})" if self.tipping.note else ""
            return f"{head} {kept(self.tipping)} for every {where}{note}."
        priors = "; ".join(f"{prior_words(prior)} for {arrow(term)}" for term, prior in self.priors)
        beliefs = ", ".join(f"{arrow(term)} {range_words(prior)}" for term, prior in self.priors)
        held = f"one would have to hold, before seeing the records and with probability {PRIOR_RANGE:g}, that"
        note = f" Note: {self.tipping.note}." if self.tipping.note else ""
        change = f"first {event(self.tipping, first.after)} when {self._turned(first)}"
        return f"{head} {change}: {priors}; {held} {beliefs}.{note}"

    def _turned(self, first: Crossing) -> str:
        within = f" ({first.low:.2g} to {first.high:.2g} within Monte Carlo error)" if first.low < first.high else ""
        if self.dial.kind == CONSTANT:
            return f"{self.dial.words} is {first.value:.2g}{within} in place of {self.tipping.start:.2g}"
        verb = "narrowed" if first.value < 1.0 else "widened"
        if self.dial.kind == CENTRED:
            if first.value == 1.0:
                return "the priors of its coefficients are centred at 0 with the scale as written"
            how = f"{verb} to {first.value:.2g} of their scale{within}"
            return f"the priors of its coefficients are centred at 0 and {how}"
        return f"the priors of {self.dial.key} are {verb} to {first.value:.2g} of their scale{within}"

    def finding(self) -> Finding:
        """Return the tipping point for the summary, with the estimate at the evaluation nearest to it."""
        first = self.tipping.first
        if first is None:
            return Finding("priors", "no tipping point", None, self.sentence)
        answers = [(value, estimate) for value, estimate in self.tipping.evaluations if estimate is not None]
        _, estimate = min(answers, key=lambda answer: abs(answer[0] - first.value))
        return Finding("priors", f"{self.dial.words}: {first.value:.2g}", estimate, self.sentence)

    def _shown(self) -> tuple[str, list[Part]]:
        return f"{self.attrs['data_source']}. {self.sentence}", [self.table]


def prior_tipping_point(
    model: PathModel | str | Path,
    survey: Survey,
    *,
    target: Target | None = None,
    dial: str = SCEPTICAL,
    low: float | None = None,
    high: float | None = None,
    rope: Region | None = None,
    seed: int = 1,
    options: SamplerOptions | None = None,
    runner: Runner | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
    scan: int = SCAN,
) -> TippingPoint:
    r"""Find the prior at which the interval of an effect first includes no effect, or first excludes it.

    The default dial is a factor f on the scales of the priors of all coefficients along the effect's path, centred at
    0: the sceptical prior that would just take away a conclusion (reverse Bayes, analysis of credibility). For a single
    coefficient with estimate :math:`\hat\beta` and standard error s, and a prior :math:`N(0, \tau^2)`, it is the
    :math:`\tau` with :math:`\hat\beta\tau = z s\sqrt{\tau^2 + s^2}`, here without a normal approximation.

    For the arguments and errors see `bayes_sp.sensitivity.tipping_point`; every fit has the same seed.

    Matthews (2001), Journal of Statistical Planning and Inference 94, 43-58. doi:10.1016/S0378-3758(00)00232-9; Held,
    Matthews, Ott & Pawel (2022), Research Synthesis Methods 13(3), 295-314. doi:10.1002/jrsm.1538
    """
    model, target = viewed(load_model(model), target)
    design_arrays(model, survey)
    turning = _sceptical_dial(model, target) if dial == SCEPTICAL else any_dial(model, dial)
    blank = Cell(model.name, model, survey, seed, options or usual_options(), kappa, ci_prob)
    evaluator = _Evaluator(blank, target, turning, runner or Runner())
    base = evaluator.at_base()
    least, most, log = turning.range(model)
    bottom, top, start = least if low is None else low, most if high is None else high, turning.start(model)
    while True:
        tipping = find_tipping(
            evaluator, bottom, top, start=start, null=target.null, rope=rope, log=log, base=base, scan=scan
        )
        if tipping.crossings or dial != SCEPTICAL or low is not None or bottom <= LEAST_FACTOR:
            break
        bottom /= 1000.0
    first = tipping.first
    tipped = turning.turned(model, first.value) if first else model
    return TippingPoint(
        target, effect_words(model, target), turning, base, tipping,
        tuple((term, prior_of(tipped, term)) for term in turning.members) if first else (),
        ci_prob, tuple(evaluator.failures.values()), _attrs(blank),
    )  # fmt: skip


@dataclass
class _Evaluator:
    """Dial values -> estimates of the target, each value fitted once."""

    cell: Cell
    target: Target
    dial: PriorDial
    runner: Runner
    known: dict[float, Estimate | None] = field(default_factory=dict)
    failures: dict[float, Failure] = field(default_factory=dict)

    def __call__(self, values: Sequence[float]) -> list[Estimate | None]:
        new = [value for value in values if value not in self.known]
        models = [self.dial.turned(self.cell.model, value) for value in new]
        outcomes = run_once([replace(self.cell, name=model.name, model=model) for model in models], self.runner)
        for value, outcome in zip(new, outcomes, strict=True):
            self.known[value] = estimate_in(outcome, self.target)
            if isinstance(outcome, Failure):
                self.failures[value] = outcome
        return [self.known[value] for value in values]

    def at_base(self) -> Estimate:
        """Return the estimate under the priors as written."""
        outcome = self.runner.run([self.cell])[0]
        estimate = estimate_in(outcome, self.target)
        if isinstance(outcome, Failure) or estimate is None:
            reason = outcome.reason if isinstance(outcome, Failure) else "no estimate"
            raise FitError(self.cell.survey.source, [f'"{self.cell.name}" could not be fitted: {reason}'])
        start = self.dial.start(self.cell.model)
        if self.dial.turned(self.cell.model, start) == self.cell.model:
            self.known[start] = estimate
        return estimate


def _sceptical_dial(model: PathModel, target: Target) -> PriorDial:
    terms = along(model, target.path)
    without = [arrow(term) for term in terms if not prior_of(model, term).distribution.scale]
    if without:
        problem = f"the priors of {', '.join(without)} are flat: they have no scale to narrow; give them proper ones"
        raise BayesSpError(model.name, [problem])
    return PriorDial(f"the coefficients of {target.path}", CENTRED, terms)


def _attrs(cell: Cell) -> dict[str, Any]:
    return {
        **provenance_of(cell.model, cell.survey, cell.seed), "options": json.dumps(asdict(cell.options)),
        "kappa": cell.kappa, "ci_kind": CI_KIND, "ci_prob": cell.ci_prob,
    }  # fmt: skip
