"""What finished runs and comparisons keep, so that a comparison computes nothing a second time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.comparison.models import REFERENCE, KnownEffects, ModelResult, Multiverse
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.versions import versions
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.records.survey import Survey
from bayes_sp.report.folders.finished import EMPTY_TEXTS
from bayes_sp.report.folders.run import RUN_FILE
from bayes_sp.report.folders.sealed import changed_files, sealed_tables
from bayes_sp.safe_text import restored

COMPARED_FILE = "compare.toml"
ELPD = ("elpd_difference", "elpd_se", "elpd_reason")
WORDS_OF_VERDICT = ("trustworthy", "reasons", "cautions")


@dataclass(frozen=True, eq=False)
class Wanted:
    """A fit as content: the same content is the same fit."""

    # model, survey, seed, options: as in `bayes_sp.fit`.
    model: PathModel
    survey: Survey
    seed: int
    options: SamplerOptions

    @property
    def content(self) -> dict[str, Any]:
        """Digests of specification and records, seed, version and options, but for cores, which change no draw."""
        return {
            "specification": specification_digest(self.model), "data": self.survey.digest, "seed": self.seed,
            "version": versions()["bayes_sp"], "options": _without_cores(self.options.chosen()),
        }  # fmt: skip


def finished_runs(roots: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders below some folders, or below the folders in them, that hold a finished run."""
    for root in roots:
        if root.is_dir():
            yield from (path.parent for depth in ("*", "*/*") for path in sorted(root.glob(f"{depth}/{RUN_FILE}")))


def is_same(run: Path, wanted: Wanted) -> bool:
    """Whether a run's folder holds the draws that a fit would give, every file as it was written."""
    info = sealed_tables(run / RUN_FILE)
    if not info:
        return False
    same = wanted.content == {
        "specification": info["specification_digest"], "data": info["data"]["digest"],
        "seed": info["seed"], "version": info["bayes_sp"], "options": _without_cores(info["sampler"]),
    }  # fmt: skip
    return same and not changed_files(run, info)


def known_results(
    wanted: Sequence[tuple[str, Wanted]], refits: int, roots: Sequence[Path]
) -> dict[str, tuple[ModelResult, Path]]:
    """Return what need not be fitted or computed again, and the run that keeps it.

    Of a specification its effects and its verdict must be kept by a finished run, and its difference in elpd by a
    comparison with the same first specification, so that nothing is taken unless that of the first is. Where another
    one has to be computed, the first is too: their elpd are compared patient by patient, and no folder keeps a
    patient's.
    """
    compared = [
        row for root in roots for path in _comparisons(root) for row in sealed_tables(path).get("specification", [])
    ]
    first = wanted[0][1].content if wanted else {}
    found: dict[str, tuple[ModelResult, Path]] = {}
    for name, fit in wanted:
        asked = {"fit": fit.content, "first": first, "refits": refits}
        rows = [row for row in compared if {key: row.get(key) for key in asked} == asked]
        run = next((run for run in finished_runs(roots) if is_same(run, fit)), None)
        if rows and run is not None:
            found[name] = _result(name, fit, run, rows[-1]), run
    names = [name for name, _ in wanted]
    if names and names[0] in found and len(found) < len(names):
        del found[names[0]]
        return found
    return found if names and names[0] in found else {}


def compared_tables(found: Multiverse, wanted: Sequence[tuple[str, Wanted]], refits: int) -> dict[str, Any]:
    """Return the content of ``compare.toml``: each specification's difference in elpd from the first, by content."""
    fits = dict(wanted)
    rows = found.table.drop_duplicates("specification").set_index("specification")
    names = [name for name in fits if name in rows.index and pd.notna(rows.loc[name, "elpd_reason"])]
    if not names or rows.loc[names[0], "elpd_reason"] != REFERENCE or names[0] != next(iter(fits)):
        return {"specification": []}
    first = fits[names[0]].content
    kept = []
    for name in names:
        numbers = {key: rows.loc[name, key] for key in ELPD if pd.notna(rows.loc[name, key])}
        own = {key: value if isinstance(value, str) else float(value) for key, value in numbers.items()}
        kept.append({"name": name, "refits": refits, **own, "fit": fits[name].content, "first": first})
    return {"specification": kept}


def _result(name: str, wanted: Wanted, run: Path, row: dict[str, Any]) -> ModelResult:
    """Return a specification's result from what is kept of it."""
    effects, diagnostics = (
        restored(pd.read_csv(run / f"{table}.csv", dtype=dict.fromkeys(EMPTY_TEXTS, str)))
        for table in ("effects", "diagnostics")
    )
    said = sealed_tables(run / RUN_FILE)["verdict"]
    numbers = {key: value for key, value in said.items() if key not in WORDS_OF_VERDICT}
    verdict = Verdict(said["trustworthy"], tuple(said["reasons"]), numbers, diagnostics, tuple(said["cautions"]))
    effects = effects.fillna({"decomposition": ""})
    model = wanted.model
    known = KnownEffects(effects, model.contrast, model.outcome_unit, wanted.survey.mark)
    return ModelResult(name, model, known, verdict, elpd={key: row[key] for key in ELPD if key in row})


def _comparisons(root: Path) -> list[Path]:
    return [path for depth in ("", "*/", "*/*/") for path in sorted(root.glob(f"{depth}{COMPARED_FILE}"))]


def _without_cores(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "cores"}
