"""The folders of simulations: the table and the figure of a calibration, or of a new study, beside their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bayes_sp.analysis.calibration.calibrate import Calibration
from bayes_sp.analysis.planning.new_study import NewStudy
from bayes_sp.files import write_whole
from bayes_sp.report.figures.calibration import plot_assurance, plot_calibration
from bayes_sp.report.folders.drawings import save_figure
from bayes_sp.safe_text import csv_text


def save_calibration(calibration: Calibration, folder: Path, formats: Sequence[str] = ("png",)) -> None:
    """Write the table and the figure of a calibration into the folder that holds its ranks."""
    write_whole(folder / "calibration.csv", csv_text(calibration.table), overwrite=True)
    for ending in formats:
        save_figure(plot_calibration(calibration), folder / f"calibration.{ending}", overwrite=True)


def save_design(study: NewStudy, folder: Path, formats: Sequence[str] = ("png",)) -> None:
    """Write the table and the figure of a new study into the folder that holds its simulations."""
    write_whole(folder / "design.csv", csv_text(study.grid), overwrite=True)
    for ending in formats:
        save_figure(plot_assurance(study), folder / f"design.{ending}", overwrite=True)
