"""The printed summary of sensitivity analyses, in plain text."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_sp.effects.summary import CI_PROB
from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.people import speaking_of
from bayes_sp.names import ARROW, ATTRITION, AVERAGE, CONFOUNDING, KAPPA, PRIORS
from bayes_sp.report.figures.sensitivity import published_of
from bayes_sp.report.text.assumptions import assumptions, path_words
from bayes_sp.report.text.layout import aligned, bullets, decimals_of, interval, size_words, wrapped
from bayes_sp.report.text.priors import prior_lines, shown
from bayes_sp.report.text.summary import head_lines
from bayes_sp.sensitivity.conclusion import quotable, verdict_lines
from bayes_sp.sensitivity.confounder.confounding import Confounding
from bayes_sp.sensitivity.confounder.e_values import EValues
from bayes_sp.sensitivity.coupling import KappaCurve
from bayes_sp.sensitivity.every import Sensitivity
from bayes_sp.sensitivity.missing.attrition import Attrition
from bayes_sp.sensitivity.missing.delta import DeltaCurve
from bayes_sp.sensitivity.target import estimate_of
from bayes_sp.shown import WIDTH, decimals_for, number, page


def confounding_lines(found: Sensitivity) -> Iterator[str]:
    """Yield the conclusion for each pair, multiples of the covariates, assumptions, and E-values."""
    if found.confounding is not None:
        for text in found.confounding.sentences():
            yield from wrapped(text)
        yield from _multiples(found.fit.model, found.confounding)
        yield from _grids(found.confounding)
        yield from bullets(found.confounding.assumptions)
    if found.e_values is not None:
        yield from _e_values(found, found.e_values)


def _multiples(model: PathModel, found: Confounding) -> list[str]:
    table = found.multiples
    if table.empty:
        return []
    lines = ["", "   How many times as strong as a covariate, in both equations"]
    pairs = list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))
    rows = [["", *(f"{first}, {second}" for first, second in pairs)]]
    cells = {(row["first"], row["second"], row["covariate"]): row for row in table.to_dict("records")}
    for covariate in dict.fromkeys(table["covariate"]):
        row = [model.variable(str(covariate)).label.partition(" (")[0]]
        for first, second in pairs:
            cell = cells.get((first, second, covariate))
            row.append("" if cell is None else _multiple(cell))
        rows.append(row)
    note = (
        f"The least multiple at which the interval includes {found.target.null:g}; > where none up to there does (the "
        "end of the grid). Marked *: found by fits; the others interpolated between the fits of the grid."
    )
    return [*lines, *aligned(rows, "l" + "r" * len(pairs)), *wrapped(note)]


def _multiple(row: dict[str, float]) -> str:
    star = "*" if row["refitted"] else ""
    return f"> {row['most']:.1f}" if pd.isna(row["multiple"]) else f"{row['multiple']:.1f}{star}"


def _grids(found: Confounding) -> Iterator[str]:
    target = found.target
    for (first, second), surface in found.surfaces.items():
        at = surface.sel(path=target.path, scale=target.scale)
        fitted = at["fitted"] & at["median"].notnull()
        one_side = ((at["lower"] > target.null) | (at["upper"] < target.null)) & fitted
        medians = at["median"].where(fitted)
        text = (
            f"Grid of {first} (0 to {float(surface[first].max()):.2g}) and {second} "
            f"({float(surface[second].min()):.2g} to {float(surface[second].max()):.2g}): the interval excludes "
            f"{target.null:g} in {int(one_side.sum())} of {int(fitted.sum())} fits"
        )
        if fitted.any():
            decimals = decimals_for(float((at["upper"] - at["lower"]).where(fitted).min()))
            low, high = (number(float(end), decimals) for end in (medians.min(), medians.max()))
            text += f"; posterior medians from {low} to {high}"
        yield from wrapped(f"{text}.")


def _e_values(found: Sensitivity, values: EValues) -> Iterator[str]:
    yield from ["", "   E-values"]
    table = values.table
    if not table.empty:
        rows = [["", "ratio", "E-value", "of the limit nearest to 1"]]
        for row in table.to_dict("records"):
            size = size_words(row["median"], row["lower"], row["upper"])
            words = path_words(found.fit.model, str(row["path"]))
            rows.append([words, size, f"{row['e_value']:.2f}", f"{row['e_value_limit']:.2f}"])
        yield from aligned(rows, "lrrr")
    yield from bullets(values.notes)


POPULATIONS = {"responders": "those who came back", "nonresponders": "those who did not", "all": "everyone"}


def attrition_lines(found: Sensitivity, attrition: Attrition) -> Iterator[str]:
    """Yield the effect by population, what each departure does, and notes."""
    table = attrition.standardised
    rows = []
    for population in dict.fromkeys(table["population"]):
        own = estimate_of(table[table["population"] == population], found.target, trustworthy=attrition.trustworthy)
        rows.append([POPULATIONS[str(population)], shown(own)])
    yield "   Standardised to the covariates of each, missing at random given these"
    yield from aligned(rows, "lr")
    yield from ["", "   How they would have to differ"]
    sentences = dict.fromkeys(tip.sentence for tip in attrition.tipping)  # levels often say the same
    yield from bullets(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in sentences)
    yield ""
    yield from bullets(attrition.notes)


def delta_lines(curve: DeltaCurve) -> Iterator[str]:
    """Yield the effect at each shift of the missing values, and where that changes the conclusion."""
    rows = [[finding.case, shown(finding.estimate)] for finding in curve.findings()]
    yield from aligned(rows, "lr")
    yield from bullets(f"{tip.sentence[:1].upper()}{tip.sentence[1:]}." for tip in curve.tipping)


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
            lines += ["", *wrapped(f"{i}. {TITLES[part]}", margin="", rest="   "), *section(found, part)]
        lines += ["", f"{asked + 1}. {last}" if whole else last, *_conclusion(found)]
        if whole:
            lines += ["", f"{asked + 2}. What all of this assumes"]
            lines += bullets(assumptions(model))
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
    return (
        f"The effect in question: {path_words(model, target.path)}, {scale} of {size}{unit} for {compared}{published}. "
        "Posterior medians and 95 % equal-tailed intervals."
    )


def section(found: Sensitivity, part: str) -> Iterator[str]:
    """Yield what one of the parts says, and what of it could not be made."""
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
        yield from delta_lines(found.delta)


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
        rows.append([path_words(found.fit.model, row["path"]), medians, interval(row, decimals), holds])
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


def _conclusion(found: Sensitivity) -> list[str]:
    verdicts = found.verdicts()
    unit = found.fit.model.outcome_unit if found.target.scale == "difference" else ""
    lines = []
    if found.base.sign(found.target.null):
        lines += bullets(verdict_lines(verdicts, CI_PROB))
    if verdicts:
        text = quotable(verdicts, found.base, effect_name(found), unit, CI_PROB, found.target.null)
        lines += ["", *wrapped(text)]
    needed = found.tipping_summary()
    if needed:
        lines += wrapped(
            f"For its {100 * CI_PROB:g} % interval to include {found.target.null:g} it takes {', or '.join(needed)}."
        )
    return lines
