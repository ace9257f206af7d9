"""An analysis -> its run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_sp.analysis.criticism.pointwise import Criticism
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.provenance import records_of, records_table
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.inference.versions import versions
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.names import KEEPS_RECORDS, LEAST_COUNT, NUMBERED
from bayes_sp.report.document.words import answer
from bayes_sp.report.folders.netcdf import write_netcdf
from bayes_sp.report.folders.run import FILES_KEY, POSTERIOR_FILE, RUN_FILE, Destination, RunFolder
from bayes_sp.report.folders.sealed import sealed_text
from bayes_sp.safe_text import write_csv
from bayes_sp.threads import MOST_SENT, begun

type Figures = Callable[[], dict[str, bytes]]  # waits for what is to be written, by the file's name
KEPT_GROUPS = ("posterior", "sample_stats")  # the others hold a value for each patient


def save_analysis(
    analysis: Analysis,
    folder: Path | Destination,
    *,
    overwrite: bool = False,
    keep_records: bool = False,
    least: int = LEAST_COUNT,
    summary: str = "",
    figures: Sequence[str] = ("png",),
    drawn: Figures | None = None,
) -> Path:
    """Write a run folder, whole or not at all, and return where it stands.

    Raises RunError where the folder exists and may not be replaced, or cannot be written.

    With ``keep_records`` the patients' records and what is computed for each patient are also written: ``records.csv``,
    ``influence.csv`` and its figure, the observed minimum and maximum in ``predictive.csv``, and in ``posterior.nc``
    the groups ``observed_data``, ``constant_data`` and ``log_likelihood`` and the names of groups of patients. Without
    it no row of a patient's data is written, and no table tells of fewer than ``least`` patients. ``posterior.nc`` and
    ``run.toml`` say which: ``keeps_records``. ``drawn`` waits for figures that `begin_drawing` began.
    """
    fit, shown = analysis.fit, 0 if keep_records else least
    drawn = drawn or begin_drawing(analysis, shown, figures)
    with RunFolder(folder, overwrite=overwrite) as new:
        write_text(new.file("summary.txt"), summary)
        for name, table in tables_of(analysis, shown):
            write_csv(table, new.file(f"{name}.csv"), index=name == "reconstructions")
        tree = fit.posterior.copy() if keep_records else _without_patients(fit, least)
        tree.attrs = {**fit.posterior.attrs, KEEPS_RECORDS: int(keep_records)}
        if keep_records:
            write_csv(records_of(fit.survey), new.file("records.csv"))
        write_netcdf(tree, new.file(POSTERIOR_FILE))
        if analysis.criticism is not None:
            _save_criticism(analysis, analysis.criticism, new, shown)
        for name, content in drawn().items():
            new.file(name).write_bytes(content)
        written = [new.path(name) for name in new.names]
        tables = run_tables(analysis)
        tables["privacy"] = {KEEPS_RECORDS: keep_records, "least_count": shown}
        write_text(new.file(RUN_FILE), sealed_text({**tables, FILES_KEY: new.names}, written))
    return new.folder


def tables_of(analysis: Analysis, least: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every table of an analysis but those of its criticism, none of which goes patient by patient.

    Numbers of patients that are all but fewer than ``least`` of them are left out.
    """
    comparison, found = analysis.comparison, analysis.conditional
    yield "effects", analysis.effects.table()
    if analysis.coefficients is not None:
        yield "coefficients", analysis.coefficients.table
    yield "comparison", _without_few_missing(comparison.table, analysis.fit, least)
    yield "bootstrap", comparison.bootstrap
    if found is not None:
        yield "conditional", found.table()
        yield "conditional_differences", found.differences()
        yield "moderated_mediation", found.index()
        twins = comparison.conditional
        yield from _of_twins("conditional_bootstrap", {name: twin.table for name, twin in twins.items()})
        yield from _of_twins("conditional_differences_bootstrap", {n: t.differences() for n, t in twins.items()})
        yield from _of_twins("moderated_mediation_bootstrap", {name: twin.index() for name, twin in twins.items()})
    for curve in analysis.curves:
        yield curve.name, curve.table
    for name, size in analysis.sizes.items():
        if len(size.table):
            yield name, size.table
    if analysis.contrasts is not None:
        yield "contrasts", analysis.contrasts.table()
    yield from _of_twins("contrasts_bootstrap", comparison.contrasts)
    others = (("interventional", analysis.interventional), ("reconstructions", analysis.spread),
              ("pooled", analysis.shares), ("members", analysis.members), ("rubin", comparison.rubin))  # fmt: skip
    yield from ((name, table) for name, table in others if table is not None)
    yield "diagnostics", analysis.verdict.table


def _of_twins(name: str, tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of each likelihood's bootstrap as one, where there are any."""
    if tables:
        yield name, pd.concat([own.assign(likelihood=key) for key, own in tables.items()], ignore_index=True)


def result_of(analysis: Analysis, least: int = LEAST_COUNT) -> dict[str, Any]:
    """Return an analysis as mappings and tables: the answer in sentences, what ``run.toml`` has, every table."""
    model = analysis.fit.model
    facts = {key: value for key, value in run_tables(analysis).items() if key != "specification"}
    said = list(answer(model, analysis.effects.intervals(), analysis.comparison.table))
    return {"answer": said, **facts, "tables": dict(tables_of(analysis, least))}


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with the same line ends everywhere."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))


def _without_few_missing(table: pd.DataFrame, fit: Fit, least: int) -> pd.DataFrame:
    """Return a table without numbers of patients that are all but a few of the records."""
    few = len(fit.survey) - table["patients"]
    return table.assign(patients=table["patients"].mask((few > 0) & (few < least)))


def _without_patients(fit: Fit, least: int) -> xr.DataTree:
    """Return the draws without any group that has a value for each patient, and without the names of groups.

    Where a group has fewer than ``least`` patients, what is drawn for it says something of each of them: the groups'
    own draws are left out then, and tau and all effects stay.
    """
    tree = fit.posterior
    kept = {name: node.to_dataset() for name, node in tree.children.items() if name in KEPT_GROUPS}
    for equation in fit.model.equations:
        if (column := equation.varying) and column in kept["posterior"].coords:
            own, sizes = kept["posterior"], fit.survey.records[column].value_counts()
            if sizes.min() < least:
                kept["posterior"] = own.drop_dims(column)
            else:
                numbers = (column, [str(i + 1) for i in range(own.sizes[column])], {NUMBERED: 1})
                kept["posterior"] = own.assign_coords({column: numbers})
    return xr.DataTree.from_dict(kept)


def _save_criticism(analysis: Analysis, found: Criticism, new: RunFolder, least: int) -> None:
    """Write tables of criticism; what goes patient by patient only with the records, where least is 0."""
    checks = found.checks.without_patients(least) if least else found.checks
    write_csv(checks.table, new.file("predictive.csv"))
    write_csv(_without_few_missing(found.loo.table, analysis.fit, least), new.file("loo.csv"))
    if not least:
        write_csv(found.influence.table, new.file("influence.csv"))


def begin_paths(fit: Fit, formats: Sequence[str]) -> Figures:
    """Begin to draw the path diagram of a fit, and return what waits for it; see `begin_drawing`."""
    if len(fit.survey) > MOST_SENT:
        return partial(_drawn_paths, fit, formats)
    return begun(_drawn_paths, _plain(fit), formats)


def begin_drawing(analysis: Analysis, least: int, formats: Sequence[str], paths: Figures | None = None) -> Figures:
    """Begin to draw, and return what waits for the figures; a process beside this one is sent what they need alone.

    ``least`` is 0 where records are kept: figures that go patient by patient are drawn then. ``paths`` waits for the
    path diagram where `begin_paths` has begun it.
    """
    paths = paths or begin_paths(analysis.fit, formats)
    if len(analysis.fit.survey) > MOST_SENT:
        others: Figures = partial(_drawn, analysis, least, formats)
    else:
        plain = replace(analysis, fit=_plain(analysis.fit), coefficients=None, spread=None, members=None)
        others = begun(_drawn, plain, least, formats)
    return lambda: {**paths(), **others()}


def _plain(fit: Fit) -> Fit:
    """Return a fit with the posterior alone."""
    draws = xr.DataTree.from_dict({"posterior": fit.posterior["posterior"].to_dataset()})
    return Fit(fit.model, fit.survey, draws, fit.seed, fit.options)


def _drawn_paths(fit: Fit, formats: Sequence[str]) -> dict[str, bytes]:
    from bayes_sp.report.folders.drawings import drawn_paths  # matplotlib: where the figures are drawn

    return drawn_paths(fit, formats)


def _drawn(analysis: Analysis, least: int, formats: Sequence[str]) -> dict[str, bytes]:
    from bayes_sp.report.folders.drawings import drawn_files

    return drawn_files(analysis, least, formats)


def run_tables(analysis: Analysis) -> dict[str, Any]:
    """Return the content of ``run.toml``."""
    fit, verdict = analysis.fit, analysis.verdict
    attrs, used = fit.posterior.attrs, versions()
    return {
        "bayes_sp": used["bayes_sp"],
        "model": fit.model.name,
        "seed": fit.seed,
        "data": records_table(fit.survey),
        "verdict": {
            "trustworthy": verdict.trustworthy,
            "reasons": list(verdict.reasons),
            "cautions": list(verdict.cautions),
            **{name: float(value) for name, value in verdict.numbers.items()},
        },
        "sampler": fit.options.chosen(),
        "seconds": {
            "compiling": attrs["seconds_compiling"],
            "sampling": attrs["seconds_sampling"],
            **analysis.seconds,
        },
        "versions": used,
        **({"incomplete_priors": json.loads(attrs["incomplete_priors"])} if "incomplete_priors" in attrs else {}),
        "specification_digest": specification_digest(fit.model),
        "specification": specification_tables(fit.model),
    }
