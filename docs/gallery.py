"""Draw every figure of ``bayes_sp.plot``: ``python docs/gallery.py`` writes docs/gallery.md and the pictures beside it.

It takes some minutes. Names of figures as arguments draw only these.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import bayes_sp as sp
from bayes_sp.report.figures.style import FONT, figure_of

HERE = Path(__file__).parent
FOLDER = HERE / "gallery"
DPI, COLOURS = 110, 64
FAST = sp.SamplerOptions(draws=1000, cores=1, method="laplace")
HEAD = """# Gallery

Every figure is a function of a result in `sp.plot`, takes axes of yours with `ax=`, and returns the axes it drew into:
`sp.plot.paths(fit).figure.savefig("paths.pdf")`. `--figures png,svg,pdf` on the command line writes more formats.
Colours are told apart by every kind of sight and in grey; what a figure is read by (unit, kind of interval, records)
stands on it. `python docs/gallery.py` draws this page. The records are made: reconstructed from a published table, or
those of `docs/examples`.
"""


@cache
def study() -> Any:
    return sp.reconstruct(seed=1)


@cache
def walks() -> Any:
    return sp.fit(HERE / "examples/walks.toml", HERE / "examples/staff.csv", options=sp.SamplerOptions(cores=2))


@cache
def serial() -> Any:
    model = sp.load_model("primary")
    tables = {"practical": {"lower": -0.02, "upper": 0.02, "why": "less than one visit of fifty patients"}}
    return sp.fit({**_tables(model), **tables}, study(), options=FAST)


@cache
def moderated() -> Any:
    return sp.fit("moderated", study(), options=FAST)


@cache
def parallel() -> Any:
    model = sp.draft(
        study(), exposure="group_change", mediators=["belonging_t1", "loneliness_t1"], outcome="appointments_t1",
        covariates=["age"], parallel=True,
    )  # fmt: skip
    return sp.fit(model, study(), options=FAST)


@cache
def pool() -> Any:
    return sp.fit("primary", members=12, options=FAST)


def _tables(model: sp.PathModel) -> dict[str, Any]:
    from bayes_sp.model.reading.write import specification_tables

    return specification_tables(model)


def _runner() -> Any:
    return sp.sensitivity.Runner(workers=1)


def _calibration() -> Any:
    few = sp.SamplerOptions(draws=200, tune=200, chains=2, cores=1)
    return sp.calibrate("process4", study(), simulations=40, options=few, workers=2)


def _design() -> Any:
    few = sp.SamplerOptions(draws=200, tune=200, chains=2, cores=1)
    with tempfile.TemporaryDirectory() as folder:
        return sp.design_study(HERE / "examples/new_study.toml", study(), folder=folder, options=few, workers=2)


# name -> (what it shows, how it is called, how the picture here is drawn)
FIGURES: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "paths": (
        "The path diagram.", "sp.plot.paths(fit)", lambda: sp.plot.paths(serial()),
    ),
    "paths_moderated": (
        "With a moderator: dashed arrows point at what it changes.", "sp.plot.paths(fit)",
        lambda: sp.plot.paths(moderated()),
    ),
    "paths_parallel": (
        "Mediators side by side.", "sp.plot.paths(fit)", lambda: sp.plot.paths(parallel()),
    ),
    "forest": ("Every path's effect.", "sp.plot.forest(fit)", lambda: sp.plot.forest(walks())),
    "densities": (
        "Densities, and the region of differences that do not matter.", "sp.plot.densities(fit)",
        lambda: sp.plot.densities(serial()),
    ),
    "dose": (
        "An effect against the value that the exposure is moved to; hatched where the records end.",
        "sp.plot.dose(fit)", lambda: sp.plot.dose(walks()),
    ),
    "effect_curve": (
        "Effects along a moderator.", 'sp.plot.effect_curve(fit.effect_curve("loneliness_t0"))',
        lambda: sp.plot.effect_curve(moderated().effect_curve("loneliness_t0", points=13)),
    ),
    "comparison": (
        "Bayes, bootstrap and publication.", "sp.plot.comparison(fit.compare())",
        lambda: sp.plot.comparison(serial().compare(replicates=1000)),
    ),
    "models": (
        "Several specifications.", 'sp.plot.models(sp.compare_models(["primary", "reversed"], survey))',
        lambda: sp.plot.models(sp.compare_models(["primary", "reversed", "process6"], study(), options=FAST)),
    ),
    "members": (
        "Sets of records, each alone and all together.", "sp.plot.members(fit)",
        lambda: sp.plot.members(pool(), path="group_change -> appointments_t1"),
    ),
    "predictive_checks": (
        "Observed and replicated records; counts as a rootogram.", "sp.plot.predictive_checks(fit.predictive_checks())",
        lambda: sp.plot.predictive_checks(walks().predictive_checks()),
    ),
    "loo_pit": (
        "Predictions of those left out.", "sp.plot.loo_pit(fit.loo_pit())", lambda: sp.plot.loo_pit(walks().loo_pit()),
    ),
    "influence": (
        "What each record does to an effect. It goes patient by patient.", "sp.plot.influence(fit.influence())",
        lambda: sp.plot.influence(serial().influence()),
    ),
    "change": (
        "Change from one wave to the next.", "sp.plot.change(sp.check(survey))",
        lambda: sp.plot.change(sp.check(study())),
    ),
    "prior_check": (
        "What the priors say of each response.", "sp.plot.prior_check(sp.prior_predictive(model, survey).check())",
        lambda: sp.plot.prior_check(sp.prior_predictive(walks().model, walks().survey).check()),
    ),
    "prior_posterior": (
        "Prior and posterior of the coefficient on each arrow.", "sp.plot.prior_posterior(fit)",
        lambda: sp.plot.prior_posterior(serial()),
    ),
    "prior_grid": (
        "An effect under priors crossed with each other.", "sp.plot.prior_grid(sp.sensitivity.priors(fit))",
        lambda: sp.plot.prior_grid(sp.sensitivity.priors(serial(), runner=_runner())),
    ),
    "confounding": (
        "A confounder that nobody measured.", "sp.plot.confounding(sp.sensitivity.confounding(fit))",
        lambda: sp.plot.confounding(sp.sensitivity.confounding(serial(), runner=_runner())),
    ),
    "attrition": (
        "Those who did not come back.", "sp.plot.attrition(sp.sensitivity.attrition(fit, nonresponders))",
        lambda: sp.plot.attrition(sp.sensitivity.attrition(serial(), sp.sensitivity.published_nonresponders())),
    ),
    "kappa": (
        "Effects against kappa.", "sp.plot.kappa(sp.sensitivity.kappa(fit))",
        lambda: sp.plot.kappa(sp.sensitivity.kappa(serial())),
    ),
    "trace": ("Chains, draw by draw (ArviZ).", "sp.plot.trace(fit)", lambda: sp.plot.trace(walks())),
    "rank": ("Ranks of the chains' draws (ArviZ).", "sp.plot.rank(fit)", lambda: sp.plot.rank(walks())),
    "calibration": (
        "A calibration by simulation.", "sp.plot.calibration(sp.calibrate(model, survey))",
        lambda: sp.plot.calibration(_calibration()),
    ),
    "assurance": (
        "The size of a new study.", 'sp.plot.assurance(sp.design_study("plan.toml", survey))',
        lambda: sp.plot.assurance(_design()),
    ),
}  # fmt: skip


def draw(name: str) -> None:
    """Draw one figure with few colours, so that its file is small."""
    from PIL import Image

    with mpl.rc_context(FONT):
        figure = figure_of(FIGURES[name][2]())
        made = io.BytesIO()
        figure.savefig(made, format="png", dpi=DPI)
    picture = Image.open(made).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    size = (FOLDER / f"{name}.png").stat().st_size
    print(f"{name}: {size / 1000:.0f} kB, {np.array(picture).shape}", flush=True)


def page() -> str:
    """Return the page of the gallery."""
    parts = [HEAD]
    for name, (what, call, _) in FIGURES.items():
        title = name.replace("_", " ").capitalize()
        parts.append(f"## {title}\n\n{what}\n\n```python no-run\n{call}\n```\n\n![{what}](gallery/{name}.png)\n")
    return "\n".join(parts)


if __name__ == "__main__":
    mpl.use("agg")
    FOLDER.mkdir(exist_ok=True)
    for each in sys.argv[1:] or FIGURES:
        draw(each)
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")
