"""Simulation-based calibration of a specification: many simulated sets of records, in parallel, with resumption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.batch.cell import made_with
from bayes_sp.analysis.batch.chunks import KeptRows, Row, run_chunks
from bayes_sp.analysis.batch.progress import Tally
from bayes_sp.analysis.calibration.simulated import RANKED, Simulated, simulate_and_rank, without_limits
from bayes_sp.analysis.calibration.uniform import spread_out, uniformity
from bayes_sp.arrays import Array
from bayes_sp.calls import needs_records
from bayes_sp.design.read import Records, survey_of
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.names import ARROW, typed_name
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown, short

_PARTS = ("number", "divergences", "r_hat", "failure")
R_HAT = 1.05  # above it a short fit of a simulation is counted as one that has not converged
LEAST = 20  # simulations that say anything of ranks


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Shown):
    """Ranks of true values among posterior draws, over simulated sets of records.

    Attributes
    ----------
    model
        Whose posteriors.
    seed, options
        Of the simulations, and of the sampler.
    simulated
        One for each simulation.
    mark
        Whose exposure and covariates the simulated patients have.
    """

    model: PathModel
    seed: int
    options: SamplerOptions
    simulated: tuple[Simulated, ...]
    mark: str

    @property
    def ranked(self) -> list[Simulated]:
        """The simulations that could be fitted."""
        return [one for one in self.simulated if not one.failure]

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """Ranks 0 to 99: one row for each simulation that could be fitted, one column for each quantity."""
        index = pd.Index([one.number for one in self.ranked], name="simulation")
        return pd.DataFrame([one.ranks for one in self.ranked], index=index)

    @cached_property
    def uniform(self) -> Array:
        """Ranks as numbers between 0 and 1, uniform where posteriors are right, (simulations, quantities)."""
        return spread_out(self.ranks.to_numpy(), RANKED, self.seed)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each quantity; see `bayes_sp.analysis.calibration.uniform.uniformity`."""
        return uniformity(list(self.ranks.columns), self.uniform)

    @property
    def calibrated(self) -> bool:
        """Whether every quantity's ranks are within their limits, and every simulation could be fitted."""
        return bool(self.table["calibrated"].all()) and len(self.ranked) == len(self.simulated)

    def sentences(self) -> list[str]:
        """Return the verdict, and what it rests on."""
        table, count = self.table, len(self.ranked)
        beyond = table[~table["calibrated"]]
        if len(beyond):
            worst = beyond.loc[(beyond["spread"] - 1.0).abs().idxmax()]
            found = [
                f"{len(beyond)} of {len(table)} quantities are not calibrated: {', '.join(beyond['quantity'])}.",
                f"The spread of {worst['quantity']} is {worst['spread']:.3f} (1 where posteriors are right; limits "
                f"{worst['spread_lower']:.3f} to {worst['spread_upper']:.3f}), its location {worst['location']:+.3f} "
                f"posterior SDs (limit {worst['location_limit']:.3f}).",
            ]
        else:
            found = [f"Nothing speaks against the calibration of {len(table)} quantities over {count} simulations."]
        first = table.iloc[0]
        found.append(
            f"A posterior that is off by {first['location_limit']:.2f} of its SD, or too wide by more than "
            f"{100 * (1 / first['spread_lower'] - 1):.0f} % or too narrow by more than "
            f"{100 * (1 - 1 / first['spread_upper']):.0f} %, would be found in half of such studies."
        )
        if lost := len(self.simulated) - count:
            why = next(one.failure for one in self.simulated if one.failure)
            found.append(f"{lost} of {len(self.simulated)} simulations could not be fitted, such as: {why}.")
        loose = sum(one.r_hat > R_HAT for one in self.ranked)
        diverged = sum(one.divergences > 0 for one in self.ranked)
        if loose or diverged:
            found.append(f"{loose} fits have an R-hat above {R_HAT}, and {diverged} have divergent transitions.")
        return found

    def _shown(self) -> tuple[str, list[Part]]:
        columns = ["quantity", "location", "spread", "deviation", "coverage_95", "calibrated"]
        head = f"{self.model.name}, seed {self.seed}; patients as in {self.mark}"
        names = [typed_name(name) if ARROW in name else name for name in self.table["quantity"]]
        table = self.table.assign(quantity=names)
        return head, [*self.sentences(), short(table, columns, rows=len(table))]


@needs_records
def calibrate(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records,
    *,
    simulations: int = 200,
    seed: int = 1,
    options: SamplerOptions | None = None,
    workers: int | None = None,
    folder: str | Path | None = None,
    progress: Notify = silent,
) -> Calibration:
    """Simulate records from a specification's priors, fit each set, and see where the truth lies among the draws.

    Parameters
    ----------
    model, survey
        As in `bayes_sp.fit`; the simulated patients have the survey's exposure, covariates and windows, those of
        patients without a missing cell. Responses are simulated, so that none of the survey's is used, but for the SD
        of a response measured with error.
    simulations
        How many sets of records.
    seed
        Simulation ``k`` of a seed is the same whatever their number.
    options
        Of each fit; 2 chains of 500 draws by default. The method ``pymc`` compiles anew for each.
    workers
        Processes; None for one for each processor.
    folder
        Where ranks are kept: simulations found there are not run again.
    progress
        Called with a line after each few simulations.

    Returns
    -------
    Calibration
        ``table`` holds a row for each parameter, each path effect on each of its scales, and the log-likelihood.

    Raises
    ------
    SpecificationError
        For priors from which nothing can be drawn, and for unmeasured confounders, whose effects are averages over
        hidden values.
    RunError
        For a folder that holds ranks of something else.
    ValueError
        For fewer than 20 simulations.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018). arXiv:1804.06788
    Modrak, Moon, Kim, Buerkner, Huurre, Faltejskova, Gelman & Vehtari (2023), Bayesian Analysis.
    doi:10.1214/23-BA1404
    """
    model = load_model(model)
    survey = survey_of(model, survey)
    if simulations < LEAST:
        raise ValueError(f"simulations must be at least {LEAST}, found {simulations}")
    _check(model)
    options = options or SamplerOptions(draws=500, chains=2, cores=1)
    kept = None if folder is None else KeptRows(Path(folder), "ranks", _identity(model, survey, seed, options))
    found: dict[int, Row] = {}
    try:
        found = {int(row["number"]): row for row in (kept.read() if kept else []) if int(row["number"]) < simulations}
        done = {number: _simulated(row) for number, row in found.items()}
    except (ValueError, KeyError) as error:
        raise kept.broken() if kept else error from error
    twin = without_limits(model, survey)
    todo = [number for number in range(simulations) if number not in found]
    tally = Tally(simulations, len(found), what="simulations")
    for rows in run_chunks(rank_some, todo, workers, twin, survey, seed, replace(options, cores=1)):
        found |= {row["number"]: row for row in rows}
        done |= {row["number"]: _simulated(row) for row in rows}
        if kept is not None:
            kept.write([found[number] for number in sorted(found)])
        progress(tally.counted(len(rows)))
    return Calibration(model, seed, options, tuple(done[number] for number in sorted(done)), survey.mark)


def rank_some(
    numbers: Sequence[int], model: PathModel, survey: Survey, seed: int, options: SamplerOptions
) -> list[Row]:
    """Run some simulations, in whatever process this is called."""
    done = (simulate_and_rank(model, survey, number, seed=seed, options=options) for number in numbers)
    return [{part: getattr(one, part) for part in _PARTS} | one.ranks for one in done]


def _check(model: PathModel) -> None:
    problems = [
        f"the prior {prior} of {parameter} in the equation of {response} is improper; nothing can be drawn from it"
        for response, parameter, prior in model.priors
        if prior.improper
    ]
    if model.confounders:
        problems.append("has unmeasured confounders, over whose hidden values effects are averaged; leave them out")
    if problems:
        raise SpecificationError(model.name, problems)


def _identity(model: PathModel, survey: Survey, seed: int, options: SamplerOptions) -> dict[str, Any]:
    chosen = {name: value for name, value in options.chosen().items() if name != "cores"}
    return {
        "specification": specification_digest(model), "data": survey.digest, "seed": seed, "options": chosen,
        "ranked": RANKED, "versions": made_with(),
    }  # fmt: skip


def _simulated(row: Row) -> Simulated:
    failure = str(row["failure"])
    ranks = {} if failure else {name: int(value) for name, value in row.items() if name not in _PARTS}
    r_hat = float("nan") if row["r_hat"] == "" else float(row["r_hat"])
    return Simulated(int(row["number"]), ranks, int(row["divergences"]), r_hat, failure)
