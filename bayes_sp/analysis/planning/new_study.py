"""Simulated studies of several sizes, analysed as the real one would be: the probability that they show an effect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import made_with
from bayes_sp.analysis.batch.chunks import KeptRows, Row, run_chunks
from bayes_sp.analysis.batch.progress import Tally
from bayes_sp.analysis.calibration.simulated import without_limits
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.analysis.fit import fit
from bayes_sp.analysis.planning.plan import Plan, Source, analysed, read_plan
from bayes_sp.arrays import Array
from bayes_sp.calls import needs_records
from bayes_sp.design.build import unchecked_design
from bayes_sp.design.design import Design
from bayes_sp.design.read import Records, survey_of
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.comparisons.joined import all_effects
from bayes_sp.effects.paths import RATIOS
from bayes_sp.effects.summary import summarise
from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, sample_posterior, silent
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown, short

SHOWN = (
    "recruited", "follow_up", "patients", "excludes_null", "mcse", "inside", "outside", "narrow", "width", "coverage",
)  # fmt: skip
_NUMBERS = ("true", "median", "lower", "upper")


@dataclass(frozen=True, eq=False, repr=False)
class NewStudy(Shown):
    """Simulated studies, and how often they show what is asked.

    Attributes
    ----------
    plan
        What was simulated.
    seed
        Of the simulations.
    studies
        One row for each: ``patients, simulation``, the effect's ``true`` value, ``median`` and interval ``lower,
        upper`` of its posterior, ``failure`` ('' where it could be analysed).
    mark
        Whose exposure and covariates the simulated patients have.
    """

    plan: Plan
    seed: int
    studies: pd.DataFrame
    mark: str

    @property
    def null(self) -> float:
        """The value of no effect: 1 for ratios, 0 otherwise."""
        return 1.0 if self.plan.scale in RATIOS else 0.0

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each number of patients with a follow-up.

        Columns ``patients``; ``excludes_null``, the share of studies whose interval does not hold the value of no
        effect (assurance; O'Hagan, Stevens & Campbell 2005, doi:10.1002/pst.175), with its Monte Carlo standard error
        ``mcse``; ``right_sign``, the same on the true effect's side; ``inside`` and ``outside`` of the region of
        practical equivalence, and ``narrow`` enough, where asked for; mean ``width``; ``coverage``; ``failed`` studies.
        """
        return pd.DataFrame([self._row(int(size), own) for size, own in self.studies.groupby("patients")])

    def _row(self, size: int, studies: pd.DataFrame) -> Row:
        lower, upper, true = (studies[name].to_numpy(dtype=float) for name in ("lower", "upper", "true"))
        done, region = (studies["failure"] == "").to_numpy(), self.plan.region
        above, below = done & (lower > self.null), done & (upper < self.null)
        share = float((above | below).mean())
        row: Row = {"patients": size, "excludes_null": share, "mcse": np.sqrt(share * (1.0 - share) / len(studies))}
        row["right_sign"] = float(np.where(true > self.null, above, below).mean())
        if region is not None:
            row["inside"] = float((done & (lower >= region[0]) & (upper <= region[1])).mean())
            row["outside"] = float((done & ((upper < region[0]) | (lower > region[1]))).mean())
        if self.plan.width is not None:
            row["narrow"] = float((done & (upper - lower <= self.plan.width)).mean())
        row["width"] = float((upper - lower)[done].mean()) if done.any() else float("nan")
        row["coverage"] = float(((lower <= true) & (true <= upper))[done].mean()) if done.any() else float("nan")
        return row | {"failed": int((~done).sum()), "simulations": len(studies)}

    @property
    def grid(self) -> pd.DataFrame:
        """The table by number of patients recruited and share who come back."""
        tried = [(count, share) for count in self.plan.recruited for share in self.plan.follow_up]
        rows = pd.DataFrame(tried, columns=["recruited", "follow_up"])
        return rows.assign(patients=[analysed(*one) for one in tried]).merge(self.table, on="patients")

    def needed(self) -> float | None:
        """Return the number of patients with a follow-up at which assurance reaches what is asked, None beyond.

        Linear between neighbouring sizes; the smallest size where all reach it.
        """
        sizes, shares = self.table["patients"].to_numpy(float), self.table["excludes_null"].to_numpy(float)
        enough = np.flatnonzero(shares >= self.plan.assurance)
        if not len(enough):
            return None
        k = int(enough[0])
        if k == 0:
            return float(sizes[0])
        part = (self.plan.assurance - shares[k - 1]) / (shares[k] - shares[k - 1])
        return float(sizes[k - 1] + part * (sizes[k] - sizes[k - 1]))

    def sentences(self) -> list[str]:
        """Return what the simulated studies say, and what they assume."""
        plan, table = self.plan, self.table
        kind = f"{100 * plan.ci_prob:.0f} % interval of the effect {plan.asked_for}"
        first, last = table.iloc[0], table.iloc[-1]
        needed, sizes = self.needed(), table["patients"]
        found = [
            f"The {kind} excludes {self.null:g} in {100 * first['excludes_null']:.0f} % of studies of {sizes.iloc[0]} "
            f"patients and in {100 * last['excludes_null']:.0f} % of {sizes.iloc[-1]}."
        ]
        asked = f"An assurance of {plan.assurance:g}"
        if needed is None:
            found.append(f"{asked} is reached by none of these sizes.")
        else:
            at = "at or below" if needed == sizes.iloc[0] else "near"
            recruited = "; ".join(f"{np.ceil(needed / share):.0f} recruited at {share:g}" for share in plan.follow_up)
            found.append(f"{asked} is reached {at} {needed:.0f} patients with a follow-up ({recruited}).")
        base = "the posterior of a fit" if plan.base == "fit" else "the priors"
        several = "" if len(plan.truth) == 1 else "s"
        given = f", with {len(plan.truth)} parameter{several} as stated in the plan" if plan.truth else ""
        found += [f"Truths are drawn from {base}{given}; patients are like those of {self.mark}.",
                  "Whether a patient comes back is taken to be independent of everything else."]  # fmt: skip
        if lost := int(table["failed"].sum()):
            why = self.studies.loc[self.studies["failure"] != "", "failure"].iloc[0]
            found.append(
                f"{lost} of {len(self.studies)} studies could not be analysed and count as showing nothing: {why}"
            )
        return found

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.plan.model.name}, {len(self.studies)} simulated studies, seed {self.seed}"
        return head, [*self.sentences(), short(self.grid, SHOWN, rows=len(self.grid))]


@needs_records
def design_study(
    plan: Source,
    survey: Records,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    workers: int | None = None,
    folder: str | Path | None = None,
    progress: Notify = silent,
) -> NewStudy:
    """Simulate studies of several sizes, analyse each with the specification, and count what they show.

    Parameters
    ----------
    plan
        A TOML file (docs/planning.md), its tables, or a `Plan`.
    survey
        The records at hand: simulated patients have exposure and covariates of these, drawn with replacement; the plan
        may take truths from a fit to them.
    seed
        Simulation ``k`` has the same truth at every size.
    options
        Of each fit; 2 chains of 500 draws by default.
    workers, folder, progress
        As in `bayes_sp.calibrate`.

    Returns
    -------
    NewStudy

    Raises
    ------
    SpecificationError
        With every mistake of the plan; for priors or hidden confounders that records cannot be simulated from.
    RunError
        For a folder that holds something else.
    """
    plan = read_plan(plan)
    survey = survey_of(plan.model, survey)
    if plan.model.confounders:
        raise SpecificationError(plan.source, ["model: has unmeasured confounders; leave them out"])
    options = replace(options or SamplerOptions(draws=500, chains=2), cores=1)
    truths = _truths(plan, survey, seed)
    identity = _identity(plan, survey, seed, options)
    kept = None if folder is None else KeptRows(Path(folder), "studies", identity)
    rows = kept.read() if kept else []
    try:
        found = {(int(row["patients"]), int(row["simulation"])): _typed(row) for row in rows}
    except (ValueError, KeyError) as error:
        raise kept.broken() if kept else error from error
    wanted = [(size, k) for size in plan.sizes for k in range(plan.simulations)]
    model = without_limits(plan.model, survey, steps=True)  # as the study will be answered
    todo = [(size, k, truths.isel(draw=[k])) for size, k in wanted if (size, k) not in found]
    tally = Tally(len(wanted), len(found), what="studies")
    for some in run_chunks(study_some, todo, workers, replace(plan, model=model), survey, seed, options):
        found |= {(row["patients"], row["simulation"]): row for row in some}
        if kept is not None:
            kept.write([found[key] for key in sorted(found)])
        progress(tally.counted(len(some)))
    return NewStudy(plan, seed, pd.DataFrame([found[key] for key in wanted]), survey.mark)


def study_some(
    some: Sequence[tuple[int, int, xr.Dataset]], plan: Plan, survey: Survey, seed: int, options: SamplerOptions
) -> list[Row]:
    """Run some simulated studies, in whatever process this is called."""
    return [_study(size, k, truth, plan, survey, seed, options) for size, k, truth in some]


def _study(size: int, k: int, truth: xr.Dataset, plan: Plan, survey: Survey, seed: int, options: SamplerOptions) -> Row:
    """Simulate and analyse one study."""
    first, second = (int(word) for word in np.random.SeedSequence([seed, k, size]).generate_state(2))
    row: Row = {"patients": size, "simulation": k, **dict.fromkeys(_NUMBERS, float("nan")), "failure": ""}
    try:
        row["true"] = float(_effect(plan, unchecked_design(plan.model, survey), truth).item())
        given = {str(name): values.to_numpy()[0, 0] for name, values in truth.data_vars.items()}
        with np.errstate(over="ignore"):
            records = simulate_survey(plan.model, survey, given, n=size, seed=first)
        design = unchecked_design(plan.model, records)
        tree = sample_posterior(plan.model, records, seed=second, options=options, pointwise=False, design=design)
        draws = _effect(plan, design, tree["posterior"].to_dataset())
        summary = summarise(draws[..., None], plan.ci_prob).iloc[0]
        return row | {name: float(summary[name]) for name in _NUMBERS[1:]}
    except BayesSpError as error:
        return row | {"failure": "; ".join(error.problems)}


def _effect(plan: Plan, design: Design, posterior: xr.Dataset) -> Array:
    effects = all_effects(plan.model, design, posterior).quantities()
    name = f"{plan.effect} [{plan.scale}]"
    if name not in effects:
        scales = sorted({key.rsplit("[", 1)[1].rstrip("]") for key in effects})
        raise SpecificationError(
            plan.source, [f"goal.scale: this model has no {plan.scale}; it has {', '.join(scales)}"]
        )
    return effects[name]


def _truths(plan: Plan, survey: Survey, seed: int) -> xr.Dataset:
    """Return parameters of every simulation, (chain = 1, draw = simulations, ...), as in a posterior."""
    rng, count = np.random.default_rng([seed, 7]), plan.simulations
    if plan.base == "fit":
        drawn = fit(plan.model, survey, seed=seed, pointwise=False).posterior["posterior"].to_dataset()
        stacked = drawn.stack(one=("chain", "draw"), create_index=False).drop_vars(["chain", "draw"], errors="ignore")
        picked = stacked.isel(one=rng.choice(stacked.sizes["one"], count, replace=count > stacked.sizes["one"]))
        found = picked.rename(one="draw").expand_dims("chain").transpose("chain", "draw", ...).copy(deep=True)
    else:
        found = draw_priors(plan.model, unchecked_design(plan.model, survey), draws=count, seed=seed)
    for response, name, value in plan.truth:
        term = f"{response}_term"
        variable, at = (response, {term: name}) if name in found[term] else (name, {f"{name}_response": response})
        found[variable].loc[at] = _drawn(value, rng, count)
    _effect(plan, unchecked_design(plan.model, survey), found.isel(draw=[0]))  # the scale is there
    return found


def _drawn(value: float | Prior, rng: np.random.Generator, count: int) -> Array | float:
    if not isinstance(value, Prior):
        return value
    draw = value.distribution.draw
    assert draw is not None  # noqa: S101 - the plan refuses improper priors
    return np.asarray(draw(rng, count, *value.numbers))


def _typed(row: Row) -> Row:
    """Return a row as it was before it was written."""
    numbers = {name: float("nan") if row[name] == "" else float(row[name]) for name in _NUMBERS}
    whole = {name: int(row[name]) for name in ("patients", "simulation")}
    return {**whole, **numbers, "failure": str(row["failure"])}


def _identity(plan: Plan, survey: Survey, seed: int, options: SamplerOptions) -> Row:
    """Return what a simulated study depends on; sizes and shares may be added."""
    truth = [(response, name, str(value)) for response, name, value in plan.truth]
    return {
        "specification": specification_digest(plan.model), "data": survey.digest, "seed": seed,
        "options": {name: value for name, value in options.chosen().items() if name != "cores"},
        "truth": json.loads(json.dumps([plan.base, plan.simulations, truth])),
        "goal": [plan.effect, plan.scale, plan.ci_prob], "versions": made_with(),
    }  # fmt: skip
