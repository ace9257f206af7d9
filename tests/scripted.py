"""Sensitivity analyses without refits: one real fit of few draws, and a runner whose answers follow a formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer_table
from bayes_sp.analysis.fit import Fit, fit
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity import every
from bayes_sp.sensitivity.prior.terms import prior_of

FEW = SamplerOptions(draws=500, most_draws=4000, tune=500, chains=4, cores=2)
RESPONSES = ("mood", "sleep", "visits")
HALF = 0.05  # the scale of the first path's prior that takes half of the effect away
PER_STRENGTH = 4.0  # what strengths of product 1 add to an effect
PER_SHIFT = 0.5  # what a shift of 1 adds
NORMAL = {"dist": "normal", "mu": 0.0}
_FITS: dict[str, Fit] = {}
_ANSWERS: dict[str, Answer] = {}
_PARTS: dict[tuple[object, ...], tuple[object, tuple[object, ...]]] = {}
MADE_ONCE = (
    "power_scaling", "prior_overlap", "prior_grid", "prior_tipping_point", "kappa_curve", "e_values", "confounding",
    "attrition", "delta_curve",
)  # fmt: skip
OF_THE_FIT = ("power_scaling",)  # which fits again only what weights cannot reach
PUBLISHED = {"estimate": -0.2, "lower": -0.4, "upper": -0.01, "source": "a table"}


def chain_tables(mediators: int = 1, outcome: str = "negative_binomial", *, published: bool = False) -> dict[str, Any]:
    """Return the tables of walks -> mood (-> sleep) -> visits, which shares no name with the study."""
    responses = [*RESPONSES[:mediators], "visits"]
    variables = {
        "walks": {"label": "Walks a week", "unit": "walks", "kind": "integer", "min": 0, "max": 7},
        "mood": {"label": "Mood", "unit": "points (0-10)", "center": 5.0},
        "sleep": {"label": "Hours of sleep", "unit": "hours", "center": 7.0},
        "visits": {"label": "Visits", "unit": "visits a year", "kind": "count" if outcome != "normal" else "real"},
    }
    tables: dict[str, Any] = {
        "title": "Walks and visits",
        "question": "Do walks go with fewer visits?",
        "exposure": "walks",
        "outcome": "visits",
        "contrast": [0, 2],
        "variables": {name: variables[name] for name in ("walks", *responses)},
        "covariates": {"age": {"center": 50.0, "scale": 10.0}, "before": {"transform": "log1p"}},
        "equation": [{"response": name, "family": "normal"} for name in responses[:-1]]
        + [{"response": "visits", "family": outcome}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 2.0, "sigma": 5.0, "why": "wide"},
            "slope": {**NORMAL, "sigma": 0.5, "why": "small"},
            "sigma": {"dist": "half_normal", "sigma": 2.0, "why": "scale is 10 wide"},
        },
    }
    if outcome == "negative_binomial":
        tables["priors"]["phi"] = {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "near 1"}
    if published:
        serial = " -> ".join(["walks", *responses])
        tables["published"] = [{"path": serial, **PUBLISHED}]
    return tables


@cache
def chain_model(mediators: int = 1, outcome: str = "negative_binomial", *, published: bool = False) -> PathModel:
    return load_model(chain_tables(mediators, outcome, published=published), name="walks")


def chain_records(n: int = 200, mediators: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return made-up records with a clear effect; every age ends in .123456, which no result does."""
    rng = np.random.default_rng(seed)
    walks, age, before = rng.integers(0, 8, n), rng.integers(20, 90, n) + 0.123456, rng.negative_binomial(2, 0.3, n)
    mood = np.round(4 + 0.5 * walks - 0.02 * (age - 50) + rng.normal(0, 1.2, n), 1)
    last, frame = mood, {"walks": walks, "mood": mood}
    if mediators == 2:
        frame["sleep"] = last = np.round(4 + 0.6 * mood + rng.normal(0, 0.8, n), 1)
    mean = np.exp(0.6 - 0.3 * (last - last.mean()) + 0.2 * np.log1p(before))
    frame |= {"visits": rng.negative_binomial(3.0, 3.0 / (3.0 + mean)), "age": age, "before": before}
    return pd.DataFrame(frame)


def chain_survey(n: int = 200, mediators: int = 1, *, missing: int = 0, origin: str = "file", seed: int = 0) -> Survey:
    """Return the records as a survey; of the last ``missing`` patients no response is known."""
    records = chain_records(n, mediators, seed)
    if missing:
        for name in RESPONSES[:mediators] + RESPONSES[2:]:
            records[name] = records[name].astype(float)
            records.loc[n - missing :, name] = np.nan
    return Survey(records, origin, "clinic.csv")


@dataclass(frozen=True, repr=False)
class Scripted(Runner):
    """Answers every cell with the effects of one real fit, moved by a formula.

    Differences and coefficients move by ``moved_by``, ratios by the same number on the logarithmic scale. Cells of
    which ``failing`` is true have no answer, those of which ``doubtful`` is true failed their diagnostics.
    """

    failing: Callable[[Cell], bool] = lambda _: False
    doubtful: Callable[[Cell], bool] = lambda _: False
    asked: list[Cell] = field(default_factory=list)

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Return each cell's outcome."""
        return [self.outcome(cell) for cell in cells]

    def outcome(self, cell: Cell) -> Outcome:
        """Return one cell's outcome."""
        self.asked.append(cell)
        if self.failing(cell):
            return Failure(cell.key, cell.name, "it could not be fitted", "the specification")
        base = self.base(cell)
        doubt = self.doubtful(cell)
        reasons = ("3 divergent transitions",) if doubt else ()
        return Answer(cell.key, moved(base.table, moved_by(cell)), not doubt, reasons, 0.1)

    def base(self, cell: Cell) -> Answer:
        """Return the answer of the specification without a confounder or a shift, made once for each survey."""
        plain = plain_cell(cell)
        if plain.key not in _ANSWERS:
            effects = fit_once(plain.model, plain.survey, seed=plain.seed, options=plain.options).effects()
            _ANSWERS[plain.key] = Answer(plain.key, answer_table(effects, plain.ci_prob), True, (), 0.1)
        return _ANSWERS[plain.key]


def fit_once(
    model: PathModel, survey: Survey, *, seed: int = 1, options: SamplerOptions = FEW, **others: object
) -> Fit:
    """Return ``fit``, made once for each specification, survey, seed and options."""
    key = f"{model.name} {Cell('fit', model, survey, seed, options).key}"
    if key not in _FITS:
        _FITS[key] = fit(model, survey, seed=seed, options=options)
    return _FITS[key]


@contextmanager
def fits_made_once() -> Iterator[None]:
    """Let the analyses share their fits and their parts: what is tested is what becomes of them."""
    with pytest.MonkeyPatch.context() as patch:
        for home in ("every", "confounder.confounding"):
            patch.setattr(f"bayes_sp.sensitivity.{home}.fit", fit_once)
        for name in MADE_ONCE:
            patch.setattr(every, name, part_made_once(getattr(every, name)))
        yield


def part_made_once(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function, called once for the same objects, seed, target and formula of the refits.

    The formula does not matter to a part that asks for no refit, and neither does the runner to one of `OF_THE_FIT`.
    """

    def shared(*arguments: object, **options: Any) -> object:
        runner = options.get("runner")
        same = (function.__name__, *map(id, arguments), options.get("target"), options.get("seed"))
        if function.__name__ in OF_THE_FIT:
            if same not in _PARTS:
                asked = Scripted()
                found = function(*arguments, **{**options, "runner": asked})
                if asked.asked:
                    return function(*arguments, **options)
                _PARTS[same] = found, arguments  # they are kept, and so their ids
            return _PARTS[same][0]
        if runner is not None and not isinstance(runner, Scripted):
            return function(*arguments, **options)
        key = (*same, () if runner is None else (runner.failing, runner.doubtful))
        if key not in _PARTS:
            _PARTS[key] = function(*arguments, **options), arguments
        return _PARTS[key][0]

    return shared


def plain_cell(cell: Cell) -> Cell:
    """Return the cell of the specification as `chain_tables` has it."""
    model = chain_model(len(cell.model.mediators), cell.model.equations[-1].family)
    return Cell("plain", model, cell.survey, cell.seed, cell.options)


def moved_by(cell: Cell) -> float:
    """Return what a cell's assumptions add to every effect: towards 0 from below, the more sceptical the prior."""
    equation = cell.model.equations[0]
    prior = prior_of(cell.model, (equation.response, cell.model.exposure))
    sigma = float(prior.values.get("sigma", math.inf))
    shrunk = HALF / (sigma + HALF) - HALF / (0.5 + HALF)
    strengths = [s for confounder in cell.model.unmeasured for _, s in confounder.strengths if isinstance(s, float)]
    product = -math.prod(strengths) if strengths else 0.0
    return shrunk + PER_STRENGTH * product + PER_SHIFT * sum(delta for _, delta in cell.model.missing_shift)


def moved(table: pd.DataFrame, by: float) -> pd.DataFrame:
    """Return an effects table whose effects are all moved."""
    table = table.copy()
    ratio = table["scale"].str.endswith("_ratio").to_numpy()
    for name in ("mean", "median", "lower", "upper"):
        values = table[name].to_numpy(dtype=float)
        table[name] = np.where(ratio, values * math.exp(by), values + by)
    return table


def scripted_places(runner: Scripted, stop_after: int | None = None) -> Callable[..., Generator[tuple[Cell, Outcome]]]:
    """Return what can stand for ``bayes_sp.analysis.batch.runner.fitted_here``; it is interrupted after some cells."""

    def fitted(cells: Sequence[Cell], _cores: int) -> Generator[tuple[Cell, Outcome]]:
        for done, cell in enumerate(cells):
            if stop_after is not None and done >= stop_after:
                raise KeyboardInterrupt
            yield cell, runner.outcome(cell)

    return fitted
