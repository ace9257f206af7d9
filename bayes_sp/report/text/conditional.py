"""The printed effects at levels of moderators, between levels, along the range, the index; and contrasts by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from bayes_sp.analysis.workflow import Analysis
from bayes_sp.effects.comparisons.sizes import Sizes
from bayes_sp.effects.moderation.conditional import ConditionalEffects
from bayes_sp.effects.moderation.curve import EffectCurve
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.inference.bootstrap.conditional import BootstrapConditional
from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, distinct
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.report.text.layout import aligned, bullets, decimals_of, estimated, interval, wrapped
from bayes_sp.shown import in_row, in_sentence, number, probability

HEAD = (
    "The population in which every patient has this value of the moderator, the other covariates as observed. "
    "Posterior medians and equal-tailed 95 % intervals"
)
BOOTSTRAP = "; bootstrap: maximum-likelihood estimate, percentile interval"
LOG_LINK = (
    "Under a log link a difference in the outcome's unit changes with the moderator's level even where no product is "
    "part of the effect, because the level changes the number that a ratio multiplies; ratios change by products alone."
)

BETWEEN = (
    "From the same draws; differences are subtracted, ratios divided. Posterior medians and equal-tailed intervals; "
    "P(< 0) is the probability that the first effect is below the second, P(larger) that the first is the larger one "
    "in size, for two effects whose medians have one sign. Bootstrap: maximum-likelihood estimate, percentile interval."
)

SIZE_HEADS = {
    "standardised": ["in standard deviations", "size", "median", "95 % interval", "P(< 0)"],
    "proportion_mediated": ["share of the total that is indirect", "median", "95 % interval", "P(0 < share < 1)"],
    "practical": ["against the region that does not matter", "P(below)", "P(inside)", "P(above)"],
}


def conditional_lines(analysis: Analysis) -> list[str]:
    """Return the lines on effects at levels of every moderator."""
    found, model = analysis.conditional, analysis.fit.model
    if found is None:
        return []
    boot = analysis.comparison.conditional.get(model.equations[-1].family)
    lines = wrapped(f"{HEAD}{'' if boot is None else BOOTSTRAP}.")
    scales = [s for s in (DIFFERENCE, RATE_RATIO, RISK_RATIO) if s in set(found.each[0].draws["scale"].to_numpy())]
    for moderator, settings in _together(found.settings):
        for scale in scales:
            unit = f", {found.unit}" if scale == DIFFERENCE else ""
            for own in _blocks(settings):
                label, *others = (model.variable(name).label for name, _ in own[0].held)
                at = zip(others, own[0].held[1:], own[0].why[1:], strict=True)
                where = ", ".join(f"{in_sentence(other)} is {_at(model, *one, why)}" for other, one, why in at)
                head = f"{label}{f', where {where}' if where else ''}: {scale_words(model, scale)}{unit}"
                rows = _rows(model, found, boot, own, scale)
                lines += ["", f"   {head}", *aligned(rows, "l" + "r" * len(rows[0]))]
        lines += _index(model, found, boot, moderator)
        names = [name for name, _ in settings[0].held]
        for curve in analysis.curves:
            if {curve.moderator, *dict(curve.held)} == set(names):
                lines += _region(model, curve)
    lines += ["", *wrapped(LOG_LINK)] if model.outcome_family.log_mean else []
    return lines


def _together(settings: Sequence[Setting]) -> list[tuple[str, list[Setting]]]:
    """Return moderators, one or two that are held together, with their settings."""
    names = dict.fromkeys(setting.moderator for setting in settings)
    return [(name, [setting for setting in settings if setting.moderator == name]) for name in names]


def _blocks(settings: Sequence[Setting]) -> list[list[Setting]]:
    """Return the settings of the same moderators, those apart that differ in another than the first."""
    others = dict.fromkeys(setting.held[1:] for setting in settings)
    return [[setting for setting in settings if setting.held[1:] == other] for other in others]


def _at(model: PathModel, name: str, value: float, why: str) -> str:
    """Return a moderator's value, with what it is where that is a percentile."""
    return model.words_of(name, value) + (f" ({why})" if "percentile" in why else "")


def _rows(
    model: PathModel,
    found: ConditionalEffects,
    boot: BootstrapConditional | None,
    settings: Sequence[Setting],
    scale: str,
) -> list[list[str]]:
    """Return heads, then for each path its effect at each level, and each level against the first or a neighbour.

    ``settings`` are settings that differ in the first moderator alone.
    """
    moderator, levels = settings[0].moderator, [setting.at for setting in settings]
    word = "less" if scale == DIFFERENCE else "over"
    first = {setting.at: model.words_of(*setting.held[0]) for setting in settings}
    categories = {setting.why[0] for setting in settings} == {"category"}
    pairs = [(levels[0], level) for level in levels[1:]] if categories else list(pairwise(levels))
    heads = [f"at {_at(model, *setting.held[0], setting.why[0])}" for setting in settings]
    rows = [["", *heads, *(f"{first[b]} {word} {first[a]}" for a, b in pairs)]]
    tables = [("posterior", found_table(found), found.differences(), "median")]
    tables += [] if boot is None else [("bootstrap", boot.table, boot.differences(), "estimate")]
    own = [(name, _of(at, moderator, scale), _of(d, moderator, scale), value) for name, at, d, value in tables]
    digits = decimals_of(own[0][1]) if scale == DIFFERENCE else max(3, decimals_of(own[0][1]))
    for path in distinct(list(dict.fromkeys(own[0][1]["path"]))):
        if boot is not None:
            rows.append([path_words(model, path), *[""] * (len(rows[0]) - 1)])
        for name, at_levels, between, value in own:
            cells = [at_levels[(at_levels["path"] == path) & (at_levels["at"] == at)] for at in levels]
            cells += [
                between[(between["path"] == path) & (between["from"] == a) & (between["to"] == b)] for a, b in pairs
            ]
            head = path_words(model, path) if boot is None else f"   {name}"
            rows.append([head, *(_cell(cell, value, digits) for cell in cells)])
    return rows


def found_table(found: ConditionalEffects) -> pd.DataFrame:
    """Return the effects at each setting without what convergence takes, averaged over orders."""
    parts = [
        one.intervals().assign(moderator=setting.moderator, at=setting.at)
        for setting, one in zip(found.settings, found.each, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _of(table: pd.DataFrame, moderator: str, scale: str) -> pd.DataFrame:
    own = table[(table["moderator"] == moderator) & (table["scale"] == scale)]
    return own[own["decomposition"] != ALONE] if "decomposition" in own else own


def _cell(rows: pd.DataFrame, value: str, digits: int) -> str:
    if rows.empty:
        return ""
    return estimated(rows.iloc[0], value, digits)


def _index(model: PathModel, found: ConditionalEffects, boot: BootstrapConditional | None, moderator: str) -> list[str]:
    """Return the index of moderated mediation, and why a path has none."""
    about = (moderator, *moderator.split(", "))
    sentences = [
        text
        for text in found.without_index
        if "of moderated" in text or any(f"of {name} for" in text for name in about)
    ]
    lines = [line for text in sentences for line in wrapped(f"{text[:1].upper()}{text[1:]}.")]
    table = found.index()
    table = table[table["moderator"].isin(about) & table["path"].isin(distinct(list(dict.fromkeys(table["path"]))))]
    own = table[table["scale"] == COEFFICIENT]
    if own.empty:
        return ["", *lines] if lines else []
    ratio = table[table["scale"] == RATE_RATIO]
    other = None if boot is None else boot.index()
    more = [*(["ratio of rate ratios"] if len(ratio) else []), *(["bootstrap"] if boot else [])]
    rows = [["", "per", "index", *more]]
    digits = decimals_of(own)
    for place, (_, one) in enumerate(own.iterrows()):
        unit = one["unit"] if len(about) == 2 or one["moderator"] == moderator else f"{one['moderator']}: {one['unit']}"
        row = [path_words(model, one["path"]), unit, estimated(one, "median", digits)]
        if len(ratio):
            row.append(estimated(ratio.iloc[place], "median", 3))
        if other is not None:
            same = other[(other["moderator"] == one["moderator"]) & (other["scale"] == COEFFICIENT)]
            same = same[(same["path"] == one["path"]) & (same["unit"] == one["unit"])]
            row.append(_cell(same, "estimate", digits))
        rows.append(row)
    head = "Index of moderated mediation: what one more unit of the moderator adds to the product of coefficients"
    if len(about) > 2:
        head += ", at values of the other one; of both: how much that changes with a unit of the other"
    return ["", *wrapped(f"{head}, per unit of exposure."), *aligned(rows, "l" + "r" * len(rows[0])), *lines]


def _region(model: PathModel, curve: EffectCurve) -> list[str]:
    """Return for which values of the moderator the interval of each difference excludes 0."""
    region = curve.region()
    region = region[region["scale"] == DIFFERENCE]
    low, high = curve.table["value"].min(), curve.table["value"].max()
    found = list(_stretches(model, region))
    held = ((in_sentence(model.variable(name).label), model.words_of(name, value)) for name, value in curve.held)
    where = " and ".join(f"{label} is {value}" for label, value in held)
    head = f"Along {in_sentence(curve.label)} from {low:.3g} to {high:.3g} (5th to 95th percentile) "
    head += f"where {where} " if where else ""
    if not found:
        return ["", *wrapped(f"{head}the 95 % interval of every difference contains 0.")]
    return ["", *wrapped(f"{head}the 95 % interval of a difference excludes 0: {'; '.join(found)}.")]


def _stretches(model: PathModel, region: pd.DataFrame) -> Iterator[str]:
    for path in distinct(list(dict.fromkeys(region["path"]))):
        own = region[(region["path"] == path) & ~region["holds_no_effect"].astype(bool)]
        if len(own):
            places: Sequence[str] = [f"{row['from']:.3g} to {row['to']:.3g}" for _, row in own.iterrows()]
            yield f"{path_words(model, path)} ({', '.join(places)})"


def contrast_lines(analysis: Analysis) -> list[str]:
    """Return the table of the specification's contrasts on each scale, and what they are."""
    found, model = analysis.contrasts, analysis.fit.model
    if found is None:
        return []
    table, boot = found.table(), analysis.comparison.contrasts.get(model.equations[-1].family)
    lines = []
    lines += bullets(f"{one.name}: {one.first}, less {one.second}." for one in found.asked)
    for scale in dict.fromkeys(table["scale"]):
        own = table[table["scale"] == scale]
        words = {DIFFERENCE: f"difference, {found.source.unit}", COEFFICIENT: "product of coefficients"}
        rows = [[words.get(scale, f"ratio of two: {scale_words(model, scale)}"), "first less second", "95 % interval"]]
        rows[0][1] = "first less second" if scale in words else "first over second"
        rows[0] += ["P(< 0)", "P(larger)", *(["bootstrap"] if boot is not None else [])]
        digits = decimals_of(own) if scale in words else max(3, decimals_of(own))
        for _, one in own.iterrows():
            larger = "" if math.isnan(one["prob_larger"]) else probability(one["prob_larger"])
            row = [one["contrast"], number(one["median"], in_row(one, digits)), interval(one, digits)]
            row += [probability(one["prob_negative"]), larger]
            if boot is not None:
                twin = boot[(boot["contrast"] == one["contrast"]) & (boot["scale"] == scale)].iloc[0]
                row.append(estimated(twin, "estimate", digits))
            rows.append(row)
        lines += ["", *aligned(rows, "l" + "r" * (len(rows[0]) - 1))]
    return [*lines, *wrapped(BETWEEN)]


def size_lines(model: PathModel, sizes: Mapping[str, Sizes]) -> list[str]:
    """Return the tables of what a specification asks to be told of the effects' sizes, each with its notes."""
    lines: list[str] = []
    for name, found in sizes.items():
        table = found.table
        kept = distinct(list(dict.fromkeys(table["path"]))) if name == "standardised" else list(table["path"])
        rows = [SIZE_HEADS[name]]
        own = (one for one in table.to_dict("records") if one["path"] in kept)
        rows += [[path_words(model, one["path"]), *_size(name, one)] for one in own]
        lines += ["", *(aligned(rows, "l" + "r" * (len(rows[0]) - 1)) if len(rows) > 1 else [])]
        for note in found.notes:
            lines += wrapped(note)
    return lines[1:]


def _size(name: str, one: Mapping[str, Any]) -> list[str]:
    """Return the numbers of one row of a table of sizes."""
    if name == "practical":
        return [probability(one[key]) for key in ("prob_below", "prob_inside", "prob_above")]
    if name == "proportion_mediated":
        shown = [number(one["median"], 2), interval(one, 2), probability(one["prob_share"])]
        return ["withheld", "", ""] if one["withheld"] else shown
    return [one["size"], number(one["median"], 3), interval(one, 3), probability(one["prob_negative"])]
