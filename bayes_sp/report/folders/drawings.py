"""The figures of a run folder, and a figure in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl

from bayes_sp.analysis.workflow import Analysis
from bayes_sp.files import WholeFile
from bayes_sp.model.people import speaking_of
from bayes_sp.report.figures.comparison import plot_comparison
from bayes_sp.report.figures.criticism import plot_influence, plot_loo_pit, plot_predictive_checks
from bayes_sp.report.figures.moderation import plot_effect_curve
from bayes_sp.report.figures.paths import plot_paths
from bayes_sp.report.figures.style import FONT, Drawn, write_figure


def drawn_files(analysis: Analysis, least: int, formats: Sequence[str]) -> dict[str, bytes]:
    """Return by its file's name what is to be written of each figure in each format; figures as of `_drawings`."""
    files = {}
    with mpl.rc_context(FONT), speaking_of(analysis.fit.model, [analysis.fit.survey.source]):
        for name, drawn in _drawings(analysis, least):
            for ending in formats:
                write_figure(drawn, made := BytesIO(), ending)
                files[f"{name}.{ending}"] = made.getvalue()
    return files


def _drawings(analysis: Analysis, least: int) -> Iterator[tuple[str, Drawn]]:
    """Yield the name and the figure of each part; the one that goes patient by patient where least is 0."""
    yield "paths", plot_paths(analysis.fit)
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
