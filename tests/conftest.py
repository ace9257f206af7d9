"""Made-up specifications, surveys and draws that the tests share. No test of plumbing waits for a sampler.

Tests run on every core, by pytest-xdist (``-n 0`` for one process; files that are named run in one). Each worker has
one BLAS thread. All share one folder of numba's machine code, for which each function is compiled once: the engines,
which most tests wait for, before the workers start.
"""

from __future__ import annotations

import copy
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("PYTENSOR_FLAGS", "cxx=")  # Python evaluates PyMC's densities; a C compiler would take longer
os.environ["COLUMNS"] = "120"  # of a page that is kept, whatever the terminal
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "numba"))

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from seeds import move_seeds, seeds_as_written

from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_text
from bayes_sp.records.survey import Survey

MOST_WORKERS = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed-offset", type=int, default=0, help="other seeds for all that is not meant to be fixed")


def pytest_configure(config: pytest.Config) -> None:
    move_seeds(config.getoption("--seed-offset"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker for each core that this process may use; none where the command names files."""
    named = config.option.file_or_dir
    if named and not any(Path(name).is_dir() for name in named):
        return 0
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


ENGINES = """
from bayes_sp.inference.engine.native import engine
for name in {names}:
    engine(name)
"""
BOOTSTRAPS = """
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.inference.likelihood.rows import rows_of
for name in FAMILIES:
    rows_of(name)
"""


COMPILERS = pytest.StashKey[list[subprocess.Popen[bytes]]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to compile the engines, in a process each, while the workers look for tests."""
    if "PYTEST_XDIST_WORKER" in os.environ or not session.config.getoption("numprocesses", 0):
        return
    sources = (ENGINES.format(names=["all"]), ENGINES.format(names=["basic", "correlated"]) + BOOTSTRAPS)
    session.config.stash[COMPILERS] = [
        subprocess.Popen([sys.executable, "-c", source], cwd=session.config.rootpath) for source in sources
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Hand out no test before the engines are there: two workers would compile them twice."""
    ends = [compiler.wait() for compiler in node.config.stash[COMPILERS]]
    if any(ends):
        raise pytest.UsageError("the engine does not compile; see above")


def pytest_collection_finish() -> None:
    """Keep what is imported and collected out of every search for garbage: it stays."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Leave the seeds of a test that is about fixed seeds, and of the fixtures made for it, as they are written."""
    with seeds_as_written(fixed=item.get_closest_marker("fixed_seed") is not None):
        return (yield)


SMALL: dict[str, Any] = {
    "title": "Walks, mood and visits",
    "question": "Do walks go with fewer visits through mood?",
    "exposure": "walks",
    "outcome": "visits",
    "contrast": [0, 2],
    "assumptions": ["Mood and visits were asked on the same day."],
    "variables": {
        "walks": {"label": "Walks a week", "unit": "walks", "kind": "integer", "min": 0, "max": 7},
        "mood": {"label": "Mood", "unit": "points (0-10)", "min": 0, "max": 10, "center": 5.0},
        "visits": {"label": "Visits", "unit": "visits per person per year", "kind": "count"},
    },
    "covariates": {
        "age": {"center": 50.0, "scale": 10.0},
        "visits_before": {"transform": "log1p", "center": 1.0},
        "housing": {"levels": [1, 2, 3]},
    },
    "equation": [
        {"response": "mood", "family": "normal"},
        {"response": "visits", "family": "negative_binomial"},
    ],
    "priors": {
        "intercept": {"dist": "normal", "mu": 2.0, "sigma": 2.0, "why": "middle of the scale"},
        "slope": {"dist": "normal", "mu": 0.0, "sigma": 0.5, "why": "small"},
        "sigma": {"dist": "half_normal", "sigma": 2.0, "why": "scale is 10 wide"},
        "phi": {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "near 1"},
        "visits": {"walks": {"dist": "normal", "mu": 0.0, "sigma": 0.2, "why": "smaller"}},
    },
    "published": [
        {
            "path": "walks -> mood -> visits",
            "estimate": [-0.2, -0.02],
            "lower": -0.4,
            "upper": -0.01,
            "source": "a table",
        },
        {"path": "total", "estimate": -0.5, "source": "the text"},
    ],
}


def small_survey(n: int = 150, seed: int = 0) -> Survey:
    """Return made-up records with the columns of the shipped specifications."""
    rng = np.random.default_rng(seed)
    frame = {
        "group_change": rng.integers(-3, 5, n),
        "belonging_t0": rng.integers(1, 5, n),
        "loneliness_t0": np.round(rng.uniform(1, 5, n) * 8) / 8,
        "appointments_t0": rng.negative_binomial(1, 0.2, n),
        "age": rng.integers(18, 90, n),
        "gender": rng.integers(1, 3, n),
        "relationship": rng.integers(0, 2, n),
        "education": rng.integers(1, 4, n),
    }
    frame["belonging_t1"] = np.clip(np.round(2.5 + 0.1 * frame["group_change"] + rng.normal(0, 1, n)), 1, 4).astype(int)
    lonely = 3.4 - 0.35 * frame["belonging_t1"] + rng.normal(0, 0.8, n)
    frame["loneliness_t1"] = np.clip(np.round(lonely * 8) / 8, 1, 5)
    mean = np.exp(0.3 + 0.25 * frame["loneliness_t1"] + 0.4 * np.log1p(frame["appointments_t0"]))
    frame["appointments_t1"] = rng.negative_binomial(1.2, 1.2 / (1.2 + mean))
    return Survey(pd.DataFrame(frame), "simulation", f"a made-up survey (seed {seed})")


def user_survey(n: int = 120, seed: int = 0) -> Survey:
    """Return made-up records with the columns of the small specification, which shares no name with the study."""
    rng = np.random.default_rng(seed)
    walks, age = rng.integers(0, 8, n), rng.integers(20, 90, n)
    before, housing = rng.negative_binomial(2, 0.3, n), rng.integers(1, 4, n)
    mood = np.clip(np.round(4 + 0.3 * walks + rng.normal(0, 1.5, n), 1), 0, 10)
    mean = np.exp(1.2 - 0.12 * mood + 0.3 * np.log1p(before))
    visits = rng.negative_binomial(2.0, 2.0 / (2.0 + mean))
    columns = {"walks": walks, "mood": mood, "visits": visits, "age": age, "visits_before": before, "housing": housing}
    return Survey(pd.DataFrame(columns), "file", "clinic.csv")


def fake_posterior(model: PathModel, design: Design, seed: int = 0, chains: int = 4, draws: int = 250) -> xr.DataTree:
    """Return independent normal draws round least squares (of log(y + 1/2) for counts), in the sampler's shape."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    spread: dict[str, list[str]] = {"sigma": [], "phi": []}
    values: dict[str, list[np.ndarray]] = {"sigma": [], "phi": []}
    for j, equation in enumerate(model.equations):
        count = equation.family == "negative_binomial"
        x, y = equation_matrix(model, design, j), np.log(design.y[:, j] + 0.5) if count else design.y[:, j]
        beta = np.linalg.lstsq(x, y)[0]
        rms = float(np.sqrt(np.mean((y - x @ beta) ** 2)))
        root = np.linalg.cholesky(np.linalg.inv(x.T @ x))
        noise = rng.standard_normal((chains, draws, len(beta)))
        name = "phi" if count else "sigma"
        found[equation.response] = (("chain", "draw", f"{equation.response}_term"), beta + rms * noise @ root.T)
        coords[f"{equation.response}_term"] = list(model.terms(equation))
        spread[name].append(equation.response)
        values[name].append((1.5 if count else rms) * np.exp(0.08 * rng.standard_normal((chains, draws))))
    for name, responses in spread.items():
        if responses:
            found[name] = (("chain", "draw", f"{name}_response"), np.stack(values[name], axis=-1))
            coords[f"{name}_response"] = responses
    places = {"chain": np.arange(chains), "draw": np.arange(draws)}
    energy = (("chain", "draw"), rng.standard_normal((chains, draws)))
    stats = {"diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool)), "energy": energy}
    likelihood = rng.standard_normal((chains, draws, design.n))
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(found, coords=coords),
            "sample_stats": xr.Dataset(stats, coords=places),
            "log_likelihood": xr.Dataset({f"{design.outcome}_observed": (("chain", "draw", "patient"), likelihood)}),
            "observed_data": xr.Dataset({f"{design.outcome}_observed": ("patient", design.y[:, -1])}),
            "constant_data": xr.Dataset({design.exposure: ("patient", design.x)}),
        }
    )
    tree.attrs = {
        "seed": seed, "draws": draws, "tune": 1, "chains": chains, "cores": 1, "target_accept": 0.8, "divergences": 0,
        "seconds_compiling": 0.0, "seconds_sampling": 0.0, "model": model.name,
        "specification": specification_text(model),
    }  # fmt: skip
    return tree


@pytest.fixture
def small_tables() -> dict[str, Any]:
    """Return the tables of a sound specification with one mediator, for a test to spoil."""
    return copy.deepcopy(SMALL)


@pytest.fixture(scope="session")
def small_model() -> PathModel:
    return load_model(copy.deepcopy(SMALL), name="small")


@pytest.fixture(scope="session")
def make_survey() -> Callable[..., Survey]:
    return small_survey


@pytest.fixture(scope="session")
def make_user_survey() -> Callable[..., Survey]:
    return user_survey


@pytest.fixture(scope="session")
def make_posterior() -> Callable[..., xr.DataTree]:
    return fake_posterior


@pytest.fixture
def small_design(small_model: PathModel) -> Design:
    return design_arrays(small_model, user_survey())


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, as a user would."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
