"""Plans of new studies: read strictly, and assurance that agrees with power where that has a closed form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayes_sp as sp
from bayes_sp import design_study
from bayes_sp.analysis.planning.plan import read_plan
from bayes_sp.cli.main import OK, USER_MISTAKE, main
from bayes_sp.errors import SpecificationError

FEW = sp.SamplerOptions(draws=200, tune=200, chains=2)
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "new_study.toml"
WEAK = {"dist": "normal", "mu": 0, "sigma": 10, "why": "weak"}
CHAIN = {
    "title": "x", "exposure": "x", "outcome": "y", "contrast": [0, 1],
    "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}],
    "priors": {"intercept": WEAK, "slope": WEAK, "sigma": {"dist": "half_normal", "sigma": 10, "why": "weak"}},
}  # fmt: skip
A, B, C = 0.4, 0.0, 0.3


def plan(**goal: object) -> dict[str, Any]:
    """Return the plan of a study with known coefficients: everything else is fixed, too."""
    truth = {
        "from": "priors", "m": {"intercept": 0, "x": A, "sigma": 1}, "y": {"intercept": 0, "x": C, "m": B, "sigma": 1}
    }  # fmt: skip
    return {"model": CHAIN, "recruited": [60, 120], "simulations": 10, "truth": truth, "goal": goal}


def records(seed: int = 1) -> sp.Survey:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=300)
    m = A * x + rng.normal(size=300)
    return sp.Survey(pd.DataFrame({"x": x, "m": m, "y": C * x + rng.normal(size=300)}), "memory", "made")


def test_a_plan_says_all_its_mistakes_at_once(tmp_path: Path) -> None:
    """Each with its key, and the nearest known name."""
    file = tmp_path / "plan.toml"
    file.write_text(
        'model = "primary"\nrecruited = [10, -3]\nfollow_up = [1.2]\nsimulations = 2\nsize = 3\n'
        '[truth]\nfrom = "posterior"\n[truth.loneliness]\na = 1\n[truth.appointments_t1]\nlonelines_t1 = 1\n'
        'phi = {dist = "flat", why = "x"}\n[goal]\neffect = "direct"\nregion = [1, 0]\nassurance = 1.5\n'
        'scale = "odds"\n'
    )
    with pytest.raises(SpecificationError) as found:
        read_plan(file)
    said = str(found.value)
    for words in (
        "recruited: must be numbers of patients",
        "follow_up: must be shares",
        "simulations: must be",
        "size: unknown key",
        "truth.from: unknown from 'posterior'",
        "truth.loneliness: is no response",
        "truth.appointments_t1.lonelines_t1",
        "truth.appointments_t1.phi: Flat() is improper",
        "goal.effect: unknown effect",
        "goal.region: must be two",
        "goal.region_why: is missing",
        "goal.assurance: must be between",
        "goal.scale: unknown scale",
    ):
        assert words in said, words
    with pytest.raises(SpecificationError, match=r"model: .*no_such"):
        read_plan({"model": "no_such", "recruited": [100]})
    with pytest.raises(SpecificationError, match="12 patients come back of the smallest study; at least"):
        read_plan({"model": "primary", "recruited": [12]})


def test_the_shipped_example_is_read() -> None:
    """Sizes are all numbers of patients with a follow-up, each once."""
    found = read_plan(EXAMPLE)
    assert found.sizes == (56, 112, 120, 224, 240, 448, 480, 960)
    assert found.effect == "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    assert replace(found, effect="total_indirect").asked_for == f"total indirect ({found.scale.replace('_', ' ')})"


def test_studies_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    """A larger study is added to what is there; numbers do not depend on how many sizes are tried."""
    told: list[str] = []
    one = {**plan(effect="total"), "recruited": [60]}
    first = design_study(one, records(), options=FEW, workers=1, folder=tmp_path)
    more = design_study(
        plan(effect="total"), records(), options=FEW, workers=1, folder=tmp_path, progress=told.append
    )  # fmt: skip
    assert told == ["20 of 20 studies (10 taken from the store)"]
    assert more.studies.iloc[:10][["true", "lower", "upper"]].to_numpy() == pytest.approx(
        first.studies[["true", "lower", "upper"]].to_numpy()
    )
    assert list(more.table["patients"]) == [60, 120]
    assert more.studies["true"].to_numpy() == pytest.approx(np.full(20, C + A * B), abs=1e-9)
    assert more.table["width"].is_monotonic_decreasing
    assert "independent of everything else" in repr(more)


def test_goals_are_counted_as_the_plan_says() -> None:
    """Shares inside and outside the region, of narrow intervals and of the right sign, by hand."""
    study = design_study(
        plan(effect="total", region=[-0.1, 0.1], region_why="small", width=0.6), records(), options=FEW, workers=1
    )  # fmt: skip
    own = study.studies[study.studies["patients"] == 120]
    row = study.table.set_index("patients").loc[120]
    assert row["excludes_null"] == ((own["lower"] > 0) | (own["upper"] < 0)).mean()
    assert row["outside"] == ((own["lower"] > 0.1) | (own["upper"] < -0.1)).mean()
    assert row["inside"] == ((own["lower"] >= -0.1) & (own["upper"] <= 0.1)).mean()
    assert row["narrow"] == (own["upper"] - own["lower"] <= 0.6).mean()
    assert row["coverage"] == ((own["lower"] <= own["true"]) & (own["upper"] >= own["true"])).mean()


@pytest.mark.slow
def test_assurance_is_the_power_of_a_t_test_where_the_truth_is_known() -> None:
    """The direct effect's interval excludes 0 as often as its t statistic exceeds the quantile, within 4.5 errors."""
    sizes, count = [40, 100], 120
    asked = {**plan(effect="x -> y"), "recruited": sizes, "simulations": count}
    found = design_study(asked, records(), options=sp.SamplerOptions(draws=400, tune=200, chains=2)).table
    own = records().records
    x, rng = own["x"].to_numpy(), np.random.default_rng(5)
    for size, share in zip(sizes, found["excludes_null"], strict=True):
        draws = x[rng.integers(0, len(x), (4000, size))]
        m = A * draws + rng.normal(size=draws.shape)
        r = np.array([np.corrcoef(pair)[0, 1] for pair in zip(draws, m, strict=True)])
        left = draws.var(axis=1) * size * (1 - r**2)
        df, limit = size - 3, stats.t.ppf(0.975, size - 3)
        shift = C * np.sqrt(left)
        power = float(np.mean(stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)))
        assert abs(share - power) < 4.5 * np.sqrt(power * (1 - power) / count) + 0.01, size


def test_the_command_prints_the_grid_and_saves_it(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sentences, the table by recruitment and follow-up, and the files; a mistake ends with status 2."""
    Path("p.toml").write_text(
        'model = "process4"\nrecruited = [100]\nfollow_up = [0.5, 0.9]\nsimulations = 10\n[truth]\nfrom = "priors"\n'
    )
    assert main(["design", "p.toml", "--draws", "100", "--workers", "1", "--out", "d"]) == OK
    said = capsys.readouterr().out
    assert "Truths are drawn from the priors" in said
    assert "excludes null" in said
    assert sorted(p.name for p in Path("d").iterdir()) == ["design.csv", "design.png", "studies.csv", "studies.json"]
    grid = pd.read_csv("d/design.csv")
    assert list(grid["patients"]) == [50, 90]
    Path("p.toml").write_text('model = "process4"\n')
    assert main(["design", "p.toml"]) == USER_MISTAKE
    assert "recruited: is missing" in capsys.readouterr().err
