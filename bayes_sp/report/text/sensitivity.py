"""The printed summary of sensitivity analyses, in plain text."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_sp.effects.summary import CI_PROB
from bayes_sp.model.people import speaking_of
from bayes_sp.names import ARROW, AVERAGE
from bayes_sp.report.figures.sensitivity import published_of
from bayes_sp.report.text.assumptions import assumptions, path_words
from bayes_sp.report.text.attrition import attrition_lines, delta_lines
from bayes_sp.report.text.confounding import confounding_lines
from bayes_sp.report.text.layout import aligned, decimals_of, interval, size_words, wrapped
from bayes_sp.report.text.priors import prior_lines
from bayes_sp.report.text.summary import head_lines
from bayes_sp.sensitivity.conclusion import quotable, verdict_lines
from bayes_sp.sensitivity.coupling import KappaCurve
from bayes_sp.sensitivity.effect_words import scale_words
from bayes_sp.sensitivity.every import ATTRITION, CONFOUNDING, KAPPA, PRIORS, Sensitivity
from bayes_sp.shown import WIDTH, number, page

TITLES = {
    PRIORS: "Other priors",
    KAPPA: "Kappa: what a mediator's equation leaves unexplained, at one exposure and at the other",
    CONFOUNDING: "A confounder that nobody measured",
    ATTRITION: "Patients who did not come back",
}


def sensitivity_text(found: Sensitivity, *, width: int = WIDTH, whole: bool = True) -> str:
    """Return what ``sensitivity`` keeps: the effect in question, each analysis, and what they say together.

    Not the ``whole``, as it prints: the effect and what the analyses say together.
    """
    model, asked = found.fit.model, len(found.asked)
    last = "What keeps the sign of the effect, and what does not"
    with page(width), speaking_of(model, [found.fit.survey.source]):
        lines = head_lines(found.fit, found.verdict, notes=whole)
        lines += ["", *wrapped(_effect(found), margin="")]
        for i, part in enumerate(found.asked if whole else (), start=1):
            lines += ["", *wrapped(f"{i}. {TITLES[part]}", margin="", rest="   "), *_part(found, part)]
        lines += ["", f"{asked + 1}. {last}" if whole else last, *_conclusion(found)]
        if whole:
            lines += ["", f"{asked + 2}. What all of this assumes"]
            lines += [line for text in assumptions(model) for line in wrapped(text, "- ", "  ")]
        else:
            refused = (f"Not done, {name}: {reason}." for name, reason in found.refused.items())
            lines += [line for text in refused for line in wrapped(text)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def effect_name(found: Sensitivity) -> str:
    """Return the target's path in one or two words: ``serial``, ``direct``, ``total`` or ``via ...``."""
    words = path_words(found.fit.model, found.target.path)
    return words.partition(":")[0]


def _effect(found: Sensitivity) -> str:
    model, target = found.fit.model, found.target
    effect = published_of(model, target)
    unit = f" {model.outcome_unit}" if target.scale == "difference" else ""
    size = size_words(found.base.median, found.base.lower, found.base.upper)
    published = ""
    if effect is not None:
        published = f"; published {' or '.join(f'{value:g}' for value in effect.estimate)}"
        published += "" if effect.lower is None else f" [{effect.lower:g}, {effect.upper:g}]"
    scale = scale_words(model, target.scale)
    compared = model.move.label if model.move else f"{model.contrast[1]:g} against {model.contrast[0]:g}"
    compared = model.move.label if model.move else f"{model.contrast[1]:g} against {model.contrast[0]:g}"
    return (
        f"The effect in question: {path_words(model, target.path)}, {scale} of {size}{unit} for {compared}{published}. "
        "Posterior medians and 95 % equal-tailed intervals."
    )


def _part(found: Sensitivity, part: str) -> Iterator[str]:
    for name, reason in found.refused.items():
        if name in NAMES[part]:
            yield from wrapped(f"Not done, {name}: {reason}.")
    if part == PRIORS:
        yield from prior_lines(found)
    elif part == KAPPA and found.kappa is not None:
        yield from _kappa(found, found.kappa)
    elif part == CONFOUNDING:
        yield from confounding_lines(found)
    elif part == ATTRITION and found.attrition is not None:
        yield from attrition_lines(found, found.attrition)
    elif part == ATTRITION and found.delta is not None:
        yield from delta_lines(found, found.delta)


NAMES = {
    PRIORS: ("power-scaling", "overlap of prior and posterior", "other priors", "tipping point of the priors"),
    KAPPA: ("kappa",),
    CONFOUNDING: ("E-values", "unmeasured confounding"),
    ATTRITION: ("attrition",),
}


def _kappa(found: Sensitivity, curve: KappaCurve) -> list[str]:
    band = curve.band
    own = band[(band["scale"] == curve.target.scale) & band["decomposition"].isin(["", AVERAGE])]
    own = own[own["path"].str.contains(ARROW, regex=False)]
    decimals, null = decimals_of(own), curve.target.null
    rows = [["", "median, from and to", "lowest and highest limit", f"excludes {null:g}"]]
    for row in own.to_dict("records"):
        medians = f"{number(row['lowest_median'], decimals)} to {number(row['highest_median'], decimals)}"
        holds = "for every kappa" if row["one_side"] else "no"
        rows.append([path_words(found.fit.model, row["path"]), medians, _limits(row, decimals), holds])
    low, high = curve.table["kappa"].min(), curve.table["kappa"].max()
    note = (
        f"Range over kappa from {low:g} to {high:g}, averaged over the orders in which paths can be counted; nothing "
        "is fitted again. kappa is the correlation of what a mediator's equation leaves unexplained in a patient at "
        "one exposure and at the other (levels: the weight of equal ranks): "
        "no data can tell it. It moves the split between paths, never the total."
    )
    if not any(curve.moves(str(path)) for path in own["path"]):
        note += " Here it moves nothing at all: no path's effect depends on it."
    elif not curve.moves(curve.target.path):
        note += " The effect in question does not depend on it."
    return [*aligned(rows, "lrrl"), *wrapped(note)]


def _limits(row: dict[str, float], decimals: int) -> str:
    return interval(pd.Series(row), decimals)


def _conclusion(found: Sensitivity) -> list[str]:
    verdicts = found.verdicts()
    unit = found.fit.model.outcome_unit if found.target.scale == "difference" else ""
    lines = []
    if found.base.sign(found.target.null):
        lines += [line for text in verdict_lines(verdicts, CI_PROB) for line in wrapped(text, "- ", "  ")]
    if verdicts:
        text = quotable(verdicts, found.base, effect_name(found), unit, CI_PROB, found.target.null)
        lines += ["", *wrapped(text)]
    needed = found.tipping_summary()
    if needed:
        lines += wrapped(
            f"For its {100 * CI_PROB:g} % interval to include {found.target.null:g} it takes {', or '.join(needed)}."
        )
    return lines
