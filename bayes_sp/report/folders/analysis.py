"""An analysis -> its run folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bayes_sp.analysis.criticism.pointwise import Criticism
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.provenance import records_of, records_table
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.files import WholeFile
from bayes_sp.inference.versions import versions
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.names import KEEPS_RECORDS, LEAST_COUNT, NUMBERED
from bayes_sp.report.figures.criticism import plot_influence, plot_loo_pit, plot_predictive_checks
from bayes_sp.report.figures.moderation import plot_effect_curve
from bayes_sp.report.figures.paths import plot_comparison, plot_paths
from bayes_sp.report.folders.netcdf import write_netcdf
from bayes_sp.report.folders.run import FILES_KEY, POSTERIOR_FILE, RUN_FILE, Destination, RunFolder
from bayes_sp.report.folders.sealed import sealed_text
from bayes_sp.safe_text import write_csv

KEPT_GROUPS = ("posterior", "sample_stats")  # the others hold a value for each patient
DPI = 150


def save_analysis(
    analysis: Analysis,
    folder: Path | Destination,
    *,
    overwrite: bool = False,
    keep_records: bool = False,
    least: int = LEAST_COUNT,
    summary: str = "",
) -> Path:
    """Write a run folder, whole or not at all, and return where it stands.

    Parameters
    ----------
    analysis
        What to save.
    folder
        This folder, or the next free name where it is taken in the meantime.
    overwrite
        Replace the folder of an earlier run.
    keep_records
        Also write the patients' records and what is computed for each patient: ``records.csv``, ``influence.csv`` and
        its figure, the observed minimum and maximum in ``predictive.csv``, and in ``posterior.nc`` the groups
        ``observed_data``, ``constant_data`` and ``log_likelihood`` and the names of groups of patients. Without it no
        row of a patient's data is written. ``posterior.nc`` and ``run.toml`` say which: ``keeps_records``.
    least
        The smallest number of patients that a table may tell of without ``keep_records``.
    summary
        The printed summary, kept as ``summary.txt``.

    Raises
    ------
    RunError
        Where the folder exists and may not be replaced, or cannot be written.
    """
    fit = analysis.fit
    with RunFolder(folder, overwrite=overwrite) as new:
        write_text(new.file("summary.txt"), summary)
        shown = 0 if keep_records else least
        write_csv(analysis.effects.table(), new.file("effects.csv"))
        if analysis.coefficients is not None:
            write_csv(analysis.coefficients.table, new.file("coefficients.csv"))
        write_csv(_without_few_missing(analysis.comparison.table, fit, shown), new.file("comparison.csv"))
        write_csv(analysis.comparison.bootstrap, new.file("bootstrap.csv"))
        _save_conditional(analysis, new)
        for name, size in analysis.sizes.items():
            if len(size.table):
                write_csv(size.table, new.file(f"{name}.csv"))
        if analysis.contrasts is not None:
            write_csv(analysis.contrasts.table(), new.file("contrasts.csv"))
        if twins := [table.assign(likelihood=name) for name, table in analysis.comparison.contrasts.items()]:
            write_csv(pd.concat(twins, ignore_index=True), new.file("contrasts_bootstrap.csv"))
        if analysis.interventional is not None:
            write_csv(analysis.interventional, new.file("interventional.csv"))
        if analysis.spread is not None:
            write_csv(analysis.spread, new.file("reconstructions.csv"), index=True)
        for name, table in (("pooled", analysis.shares), ("members", analysis.members),
                            ("rubin", analysis.comparison.rubin)):  # fmt: skip
            if table is not None:
                write_csv(table, new.file(f"{name}.csv"))
        write_csv(analysis.verdict.table, new.file("diagnostics.csv"))
        tree = fit.posterior.copy() if keep_records else _without_patients(fit, least)
        tree.attrs = {**fit.posterior.attrs, KEEPS_RECORDS: int(keep_records)}
        if keep_records:
            write_csv(records_of(fit.survey), new.file("records.csv"))
        write_netcdf(tree, new.file(POSTERIOR_FILE))
        with mpl.rc_context({"font.family": "DejaVu Sans"}):  # ships with matplotlib: the same figure everywhere
            write_png(plot_paths(fit), new.file("paths.png"))
            write_png(plot_comparison(analysis.comparison), new.file("comparison.png"))
            for curve in analysis.curves:
                write_png(plot_effect_curve(fit.model, curve), new.file(f"along_{curve.moderator}.png"))
            if analysis.criticism is not None:
                _save_criticism(analysis, analysis.criticism, new, shown)
        written = [new.path(name) for name in new.names]
        tables = run_tables(analysis)
        tables["privacy"] = {KEEPS_RECORDS: keep_records, "least_count": shown}
        write_text(new.file(RUN_FILE), sealed_text({**tables, FILES_KEY: new.names}, written))
    return new.folder


def _save_conditional(analysis: Analysis, new: RunFolder) -> None:
    """Write effects at levels of moderators, between levels and along them, and their bootstrap twins."""
    found = analysis.conditional
    if found is None:
        return
    write_csv(found.table(), new.file("conditional.csv"))
    write_csv(found.differences(), new.file("conditional_differences.csv"))
    write_csv(found.index(), new.file("moderated_mediation.csv"))
    for curve in analysis.curves:
        write_csv(curve.table, new.file(f"along_{curve.moderator}.csv"))
    twins = analysis.comparison.conditional
    tables = {
        "conditional_bootstrap.csv": [twin.table.assign(likelihood=name) for name, twin in twins.items()],
        "conditional_differences_bootstrap.csv": [t.differences().assign(likelihood=n) for n, t in twins.items()],
        "moderated_mediation_bootstrap.csv": [t.index().assign(likelihood=n) for n, t in twins.items()],
    }
    for name, parts in tables.items():
        if parts:
            write_csv(pd.concat(parts, ignore_index=True), new.file(name))


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
    """Write tables and figures of criticism; what goes patient by patient only with the records, where least is 0."""
    checks = found.checks.without_patients(least) if least else found.checks
    write_csv(checks.table, new.file("predictive.csv"))
    write_csv(_without_few_missing(found.loo.table, analysis.fit, least), new.file("loo.csv"))
    write_png(plot_predictive_checks(checks), new.file("predictive.png"))
    write_png(plot_loo_pit(found.pit), new.file("loo_pit.png"))
    if not least:
        write_csv(found.influence.table, new.file("influence.csv"))
        write_png(plot_influence(found.influence), new.file("influence.png"))


def save_figure(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure as PNG, whole or not at all.

    Raises
    ------
    RunError
        Where the file exists and ``overwrite`` is False, or cannot be written.
    """
    with WholeFile(path, overwrite=overwrite) as partial, mpl.rc_context({"font.family": "DejaVu Sans"}):
        write_png(figure, partial)


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure as `Figure.savefig` does, which would draw it twice."""
    figure.set_dpi(DPI)
    FigureCanvasAgg(figure).print_png(path, pil_kwargs={"compress_level": 2})  # type: ignore[no-untyped-call]  # matplotlib annotates it in part


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
