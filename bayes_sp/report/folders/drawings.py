"""The figures of a run folder, and a figure in a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl

from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.files import WholeFile
from bayes_sp.model.people import speaking_of
from bayes_sp.report.figures.comparison import plot_comparison
from bayes_sp.report.figures.criticism import plot_influence, plot_loo_pit, plot_predictive_checks
from bayes_sp.report.figures.moderation import plot_effect_curve
from bayes_sp.report.figures.paths import plot_paths
from bayes_sp.report.figures.style import FONT, Drawn, write_figure


def drawn_paths(fit: Fit, formats: Sequence[str]) -> dict[str, bytes]:
    """Return by its file's name what is to be written of the path diagram in each format."""
    return _files(fit, (("paths", plot_paths(each)) for each in (fit,)), formats)


def drawn_files(analysis: Analysis, least: int, formats: Sequence[str]) -> dict[str, bytes]:
    """Return the same of all other figures; the one that goes patient by patient where least is 0."""
    return _files(analysis.fit, _drawings(analysis, least), formats)


def _files(fit: Fit, figures: Iterable[tuple[str, Drawn]], formats: Sequence[str]) -> dict[str, bytes]:
    files = {}
    with mpl.rc_context(FONT), speaking_of(fit.model, [fit.survey.source]):
        for name, drawn in figures:
            for ending in formats:
                write_figure(drawn, made := BytesIO(), ending)
                files[f"{name}.{ending}"] = made.getvalue()
    return files


def _drawings(analysis: Analysis, least: int) -> Iterator[tuple[str, Drawn]]:
    """Yield the name and the figure of each part."""
    yield "comparison", plot_comparison(analysis.comparison)
    for curve in analysis.curves:
        yield curve.name, plot_effect_curve(curve)
    if (found := analysis.criticism) is not None:
        yield "predictive", plot_predictive_checks(found.checks.without_patients(least) if least else found.checks)
        yield "loo_pit", plot_loo_pit(found.pit)
        if not least:
            yield "influence", plot_influence(found.influence)


def save_figure(drawn: Drawn, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure as PNG, SVG or PDF, as the file's name ends, whole or not at all.

    Raises RunError where the file exists and ``overwrite`` is False, or cannot be written.
    """
    with WholeFile(path, overwrite=overwrite) as partial, mpl.rc_context(FONT):
        write_figure(drawn, partial, path.suffix)
