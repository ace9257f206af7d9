"""One fit from the command line, whole process by stage, with an empty and with a filled compile cache."""

from __future__ import annotations

import tomllib
from pathlib import Path

from benchmarks.figure import Figure, Settings, figure, ratio
from benchmarks.process import seconds_of

PARTS = ("compiling", "sampling")  # of the stage "fit"
REST = "imports, start and saving"


def figures(settings: Settings) -> list[Figure]:
    """Run the command with a new cache and again with the same one, three times each: one set of records, and all."""
    repeats = 1 if settings.quick else 3
    extra = ["--draws", "100", "--bootstrap", "100"] if settings.quick else []
    cold, warm, every, others = [], [], [], []
    alone = ["--members", "1", *extra]
    for i in range(repeats):
        cache = settings.folder / f"fit-cache-{i}"
        cold.append(_stages(settings.folder / f"fit-cold-{i}", cache, alone))
        warm.append(_stages(settings.folder / f"fit-warm-{i}", cache, alone))
        every.append(_seconds(settings.folder / f"fit-every-{i}", cache, extra))
        others.append(seconds_of(["-c", "import pymc, arviz"]))
    found: list[Figure] = []
    for name, runs in (("cold", cold), ("warm", warm)):
        for stage in runs[0]:
            unit = "s" if stage != ESS else "draws"
            found.append(figure(f"{name}: {stage}", [run[stage] for run in runs], unit, NOTES.get(stage, "")))
    totals = [figure("total", [run["total"] for run in runs]) for runs in (cold, warm)]
    pooled = figure("warm: total of an ensemble", every, "s", NOTES["ensemble"])
    imports = figure("import pymc, arviz", others, "s", NOTES["imports"])
    ratios = ratio("cold / warm, total", totals[0], totals[1]), ratio("ensemble / one set", pooled, totals[1])
    return [*found, pooled, imports, *ratios, ratio("one set, warm / import pymc, arviz", totals[1], imports)]


ESS = "smallest bulk ESS"
NOTES = {
    "total": "python -m bayes_sp fit --members 1, wall time of the process",
    "ensemble": "python -m bayes_sp fit: 20 sets of records, and 4 at the edge of what is known",
    "imports": "python -c, what a session with the plain model loads before it does anything",
    "rest of the fit": "checks, design, pointwise log-likelihood",
    REST: "total less the stages above",
    ESS: "over all parameters and effects",
}


def _seconds(run: Path, cache: Path, extra: list[str]) -> float:
    return seconds_of(["-m", "bayes_sp", "fit", "--out", str(run), *extra], cache=cache, statuses=(0, 3))


def _stages(run: Path, cache: Path, extra: list[str]) -> dict[str, float]:
    """Return the seconds of every stage and of the whole process, and the smallest ESS."""
    total = _seconds(run, cache, extra)
    info = tomllib.loads((run / "run.toml").read_text(encoding="utf-8"))
    return split_stages(info["seconds"], total) | {ESS: float(info["verdict"]["ess_bulk"])}


def split_stages(seconds: dict[str, float], total: float) -> dict[str, float]:
    """Return seconds by stage that add up to the total, from the stages that a run recorded, and the total."""
    later = {name: value for name, value in seconds.items() if name not in (*PARTS, "fit")}
    stages = {name: seconds[name] for name in PARTS}
    stages["rest of the fit"] = seconds["fit"] - sum(stages.values())
    stages |= later
    return {**stages, REST: total - sum(stages.values()), "total": total}
