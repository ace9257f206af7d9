"""The printed contrasts: how two effects differ, and which of them is larger."""

from __future__ import annotations

import math

from bayes_sp.analysis.workflow import Analysis
from bayes_sp.names import COEFFICIENT, DIFFERENCE
from bayes_sp.report.text.layout import aligned, decimals_of, interval, number, wrapped
from bayes_sp.sensitivity.effect_words import scale_words

NOTE = (
    "From the same draws; differences are subtracted, ratios divided. Posterior medians and equal-tailed intervals; "
    "P(< 0) is the probability that the first effect is below the second, P(larger) that the first is the larger one "
    "in size, for two effects whose medians have one sign. Bootstrap: maximum-likelihood estimate, percentile interval."
)


def contrast_lines(analysis: Analysis) -> list[str]:
    """Return the table of the specification's contrasts on each scale, and what they are."""
    found, model = analysis.contrasts, analysis.fit.model
    if found is None:
        return []
    table, boot = found.table(), analysis.comparison.contrasts.get(model.equations[-1].family)
    lines = []
    for one in found.asked:
        lines += wrapped(f"{one.name}: {one.first}, less {one.second}.", "- ", "  ")
    for scale in dict.fromkeys(table["scale"]):
        own = table[table["scale"] == scale]
        words = {DIFFERENCE: f"difference, {found.source.unit}", COEFFICIENT: "product of coefficients"}
        rows = [[words.get(scale, f"ratio of two: {scale_words(model, scale)}"), "first less second", "95 % interval"]]
        rows[0][1] = "first less second" if scale in words else "first over second"
        rows[0] += ["P(< 0)", "P(larger)", *(["bootstrap"] if boot is not None else [])]
        digits = decimals_of(own) if scale in words else max(3, decimals_of(own))
        for _, one in own.iterrows():
            larger = "" if math.isnan(one["prob_larger"]) else f"{one['prob_larger']:.3f}"
            row = [
                one["contrast"],
                number(one["median"], digits),
                interval(one, digits),
                f"{one['prob_negative']:.3f}",
                larger,
            ]
            if boot is not None:
                twin = boot[(boot["contrast"] == one["contrast"]) & (boot["scale"] == scale)].iloc[0]
                row.append(f"{number(twin['estimate'], digits)} {interval(twin, digits)}")
            rows.append(row)
        lines += ["", *aligned(rows, "l" + "r" * (len(rows[0]) - 1))]
    return [*lines, *wrapped(NOTE)]
