"""Figures of simulations: ranks of a calibration within their bands, and how often a new study shows what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.report.figures.style import ACCENT, QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.report.text.assumptions import path_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.analysis.calibration.calibrate import Calibration
    from bayes_sp.analysis.planning.new_study import NewStudy

CURVES = {
    "excludes_null": ("interval excludes no effect", "o", "-"),
    "inside": ("interval inside the region of practical equivalence", "s", "--"),
    "outside": ("interval outside the region", "^", "-."),
    "narrow": ("interval narrow enough", "D", ":"),
}
ERRORS = 1.96  # Monte Carlo standard errors on both sides


@figure_of_result
def plot_assurance(study: NewStudy, ax: Given = None) -> Axes:
    """Draw the share of simulated studies that show each goal against the number of patients with a follow-up.

    Parameters
    ----------
    study
        From `bayes_sp.design_study`.
    ax
        Axes to draw into; None for a figure of its own.

    Returns
    -------
    Axes
    """
    drawn = canvas(ax, 1, 1, (7.0, 4.4))
    panel, table = drawn.axes[0, 0], study.table
    for name, (label, marker, line) in CURVES.items():
        if name not in table:
            continue
        share = table[name].to_numpy(dtype=float)
        error = ERRORS * np.sqrt(share * (1.0 - share) / table["simulations"].to_numpy(dtype=float))
        panel.errorbar(table["patients"], share, error, marker=marker, linestyle=line, capsize=2, label=label)
    asked = study.plan.assurance
    panel.axhline(asked, color=QUIET, linewidth=0.8)
    panel.annotate(
        f"{asked:g}\nasked for", (1.0, asked), xycoords=("axes fraction", "data"), xytext=(4, 0),
        textcoords="offset points", ha="left", va="center", fontsize=8, color=QUIET,
    )  # fmt: skip
    panel.set_ylim(-0.02, 1.02)
    panel.set_xlabel(plain("Patients with a follow-up"))
    panel.set_ylabel("Share of simulated studies")
    quiet(panel, left=True)
    drawn.legend("outside upper center", columns=2)
    effect = path_words(study.plan.model, study.plan.effect)
    note = (
        f"{effect[:1].upper()}{effect[1:]} ({study.plan.scale.replace('_', ' ')}), {100 * study.plan.ci_prob:.0f} % "
        f"interval; {study.plan.simulations} studies of each size (seed {study.seed}). Bars: 95 % Monte Carlo error."
    )
    drawn.note(note)
    return drawn.one


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
