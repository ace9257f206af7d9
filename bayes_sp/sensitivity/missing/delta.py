r"""Missing not at random (delta adjustment): how much must missing values differ to change the conclusion.

A missing value of a response follows the same equation as an observed one with delta added to its mean's linear
predictor; delta = 0 is missing at random. Each delta is a specification of its own (``missing_shift``), fitted anew, so
that everything that depends on missing values moves with it: the coefficients, where a missing mediator has something
observed after it, and the effects, which are averages over all patients in the records, non-responders (patients whose
outcome is missing) included. Where nothing after a missing value was observed, as for patients who did not come back at
all, the posterior is the same whatever delta (`bayes_sp.design.relevance`) and effects alone move. No record says which
delta is true.

References
----------
van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 9.2. doi:10.1201/9780429492259
Leurent, Gomes, Faria, Morris, Grieve & Carpenter (2018). Sensitivity analysis for not-at-random missing data in
trial-based cost-effectiveness analysis: a tutorial. PharmacoEconomics 36, 889-901. doi:10.1007/s40273-018-0650-5
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.provenance import provenance_of
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.errors import FitError
from bayes_sp.inference.options import SamplerOptions, usual_options
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ALONE, DELTA_COLUMNS
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.missing.shifts import Curve, DeltaTipping, curves_of, tipping_of, words_of, zero_place
from bayes_sp.sensitivity.target import Estimate, Finding, Target, estimate_in, viewed
from bayes_sp.shown import Part, Shown, short

NUMBERS = ("mean", "median", "lower", "upper", "prob_negative")


@dataclass(frozen=True, eq=False, repr=False)
class DeltaCurve(Shown):
    """Every effect along shifts of the missing values.

    Attributes
    ----------
    target
        The effect that the conclusion is about.
    ways
        Which responses are shifted: each that has missing values alone, then all together.
    outcomes
        What came of each way at each step; those of the step without a shift are one and the same.
    curves
        ``mean``, ``median``, ``lower``, ``upper``, ``prob_negative`` with dims (shifted, step, path, scale), averaged
        over orders of switching where there are several; ``delta`` (shifted, step, response), the shifts on the scales
        of the linear predictors; ``trustworthy`` (shifted, step). Step 0 is missing at random. NaN where a fit failed,
        or the family has no such scale.
    tipping
        For each way, where the target's interval first changes sides.
    model
        The specification, without a shift.
    """

    target: Target
    ways: tuple[Curve, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    curves: xr.Dataset
    tipping: tuple[DeltaTipping, ...]
    model: PathModel

    @property
    def table(self) -> pd.DataFrame:
        """One row for each way, step, path and scale, the shifts in words; ``delta`` is NaN for several at once."""
        rows = []
        for way, outcomes in zip(self.ways, self.outcomes, strict=True):
            for place, outcome in enumerate(outcomes):
                shifts, step = way.at(place), int(self.curves["step"][place])
                head = (way.name, step, words_of(self.model, shifts), shifts[0][1] if len(shifts) == 1 else np.nan)
                at = self.curves.sel(shifted=way.name, step=step)
                tail = (bool(at["trustworthy"]), _reason(outcome))
                for path, scale in product(at["path"].to_numpy(), at["scale"].to_numpy()):
                    numbers = [float(at[name].sel(path=path, scale=scale)) for name in NUMBERS]
                    limits = (*numbers[:4], CI_KIND, self.curves.attrs["ci_prob"], numbers[4])
                    rows.append((*head, path, scale, *limits, *tail))
        return pd.DataFrame(rows, columns=list(DELTA_COLUMNS))

    def findings(self) -> list[Finding]:
        """Return the target missing at random, and at both ends of each way with where its interval changes sides."""
        missing, everyone = int(self.curves.attrs["nonresponders"]), int(self.curves.attrs["patients"])
        case = f"all {everyone} patients ({missing} without the outcome), missing at random"
        found = [Finding("attrition", case, estimate_in(self.outcomes[0][self._zero], self.target))]
        return [*found, *self._ends()]

    @property
    def trustworthy(self) -> bool:
        """Whether every fit has an answer whose draws can be used."""
        return bool(self.curves["trustworthy"].all())

    @property
    def _zero(self) -> int:
        return zero_place(self.ways)

    def _ends(self) -> Iterator[Finding]:
        for way, outcomes, tip in zip(self.ways, self.outcomes, self.tipping, strict=True):
            for place in dict.fromkeys(place for place in (0, len(outcomes) - 1) if place != self._zero):
                estimate = estimate_in(outcomes[place], self.target)
                reason = f"{_reason(outcomes[place])}; " if estimate is None else ""
                yield Finding("attrition", words_of(self.model, way.at(place)), estimate, f"{reason}{tip.sentence}")

    def _shown(self) -> tuple[str, list[Part]]:
        own = self.table[(self.table["path"] == self.target.path) & (self.table["scale"] == self.target.scale)]
        columns = ("shift", "median", "lower", "upper", "prob_negative", "trustworthy")
        tips = [tip.sentence for tip in self.tipping]
        return str(self.curves.attrs["data_source"]), [short(own, columns, rows=len(own)), tips]


def delta_curve(
    model: PathModel | str | Path,
    survey: Survey,
    shifts: Mapping[str, Sequence[float]] | None = None,
    *,
    target: Target | None = None,
    seed: int = 1,
    options: SamplerOptions | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
    refine: bool = True,
    runner: Runner | None = None,
) -> DeltaCurve:
    """Fit a specification with its missing responses shifted step by step, each alone and all together.

    Shifts of the specification's own are set aside. For the arguments and errors see `bayes_sp.sensitivity.delta`; the
    step without a shift is the fit of the specification as it is, to the last bit.
    """
    model, target = viewed(replace(load_model(model), missing_shift=()), target)
    design = design_arrays(model, survey)
    ways = curves_of(model, design, shifts)
    plain = Cell("missing at random", model, survey, seed, options or usual_options(), kappa, ci_prob)
    runner = runner or Runner()
    outcomes = _outcomes(plain, ways, runner)
    first = outcomes[0][zero_place(ways)]
    if isinstance(first, Failure):
        raise FitError(survey.source, [f"without a shift: {first.reason}"])
    counts = {"patients": design.n, "nonresponders": int(np.isnan(design.y[:, -1]).sum())}
    made = {"kappa": kappa, "ci_kind": CI_KIND, "ci_prob": ci_prob}
    curves = _curves(ways, outcomes, first).assign_attrs(counts | made | provenance_of(model, survey, seed))
    tipping = []
    for way, found in zip(ways, outcomes, strict=True):
        estimates = [estimate_in(outcome, target) for outcome in found]
        between = partial(_between, plain, way, estimates, target, runner) if refine else None
        tipping.append(tipping_of(model, way, estimates, target, ci_prob, between))
    return DeltaCurve(target, ways, outcomes, curves, tuple(tipping), model)


def _outcomes(plain: Cell, ways: Sequence[Curve], runner: Runner) -> tuple[tuple[Outcome, ...], ...]:
    """Run every way's cells at once, that without a shift once."""
    zero, steps = zero_place(ways), range(len(ways[0].deltas[0][1]))
    places = [(w, place) for w in range(len(ways)) for place in steps if place != zero]
    cells = [plain]
    for w, place in places:
        shifted = replace(plain.model, missing_shift=ways[w].at(place))
        cells.append(replace(plain, name=words_of(plain.model, ways[w].at(place)), model=shifted))
    first, *others = runner.run(cells)
    found = dict(zip(places, others, strict=True))
    return tuple(tuple(found.get((w, place), first) for place in steps) for w in range(len(ways)))


def _between(
    plain: Cell,
    way: Curve,
    known: Sequence[Estimate | None],
    target: Target,
    runner: Runner,
    positions: Sequence[float],
) -> list[Estimate | None]:
    """Return the target at positions along a way, in steps from the one without a shift; those of steps are known."""
    zero = zero_place([way])
    new = [position for position in positions if position != round(position)]
    cells = []
    for position in new:
        shifts = way.between(zero + position)
        model = replace(plain.model, missing_shift=shifts)
        cells.append(replace(plain, name=words_of(plain.model, shifts), model=model))
    fitted = dict(zip(new, runner.run(cells) if cells else [], strict=True))
    return [
        estimate_in(fitted[position], target) if position in fitted else known[zero + round(position)]
        for position in positions
    ]


def _curves(ways: Sequence[Curve], outcomes: Sequence[Sequence[Outcome]], first: Answer) -> xr.Dataset:
    """Return what the cells say, dims (shifted, step, path, scale)."""
    paths, scales = (list(dict.fromkeys(first.table[name])) for name in ("path", "scale"))
    responses = list(dict.fromkeys(name for way in ways for name, _ in way.deltas))
    shape = (len(ways), len(outcomes[0]))
    numbers = {name: np.full((*shape, len(paths), len(scales)), np.nan) for name in NUMBERS}
    trustworthy, delta = np.zeros(shape, dtype=bool), np.zeros((*shape, len(responses)))
    for w, place in product(*map(range, shape)):
        for name, value in ways[w].at(place):
            delta[w, place, responses.index(name)] = value
        outcome = outcomes[w][place]
        if isinstance(outcome, Answer):
            trustworthy[w, place] = outcome.trustworthy
            rows = outcome.table[outcome.table["decomposition"] != ALONE]
            at = w, place, [paths.index(path) for path in rows["path"]], [scales.index(s) for s in rows["scale"]]
            for name, values in numbers.items():
                values[at] = rows[name]
    dims = ("shifted", "step", "path", "scale")
    data = {name: (dims, values) for name, values in numbers.items()}
    others = {"delta": ((*dims[:2], "response"), delta), "trustworthy": (dims[:2], trustworthy)}
    steps = np.arange(shape[1]) - zero_place(ways)
    names = [way.name for way in ways]
    coords = {"shifted": names, "step": steps, "path": paths, "scale": scales, "response": responses}
    return xr.Dataset(data | others, coords=coords)


def _reason(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Failure) else "; ".join(outcome.reasons)
