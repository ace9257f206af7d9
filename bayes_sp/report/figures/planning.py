"""The figure of a new study: how often it shows what is asked, as the number of patients grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.report.figures.style import QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.report.text.assumptions import path_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
