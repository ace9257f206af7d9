"""The figure of a calibration: ECDFs of ranks, less the diagonal, within their simultaneous bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.report.figures.style import ACCENT, QUIET, Given, canvas, figure_of_result, plain, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.analysis.calibration.calibrate import Calibration

BAND = 0.95
BAND_SIMULATIONS = 1000
BEYOND = "#b2182b"
SEED = 1  # of the simulated bands


@figure_of_result
def plot_calibration(calibration: Calibration, ax: Given = None) -> Axes:
    """Draw each quantity's ECDF of ranks less the diagonal; those beyond their limits in another colour and by name.

    Parameters
    ----------
    calibration
        From `bayes_sp.calibrate`.
    ax
        Axes to draw into; None for a figure of its own.

    Returns
    -------
    Axes

    References
    ----------
    Saeilynoja, Buerkner & Vehtari (2022), Statistics and Computing 32, 32. doi:10.1007/s11222-022-10090-6
    """
    from arviz_stats.ecdf_utils import ecdf_pit  # scipy's special functions alone, but ArviZ's whole package

    drawn = canvas(ax, 1, 1, (7.0, 4.2))
    panel = drawn.axes[0, 0]
    u = calibration.uniform
    rng = np.random.default_rng(SEED)
    points, _, lower, upper = ecdf_pit(u[:, 0], BAND, BAND_SIMULATIONS, rng=rng)  # type: ignore[no-untyped-call]  # arviz_stats has no types
    panel.fill_between(points, lower - points, upper - points, color=QUIET, alpha=0.18, linewidth=0, step="mid")
    good = calibration.table["calibrated"].to_numpy()
    for place, name in enumerate(calibration.ranks.columns):
        ecdf = np.searchsorted(np.sort(u[:, place]), points, side="right") / len(u)
        label = None if good[place] else plain(name, 40)
        colour, width = (ACCENT, 0.6) if good[place] else (BEYOND, 1.6)
        panel.plot(points, ecdf - points, color=colour, linewidth=width, alpha=0.6 if good[place] else 1.0, label=label)
    panel.axhline(0.0, color=QUIET, linewidth=0.8)
    panel.set_xlabel("Rank of the true value among posterior draws")
    panel.set_ylabel("ECDF less the diagonal")
    quiet(panel, left=True)
    if not good.all():
        panel.legend(frameon=False, fontsize=8)
    note = (
        f"{calibration.model.name}: {u.shape[1]} quantities over {len(u)} sets of simulated records "
        f"(seed {calibration.seed}). Grey: where one ECDF stays with probability {100 * BAND:.0f} % if posteriors are "
        "right."
    )
    drawn.note(note)
    return drawn.one
