"""An analysis -> its run folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import tomli_w
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bayes_sp.analysis import Analysis
from bayes_sp.criticism.whole import Criticism
from bayes_sp.errors import RunError
from bayes_sp.model.sample import versions
from bayes_sp.report.criticism_figures import plot_influence, plot_loo_pit, plot_predictive_checks
from bayes_sp.report.figures import plot_comparison, plot_paths
from bayes_sp.runs import POSTERIOR_FILE, RUN_FILE, run_folder
from bayes_sp.spec.dump import specification_digest, specification_tables
from bayes_sp.spec.types import PathModel

KEPT_GROUPS = ("posterior", "sample_stats")  # the others hold a value for each patient
DPI = 150


def save_analysis(
    analysis: Analysis, folder: Path, *, overwrite: bool = False, save_records: bool = False, summary: str = ""
) -> None:
    """Write a run folder, whole or not at all.

    Parameters
    ----------
    analysis
        What to save.
    folder
        Exactly this folder.
    overwrite
        Replace the folder of an earlier run.
    save_records
        Also write the patients' records and what is computed for each patient (``records.csv``, and the groups
        ``observed_data``, ``constant_data`` and ``log_likelihood`` of ``posterior.nc``). Without it no row of a
        patient's data is written.
    summary
        The printed summary, kept as ``summary.txt``.

    Raises
    ------
    RunError
        Where the folder exists and may not be replaced, or cannot be written.
    """
    fit = analysis.fit
    with run_folder(folder, overwrite=overwrite) as partial:
        (partial / RUN_FILE).write_text(tomli_w.dumps(run_tables(analysis)), encoding="utf-8")
        (partial / "summary.txt").write_text(summary, encoding="utf-8")
        analysis.effects.table().to_csv(partial / "effects.csv", index=False)
        analysis.comparison.table.to_csv(partial / "comparison.csv", index=False)
        analysis.comparison.bootstrap.to_csv(partial / "bootstrap.csv", index=False)
        if analysis.interventional is not None:
            analysis.interventional.to_csv(partial / "interventional.csv", index=False)
        if analysis.spread is not None:
            analysis.spread.to_csv(partial / "reconstructions.csv")
        analysis.verdict.table.to_csv(partial / "diagnostics.csv", index=False)
        tree = fit.posterior
        if save_records:
            fit.survey.records.to_csv(partial / "records.csv", index=False)
        else:
            kept = {name: node.to_dataset() for name, node in tree.children.items() if name in KEPT_GROUPS}
            attrs, tree = tree.attrs, xr.DataTree.from_dict(kept)
            tree.attrs = attrs
        tree.to_netcdf(partial / POSTERIOR_FILE, engine="h5netcdf")
        with mpl.rc_context({"font.family": "DejaVu Sans"}):  # ships with matplotlib: the same figure everywhere
            write_png(plot_paths(fit), partial / "paths.png")
            write_png(plot_comparison(fit.model, analysis.comparison), partial / "comparison.png")
            if analysis.criticism is not None:
                _save_criticism(fit.model, analysis.criticism, partial)


def _save_criticism(model: PathModel, found: Criticism, folder: Path) -> None:
    """Write tables and figures of criticism; patients are named by row, and no value of theirs is written."""
    found.checks.table.to_csv(folder / "predictive.csv", index=False)
    found.loo.table.to_csv(folder / "loo.csv", index=False)
    found.influence.table.to_csv(folder / "influence.csv", index=False)
    write_png(plot_predictive_checks(model, found.checks), folder / "predictive.png")
    write_png(plot_loo_pit(model, found.pit), folder / "loo_pit.png")
    write_png(plot_influence(model, found.influence), folder / "influence.png")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG.

    Raises
    ------
    RunError
        Where the file cannot be written.
    """
    try:
        with mpl.rc_context({"font.family": "DejaVu Sans"}):  # ships with matplotlib: the same figure everywhere
            write_png(figure, path)
    except OSError as error:
        raise RunError(str(path), [f"cannot be written ({error.strerror or error})"]) from error


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
        "data": {
            "source": fit.survey.mark,
            "origin": fit.survey.origin,
            "reconstructed_from_published_moments": fit.survey.reconstructed,
            "records": len(fit.survey),
            "digest": fit.survey.digest,
        },
        "verdict": {
            "trustworthy": verdict.trustworthy,
            "reasons": list(verdict.reasons),
            "cautions": list(verdict.cautions),
            **{name: float(value) for name, value in verdict.numbers.items()},
        },
        "sampler": asdict(fit.options),
        "seconds": {
            "compiling": attrs["seconds_compiling"],
            "sampling": attrs["seconds_sampling"],
            **analysis.seconds,
        },
        "versions": used,
        "specification_digest": specification_digest(fit.model),
        "specification": specification_tables(fit.model),
    }
