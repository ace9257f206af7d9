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
from bayes_sp.analysis.criticism.statistics import LEAST_GROUP
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.provenance import records_table
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.files import WholeFile
from bayes_sp.inference.versions import versions
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.names import NUMBERED
from bayes_sp.report.figures.criticism import plot_influence, plot_loo_pit, plot_predictive_checks
from bayes_sp.report.figures.moderation import plot_effect_curve
from bayes_sp.report.figures.paths import plot_comparison, plot_paths
from bayes_sp.report.folders.run import FILES_KEY, POSTERIOR_FILE, RUN_FILE, Destination, RunFolder
from bayes_sp.report.folders.sealed import sealed_text

KEPT_GROUPS = ("posterior", "sample_stats")  # the others hold a value for each patient
DPI = 150


def save_analysis(
    analysis: Analysis,
    folder: Path | Destination,
    *,
    overwrite: bool = False,
    save_records: bool = False,
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
    save_records
        Also write the patients' records and what is computed for each patient: ``records.csv``, ``influence.csv`` and
        its figure, the observed minimum and maximum in ``predictive.csv``, and in ``posterior.nc`` the groups
        ``observed_data``, ``constant_data`` and ``log_likelihood`` and the names of groups of patients. Without it no
        row of a patient's data is written.
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
        analysis.effects.table().to_csv(new.file("effects.csv"), index=False)
        if analysis.coefficients is not None:
            analysis.coefficients.table.to_csv(new.file("coefficients.csv"), index=False)
        analysis.comparison.table.to_csv(new.file("comparison.csv"), index=False)
        analysis.comparison.bootstrap.to_csv(new.file("bootstrap.csv"), index=False)
        _save_conditional(analysis, new)
        if analysis.interventional is not None:
            analysis.interventional.to_csv(new.file("interventional.csv"), index=False)
        if analysis.spread is not None:
            analysis.spread.to_csv(new.file("reconstructions.csv"))
        analysis.verdict.table.to_csv(new.file("diagnostics.csv"), index=False)
        tree = fit.posterior
        if save_records:
            fit.survey.records.to_csv(new.file("records.csv"), index=False)
        else:
            tree = _without_patients(fit)
        tree.to_netcdf(new.file(POSTERIOR_FILE), engine="h5netcdf")
        with mpl.rc_context({"font.family": "DejaVu Sans"}):  # ships with matplotlib: the same figure everywhere
            write_png(plot_paths(fit), new.file("paths.png"))
            write_png(plot_comparison(analysis.comparison), new.file("comparison.png"))
            for curve in analysis.curves:
                write_png(plot_effect_curve(fit.model, curve), new.file(f"along_{curve.moderator}.png"))
            if analysis.criticism is not None:
                _save_criticism(analysis.criticism, new, save_records=save_records)
        written = [new.path(name) for name in new.names]
        write_text(new.file(RUN_FILE), sealed_text({**run_tables(analysis), FILES_KEY: new.names}, written))
    return new.folder


def _save_conditional(analysis: Analysis, new: RunFolder) -> None:
    """Write effects at levels of moderators, between levels and along them, and their bootstrap twins."""
    found = analysis.conditional
    if found is None:
        return
    found.table().to_csv(new.file("conditional.csv"), index=False)
    found.differences().to_csv(new.file("conditional_differences.csv"), index=False)
    found.index().to_csv(new.file("moderated_mediation.csv"), index=False)
    for curve in analysis.curves:
        curve.table.to_csv(new.file(f"along_{curve.moderator}.csv"), index=False)
    twins = analysis.comparison.conditional
    tables = {
        "conditional_bootstrap.csv": [twin.table.assign(likelihood=name) for name, twin in twins.items()],
        "conditional_differences_bootstrap.csv": [t.differences().assign(likelihood=n) for n, t in twins.items()],
        "moderated_mediation_bootstrap.csv": [t.index().assign(likelihood=n) for n, t in twins.items()],
    }
    for name, parts in tables.items():
        if parts:
            pd.concat(parts, ignore_index=True).to_csv(new.file(name), index=False)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with the same line ends everywhere."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))


def _without_patients(fit: Fit) -> xr.DataTree:
    """Return the draws without any group that has a value for each patient, and without the names of groups.

    Where a group has fewer than 5 patients, what is drawn for it says something of each of them: the groups' own draws
    are left out then, and tau and all effects stay.
    """
    tree = fit.posterior
    kept = {name: node.to_dataset() for name, node in tree.children.items() if name in KEPT_GROUPS}
    for equation in fit.model.equations:
        if (column := equation.varying) and column in kept["posterior"].coords:
            own, sizes = kept["posterior"], fit.survey.records[column].value_counts()
            if sizes.min() < LEAST_GROUP:
                kept["posterior"] = own.drop_dims(column)
            else:
                numbers = (column, [str(i + 1) for i in range(own.sizes[column])], {NUMBERED: 1})
                kept["posterior"] = own.assign_coords({column: numbers})
    found = xr.DataTree.from_dict(kept)
    found.attrs = tree.attrs
    return found


def _save_criticism(found: Criticism, new: RunFolder, *, save_records: bool) -> None:
    """Write tables and figures of criticism; what goes patient by patient only with the records."""
    checks = found.checks if save_records else found.checks.without_ends()
    checks.table.to_csv(new.file("predictive.csv"), index=False)
    found.loo.table.to_csv(new.file("loo.csv"), index=False)
    write_png(plot_predictive_checks(found.checks), new.file("predictive.png"))
    write_png(plot_loo_pit(found.pit), new.file("loo_pit.png"))
    if save_records:
        found.influence.table.to_csv(new.file("influence.csv"), index=False)
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
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]  # matplotlib annotates it in part


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
