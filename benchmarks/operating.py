"""``python -m benchmarks.operating``: what each analysis of the study would say, over many studies with a known truth.

Truths are fits to the reconstructed records: a normal, a negative binomial, a zero-inflated and a heavy-tailed
(Poisson-lognormal, with the negative binomial's means and variances) outcome; each with the serial effect of its fit,
and with none (loneliness without a part in appointments). Records have the exposure and covariates of the 178 patients.
Analyses: percentile bootstrap of least squares (as published) and of the negative binomial, and the posteriors of both
specifications. An analysis of counts has nothing to say of a normal outcome, which is negative for some.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import made_with
from bayes_sp.analysis.batch.chunks import KeptRows, Row, run_chunks
from bayes_sp.analysis.calibration.simulated import without_limits
from bayes_sp.design.build import unchecked_design
from bayes_sp.design.evaluate import mean_predictor, with_elements
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.paths import compute_effects
from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import path_name
from bayes_sp.records.survey import Survey

TRUTHS = {"normal": "process6", "negative binomial": "primary", "zero-inflated": "zinb", "heavy-tailed": "primary"}
ANALYSES = (
    "least squares, bootstrap",
    "normal, posterior",
    "negative binomial, bootstrap",
    "negative binomial, posterior",
)
PROBABILITIES = (0.5, 0.8, 0.95)
REPLICATES = 500
OPTIONS = sp.SamplerOptions(draws=500, tune=300, chains=2, cores=1)
OUTCOME, CAUSE = "appointments_t1", "loneliness_t1"


@dataclass(frozen=True)
class Truth:
    """A data-generating process: a specification with parameters, and the tail of its counts."""

    name: str
    effect: bool
    model: PathModel
    parameters: dict[str, Any]
    serial: float


def truths(survey: Survey) -> list[Truth]:
    """Return every truth with the serial effect of its fit and with none."""
    found = []
    for name, specification in TRUTHS.items():
        fitted = sp.fit(specification, survey, seed=1, pointwise=False)
        model = without_limits(fitted.model, survey)
        for effect in (True, False):
            means = fitted.posterior["posterior"].to_dataset().mean(("chain", "draw"), keepdims=True)
            if not effect:
                means = _without(means)
            design = unchecked_design(model, survey)
            serial = compute_effects(model, design, means).quantities()[f"{path_name(model.chain)} [difference]"]
            given = {str(key): values.to_numpy()[0, 0] for key, values in means.data_vars.items()}
            found.append(Truth(name, effect, model, given, float(serial.item())))
    return found


def _without(means: xr.Dataset) -> xr.Dataset:
    """Return parameters in which loneliness has no part in appointments."""
    means = means.copy(deep=True)
    means[OUTCOME].loc[{f"{OUTCOME}_term": CAUSE}] = 0.0
    if f"{OUTCOME}_zero" in means and CAUSE in means[f"{OUTCOME}_zero_term"]:
        means[f"{OUTCOME}_zero"].loc[{f"{OUTCOME}_zero_term": CAUSE}] = 0.0
    return means


def records_of(truth: Truth, survey: Survey, seed: int) -> Survey:
    """Return a study's records under a truth."""
    found = simulate_survey(truth.model, survey, truth.parameters, seed=seed)
    if truth.name != "heavy-tailed":
        return found
    at = with_elements(truth.model, {key: np.asarray(value, dtype=float) for key, value in truth.parameters.items()})
    design = unchecked_design(truth.model, found)
    mean = np.exp(mean_predictor(truth.model, design, len(truth.model.equations) - 1, at, {}))
    spread = np.sqrt(np.log1p(1.0 / float(truth.parameters["phi"].item())))  # of the same variance as the gamma's
    rng = np.random.default_rng([seed, 9])
    rate = mean * np.exp(spread * rng.standard_normal(len(mean)) - spread**2 / 2.0)
    return Survey(found.records.assign(**{OUTCOME: rng.poisson(rate).astype(float)}), "simulation", "heavy-tailed")


def study_some(some: Sequence[tuple[int, int]], truths: list[Truth], survey: Survey, seed: int) -> list[Row]:
    """Run some studies, (truth, repeat) each: a row for each analysis."""
    return [row for place, repeat in some for row in _study(truths[place], place, repeat, survey, seed)]


def _study(truth: Truth, place: int, repeat: int, survey: Survey, seed: int) -> list[Row]:
    number = int(np.random.SeedSequence([seed, place, repeat]).generate_state(1)[0])
    records = records_of(truth, survey, number)
    rows = []
    for analysis in ANALYSES:
        counts = analysis.startswith("negative")
        if counts and truth.name == "normal":
            continue
        model = without_limits(load_model("primary" if counts else "process6"), survey)
        values, estimate = _analysed(model, records, number, bootstrap=analysis.endswith("bootstrap"))
        row: Row = {"truth": place, "repeat": repeat, "analysis": analysis, "estimate": estimate}
        for probability in PROBABILITIES:
            tail = (1.0 - probability) / 2.0
            low, high = np.quantile(values, [tail, 1.0 - tail]) if len(values) else (-np.inf, np.inf)
            row |= {f"lower_{probability}": low, f"upper_{probability}": high}
        rows.append(row)
    return rows


def _analysed(model: PathModel, records: Survey, seed: int, *, bootstrap: bool) -> tuple[np.ndarray, float]:
    """Return draws or replicates of the serial effect's difference, and its estimate: median, or from all patients."""
    design = unchecked_design(model, records)
    serial = path_name(model.chain)
    if bootstrap:
        found = bootstrap_effects(design, model, seed=seed, replicates=REPLICATES)
        place = found.names.index(serial), found.scales.index("difference"), found.decompositions.index("average")
        values = found.values[:, *place]
        return values[~np.isnan(values)], float(found.estimate[place])
    if model.equations[-1].family == "normal":
        posterior = exact_posterior(model, design, seed=seed, chains=2, draws=1000)
    else:
        tree = sample_posterior(model, records, seed=seed, options=OPTIONS, pointwise=False, design=design)
        posterior = tree["posterior"].to_dataset()
    draws = compute_effects(model, design, posterior).quantities()[f"{serial} [difference]"].ravel()
    return draws, float(np.median(draws))


def summary(rows: pd.DataFrame, truths: list[Truth]) -> pd.DataFrame:
    """Return bias, RMSE, coverage, width, and the share of 95 % intervals without 0, by truth and analysis."""
    found = []
    for (place, analysis), own in rows.groupby(["truth", "analysis"], sort=False):
        truth = truths[int(place)]
        error = own["estimate"] - truth.serial
        row: Row = {"truth": truth.name, "serial": truth.serial, "analysis": analysis, "studies": len(own)}
        row |= {"bias": error.mean(), "bias_mcse": error.std() / np.sqrt(len(own)), "rmse": np.sqrt((error**2).mean())}
        for probability in PROBABILITIES:
            low, high = own[f"lower_{probability}"], own[f"upper_{probability}"]
            row[f"coverage_{100 * probability:.0f}"] = ((low <= truth.serial) & (truth.serial <= high)).mean()
        row["width_95"] = (own["upper_0.95"] - own["lower_0.95"]).median()
        row["excludes_0"] = ((own["lower_0.95"] > 0) | (own["upper_0.95"] < 0)).mean()
        found.append(row)
    return pd.DataFrame(found)


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose numbers were read from a file as numbers."""
    return rows.astype({name: float for name in rows.columns if name != "analysis"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing of the studies, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operating", description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=200, help="studies of each truth (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("operating"), help="folder in which studies are kept")
    options = parser.parse_args(arguments)
    survey = sp.reconstruct(seed=1)
    known = truths(survey)
    kept = KeptRows(options.out, "studies", {"seed": options.seed, "versions": made_with()})
    rows = kept.read()
    done = {(int(row["truth"]), int(row["repeat"])) for row in rows}
    wanted = [(place, repeat) for repeat in range(options.repeats) for place in range(len(known))]
    todo = [one for one in wanted if one not in done]
    for some in run_chunks(study_some, todo, options.workers, known, survey, options.seed):
        rows += some
        kept.write(rows)
    table = summary(_numbers(pd.DataFrame(rows)), known)
    table.to_csv(options.out / "operating.csv", index=False)
    print(table.round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    # A worker process looks for this module's functions by the module's name, under which they must be known here.
    from benchmarks.operating import main as main_by_name

    sys.exit(main_by_name())
