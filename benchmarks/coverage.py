"""``python -m benchmarks.coverage``: how often intervals from reconstructed records hold what they claim to.

Records with a known truth are simulated, their moments rounded as an article prints them, and the records thrown away.
From the rounded moments an ensemble is reconstructed and fitted. Its pooled interval, and that of its first member
alone, are held against the truth and against the posterior mean given the records that were thrown away.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayes_sp as sp
from bayes_sp.analysis.several import fit_sets
from bayes_sp.arrays import Array
from bayes_sp.names import ALONE, DIFFERENCE
from bayes_sp.records.published.count_shapes import COUNT_SHAPES
from bayes_sp.records.published.rebuild.rebuild import rebuild
from bayes_sp.records.sets import sets_of
from bayes_sp.records.survey import Survey

N = 178
NORMAL, COUNT, BASELINE = "normal", "negative_binomial", "negative_binomial_baseline"
FAMILIES = [NORMAL, COUNT, BASELINE]
# m = 2.7 + .4 x + .3 z + e, SD .9; the outcome's linear predictor is 1.1 - .1 x - .3 m + .4 z, on the log scale for a
# count with size phi = .8, and five times that with an SD of 8 for a normal outcome. With a baseline, as in the
# published study, a count before (mean 6 exp(.3 z), size .9) enters the log mean by log(1 + w) - 1.7.
MEDIATOR, SIGMA = np.array([2.7, 0.4, 0.3]), 0.9
OUTCOME, PHI, TIMES, SD = np.array([2.0, -0.1, -0.3, 0.4]), 0.8, 5.0, 8.0
EFFECTS = ("x -> y", "x -> m -> y", "total")
OPTIONS = sp.SamplerOptions(draws=500, tune=200, chains=2, cores=1)
COLUMNS = (
    "family", "repeat", "effect", "truth", "full_mean", "full_lower", "full_upper", "single_lower", "single_upper",
    "pooled_lower", "pooled_upper", "share", "beyond",
)  # fmt: skip


def model_of(family: str) -> sp.PathModel:
    """Return the specification that the records are simulated from, with weak priors."""
    count = family != NORMAL

    def prior(dist: str, *numbers: float) -> dict[str, Any]:
        return {
            "dist": dist,
            **dict(zip(("mu", "sigma") if len(numbers) == 2 else ("sigma",), numbers, strict=True)),
        } | {"why": "weak"}

    tables = {
        "title": "Coverage", "question": "Do intervals hold the truth?", "exposure": "x", "outcome": "y",
        "contrast": [0, 1],
        "variables": {
            "x": {"label": "x", "kind": "integer", "min": 0, "max": 1},
            "m": {"label": "m"},
            "y": {"label": "y", "kind": "count" if count else "real"},
        },
        "covariates": {"z": {}, **({"w": {"transform": "log1p", "center": 1.7}} if family == BASELINE else {})},
        "equation": [
            {"response": "m", "family": "normal"}, {"response": "y", "family": COUNT if count else NORMAL},
        ],
        "priors": {
            "intercept": prior("normal", 0.0, 5.0 if count else 30.0),
            "slope": prior("normal", 0.0, 1.0 if count else 10.0),
            "sigma": prior("half_normal", 3.0 if count else 15.0),
            **({"phi": prior("lognormal", 0.0, 1.0)} if count else {}),
        },
    }  # fmt: skip
    return sp.load_model(tables, name=f"coverage_{family}")


def truth_of(family: str, records: pd.DataFrame) -> dict[str, float]:
    """Return the true differences, direct, indirect and total, averaged over orders and over the patients."""
    z, before = records["z"].to_numpy(), _before(records)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def mean(u_direct: int, u_mediator: int) -> float:
        m = MEDIATOR[0] + MEDIATOR[1] * u_mediator + MEDIATOR[2] * z[:, None] + SIGMA * nodes
        eta = OUTCOME[0] + OUTCOME[1] * u_direct + OUTCOME[2] * m + OUTCOME[3] * z[:, None] + before[:, None]
        values = TIMES * eta if family == NORMAL else np.exp(eta)
        return float((values @ weights).mean())

    direct = (mean(1, 0) - mean(0, 0) + mean(1, 1) - mean(0, 1)) / 2
    indirect = (mean(0, 1) - mean(0, 0) + mean(1, 1) - mean(1, 0)) / 2
    return dict(zip(EFFECTS, (direct, indirect, direct + indirect), strict=True))


def _before(records: pd.DataFrame) -> Array:
    """Return what the count before adds to the log mean, 0 without one."""
    return np.log1p(records["w"].to_numpy()) - 1.7 if "w" in records else np.zeros(len(records))


def simulated(family: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return records with the known truth."""
    x, z = rng.integers(0, 2, N), np.round(rng.standard_normal(N), 2)
    m = MEDIATOR @ np.stack([np.ones(N), x, z]) + SIGMA * rng.standard_normal(N)
    records = pd.DataFrame({"x": x, "m": m, "y": 0.0, "z": z})
    if family == BASELINE:
        records["w"] = rng.negative_binomial(0.9, 0.9 / (0.9 + 6.0 * np.exp(0.3 * z)))
    eta = OUTCOME @ np.stack([np.ones(N), x, m, z]) + _before(records)
    if family == NORMAL:
        return records.assign(y=TIMES * eta + SD * rng.normal(size=N))
    return records.assign(y=rng.negative_binomial(PHI, PHI / (PHI + np.exp(eta))))


def study_of(records: pd.DataFrame, family: str) -> dict[str, Any]:
    """Return the moments as an article prints them: two decimals of everything."""
    r = records.corr().to_numpy()
    variables = [
        {"name": name, "mean": f"{records[name].mean():.2f}", "sd": f"{records[name].std():.2f}",
         "correlations": [f"{r[i, j]:.2f}" for j in range(i)]}
        for i, name in enumerate(records)
    ]  # fmt: skip
    scales = [{"variables": ["x"], "minimum": 0, "maximum": 1, "step": "1"}]
    if family != NORMAL:
        counts = [name for name in ("y", "w") if name in records]
        scales.append({"variables": counts, "minimum": 0, "step": "1", "shape": "count"})
    citation = {"authors": ["nobody"], "title": "A simulated study", "year": 2026}
    return {"citation": citation, "table": [{"name": "Table 1", "n": N, "variable": variables}], "scale": scales}


def one_repeat(family: str, repeat: int, members: int) -> list[dict[str, Any]]:
    """Return a row for each effect of one simulated study."""
    rng = np.random.default_rng([repeat, FAMILIES.index(family)])
    records, model = simulated(family, rng), model_of(family)
    seeds = rng.integers(0, 2**31, members)
    shapes = islice(cycle([""] if family == NORMAL else COUNT_SHAPES), members)
    study = study_of(records, family)
    made = [rebuild(study, seed=int(seed), count_shape=shape) for seed, shape in zip(seeds, shapes, strict=True)]
    full = sp.fit(model, Survey(records, "simulation", "simulated"), seed=repeat, options=OPTIONS, pointwise=False)
    pooled = fit_sets(model, sets_of(made), seed=repeat, options=OPTIONS)
    tables = [table_of(fit) for fit in (full, pooled.fits[0], pooled)]
    share, truth = _rows(pooled.shares()), truth_of(family, records)
    beyond = float(np.mean([len(own.deviations) for own in made]))
    rows = []
    for effect in EFFECTS:
        whole, single, pool = (table.loc[effect] for table in tables)
        limits = [one[name] for one in (whole, single, pool) for name in ("lower", "upper")]
        numbers = (truth[effect], whole["mean"], *limits, share.loc[effect, "share"], beyond)
        rows.append(dict(zip(COLUMNS, (family, repeat, effect, *numbers), strict=True)))
    return rows


def table_of(fit: sp.Fit) -> pd.DataFrame:
    """Return differences averaged over orders, by path."""
    return _rows(fit.effects().intervals())


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)].set_index("path")


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for each family and effect, how often intervals hold the truth and the posterior mean of all records."""
    rows = []
    for (family, effect), own in table.groupby(["family", "effect"], sort=False):
        row: dict[str, Any] = {"family": family, "effect": effect, "repeats": len(own)}
        for what, value in (("truth", own["truth"]), ("mean", own["full_mean"])):
            for kind in ("full", "single", "pooled"):
                row[f"{kind} holds {what}"] = ((own[f"{kind}_lower"] <= value) & (value <= own[f"{kind}_upper"])).mean()
        for kind in ("single", "pooled"):
            widths = (own[f"{kind}_upper"] - own[f"{kind}_lower"]) / (own["full_upper"] - own["full_lower"])
            row[f"{kind} width"] = widths.median()
        rows.append(row | {"share": own["share"].median()})
    return pd.DataFrame(rows).drop(columns="full holds mean")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not in the file yet, print the table, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--repeats", type=int, default=100, help="simulated studies of each family (default 100)")
    parser.add_argument("--members", type=int, default=20, help="sets of records of each ensemble (default 20)")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--out", type=Path, default=Path("coverage.csv"), help="where rows are kept as they are done")
    options = parser.parse_args(arguments)
    done = set()
    if options.out.exists():
        done = set(pd.read_csv(options.out)[["family", "repeat"]].itertuples(index=False, name=None))
    else:
        options.out.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    warnings.simplefilter("ignore")
    for repeat in range(options.repeats):
        for family in options.families:
            if (family, repeat) in done:
                continue
            with options.out.open("a", encoding="utf-8", newline="") as file:
                csv.DictWriter(file, COLUMNS, lineterminator="\n").writerows(
                    one_repeat(family, repeat, options.members)
                )
    table = pd.read_csv(options.out)
    print(coverage(table[table["repeat"] < options.repeats]).round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
