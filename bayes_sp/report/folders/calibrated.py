"""The folder of a calibration: the table and the figure beside its ranks."""

from __future__ import annotations

from pathlib import Path

from bayes_sp.analysis.calibration.calibrate import Calibration
from bayes_sp.files import write_whole
from bayes_sp.report.figures.calibration import plot_calibration
from bayes_sp.report.folders.analysis import save_figure
from bayes_sp.safe_text import csv_text

TABLE_FILE, FIGURE_FILE = "calibration.csv", "calibration.png"


def save_calibration(calibration: Calibration, folder: Path) -> None:
    """Write the table and the figure of a calibration into the folder that holds its ranks."""
    write_whole(folder / TABLE_FILE, csv_text(calibration.table), overwrite=True)
    save_figure(plot_calibration(calibration), folder / FIGURE_FILE, overwrite=True)
