"""Several specifications side by side: text, and the folder that keeps them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.comparison.models import DIRECT, REFERENCE, SERIAL, Multiverse
from bayes_sp.analysis.comparison.models import WORDS as ABOUT
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.workflow import REFITS, analyse, compare_models, model_names
from bayes_sp.design.read import survey_of
from bayes_sp.errors import BayesSpError, SurveyWarning
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.people import speaking_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, TOTAL, TOTAL_INDIRECT
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.folders.compared import Wanted, compared_tables, finished_runs, is_same, known_results
from bayes_sp.report.folders.finished import read_run
from bayes_sp.report.folders.run import default_folder
from bayes_sp.report.text.layout import aligned, bullets, decimals_of, estimated, wrapped
from bayes_sp.report.text.summary import summary_text
from bayes_sp.shown import WIDTH, page, page_width

HEADS = {SERIAL: "serial", DIRECT: "direct", TOTAL_INDIRECT: "indirect", TOTAL: "total"}
RATIOS = (RATE_RATIO, RISK_RATIO)


def multiverse_text(found: Multiverse, mark: str, *, width: int = WIDTH, whole: bool = True) -> str:
    """Return what ``compare`` keeps: effects, predictions and verdicts, and the conclusion.

    Not the ``whole``, as it prints: the conclusion, and the effects' differences.
    """
    model = next((entry.model for entry in found.entries if entry.model is not None), None)
    with page(width), speaking_of(model, [mark]) if model is not None else nullcontext():
        said = [f"The {ABOUT[found.effect]} effect in all of them", *wrapped(found.sentence)]
        said += bullets(f"{note}." for note in found.notes)
        lines = [*wrapped(f"Data: {mark}.", margin=""), ""]
        if whole:
            lines += ["1. Effects of each specification", *_effects(found, found.shown), ""]
            lines += ["2. Which predicts the outcome better, and which fits can be used", *_verdicts(found), ""]
            lines += [f"3. {said[0]}", *said[1:]]
        else:
            lines += [*said, "", *_effects(found, found.shown, ratios=False), *_unusable(found)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _unusable(found: Multiverse) -> list[str]:
    """Say which specifications could not be fitted, or must not be used, and why."""
    rows = found.table.drop_duplicates("specification")
    bad = rows[rows["family"].isna() | (rows["trustworthy"] == False)]  # noqa: E712 - pandas
    return bullets(f"{row['specification']}: {str(row['verdict']).rstrip('.')}." for row in bad.to_dict("records"))


def _effects(found: Multiverse, shown: Sequence[str], *, ratios: bool = True) -> list[str]:
    table = found.table[found.table["effect"].notna()]
    if table.empty:
        return wrapped("No specification could be fitted.")
    rows = [["", "", *(HEADS[effect] for effect in shown)]]
    decimals = decimals_of(table[table["scale"] == DIFFERENCE])
    for name, own in table.groupby("specification", sort=False):
        model = next(entry.model for entry in found.entries if entry.name == name and entry.model is not None)
        scales = [DIFFERENCE, next((scale for scale in RATIOS if scale in set(own["scale"])), COEFFICIENT)]
        scales = scales if ratios else [DIFFERENCE]
        for i, scale in enumerate(scale for scale in scales if scale in set(own["scale"])):
            row = [str(name) if i == 0 else "", scale_words(model, scale)]
            for effect in shown:
                cell = own[(own["effect"] == effect) & (own["scale"] == scale)]
                row.append("" if cell.empty else _cell(cell.iloc[0], decimals))
            rows.append(row)
    units = dict.fromkeys(entry.effects.unit for entry in found.entries if entry.effects is not None)
    note = (
        f"Differences in {', or '.join(units)}. Posterior medians and {100 * found.ci_prob:g} % equal-tailed "
        "intervals; differences and ratios are averaged over the orders in which paths can be counted. "
    )
    note += "Serial: through all mediators in the specification's own order. " if SERIAL in shown else ""
    note += "Indirect: all indirect paths together. " if TOTAL_INDIRECT in shown else ""
    note += "Products of coefficients are per unit of exposure." if ratios else ""
    return [*_side_by_side(rows), *wrapped(note)]


def _side_by_side(rows: list[list[str]]) -> list[str]:
    """Return a table with two columns of heads; what does not fit beside the others stands below, with the heads."""
    columns = len(rows[0])
    whole = aligned(rows, "ll" + "r" * (columns - 2))
    if max(map(len, whole)) <= page_width():
        return whole
    half = 2 + (columns - 1) // 2
    first, second = ([[*row[:2], *row[chosen]] for row in rows] for chosen in (slice(2, half), slice(half, None)))
    return [*_side_by_side(first), "", *_side_by_side(second)] if columns > 3 else whole


def _cell(row: pd.Series, decimals: int) -> str:
    return estimated(row, "median", decimals)


def _verdicts(found: Multiverse) -> list[str]:
    rows, reasons = [["", "outcome", "elpd difference (SE)", "can be used"]], []
    cautious = {entry.name for entry in found.entries if entry.verdict is not None and entry.verdict.cautions}
    for name, own in found.table.groupby("specification", sort=False):
        first = own.iloc[0]
        if pd.isna(first["family"]):
            rows.append([str(name), "", "", "not fitted"])
            reasons.append(f"{name}: {first['verdict']}")
            continue
        family = str(first["family"]).replace("_", " ")
        rows.append([str(name), family, _elpd(first), "yes" if first["trustworthy"] else "NO"])
        if not first["trustworthy"] or name in cautious:
            reasons.append(f"{name}: {first['verdict']}")
        if first["elpd_reason"] and first["elpd_reason"] != REFERENCE:
            reasons.append(f"{name}, elpd: {first['elpd_reason']}")
    note = (
        "elpd: expected log predictive density of the outcome of a patient who was left out, summed over patients; "
        "positive: predicts better than the specification marked 0. A difference of less than about twice its SE, or "
        "of less than 4, says little."
    )
    listed = bullets(f"{reason.rstrip('.')}." for reason in reasons)
    return [*aligned(rows, "llrr"), *wrapped(note), *listed]


def _elpd(row: pd.Series) -> str:
    if row["elpd_reason"] == REFERENCE:
        return "0"
    return "" if pd.isna(row["elpd_difference"]) else f"{row['elpd_difference']:+.1f} ({row['elpd_se']:.1f})"


@dataclass(frozen=True, eq=False)
class Kept:
    """A comparison whose runs are saved, with its text and what makes it worth keeping (``compare.toml``)."""

    multiverse: Multiverse
    text: str
    tables: dict[str, Any]
    mark: str
    lines: tuple[str, ...]

    def printed(self, width: int, *, whole: bool) -> str:
        """Return what ``compare`` prints on a page of so many columns."""
        text = multiverse_text(self.multiverse, self.mark, width=width, whole=whole)
        return text + "".join(f"{line}\n" for line in self.lines)


def compare_and_keep(
    models: Sequence[str], data: Survey | Path | None, reconstruction: int, folder: Path, *, seed: int,
    options: SamplerOptions, replicates: int = 0, notify: Notify = silent,
) -> Kept:  # fmt: skip
    """Compare specifications, each fit taken from a finished run where there is one, else fitted and saved as a run.

    Runs are looked for in ``folder`` and in ``runs``. A run is the same fit where specification, records, seed,
    sampler options (but cores) and version are the same. What an earlier comparison keeps of it is not computed again
    (`known_results`). A run without the draws of what was not measured of single
    patients (`Conditioned.lacking`), which a folder without records does not keep, is fitted again, and a line says so.

    Models that cannot be read or fitted stand in the table with the reason.
    """
    survey: Survey | Path = reconstruct(reconstruction) if data is None else data
    lines: list[str] = []
    roots = (folder, Path("runs"))
    wanted = _wanted(models, survey, seed, options)
    known = known_results(wanted, REFITS, roots)
    lines += [f"Taken from a finished run: {name} from {run}" for name, (_, run) in known.items()]

    def one(model: PathModel, records: Survey) -> Fit:
        """Return a finished run with the same draws, or fit and save one."""
        same = [run for run in finished_runs(roots) if is_same(run, Wanted(model, records, seed, options))]
        lacking = dict[Path, str]()
        for run in same:
            found = Fit(model, records, read_run(run).posterior, seed, options)
            lacking[run] = " and ".join(found.lacking())
            if not lacking[run]:
                lines.append(f"Taken from a finished run: {model.name} from {run}")
                return found
        lines.extend(_again(model.name, *next(iter(lacking.items()))) if lacking else [])
        analysis = analyse(model, records, seed=seed, options=options, replicates=replicates, notify=notify)
        if not any(run.is_relative_to(folder) for run in same):  # else these draws are there already
            destination = default_folder(model.name, records.digest, seed, folder)
            save_analysis(analysis, destination, summary=summary_text(analysis))
        return analysis.fit

    results = {name: result for name, (result, _) in known.items()}
    found = compare_models(models, survey, seed=seed, options=options, fit_one=one, known=results, notify=notify)
    mark = survey.mark if isinstance(survey, Survey) else survey.name
    text = multiverse_text(found, mark) + "".join(f"{line}\n" for line in lines)
    return Kept(found, text, compared_tables(found, wanted, REFITS), mark, tuple(lines))


def _wanted(
    models: Sequence[str], survey: Survey | Path, seed: int, options: SamplerOptions
) -> list[tuple[str, Wanted]]:
    """Return each specification that can be read with its records, as a fit; why the others cannot, is told later."""
    found = []
    for name, given in zip(model_names(models), models, strict=True):
        with suppress(BayesSpError), warnings.catch_warnings():
            warnings.simplefilter("ignore", SurveyWarning)  # the comparison warns
            model = load_model(given)
            records = survey_of(model, survey)
            found.append((name, Wanted(model, records, seed, options)))
    return found


def _again(name: str, run: Path, lacking: str) -> list[str]:
    """Say why a finished run is not used."""
    return wrapped(f"Fitted again: {name}. {run} does not keep draws of {lacking}.", margin="")
