"""The printed coefficients: equation by equation, the posterior beside maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bayes_sp.analysis.coefficients import Coefficients, ratio_word
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.small_counts import share_words
from bayes_sp.report.text.layout import aligned, interval, wrapped
from bayes_sp.shown import decimals_for, number

HEADS = ["", "mean", "SD", "95 % interval", "ratio", "ML (SE)"]
SCALES = {"log": "log link", "logit": "logit link", "probit": "probit link"}


def coefficient_lines(model: PathModel, found: Coefficients) -> list[str]:
    """Return the table of every equation's parameters, with a heading for each, and its notes."""
    groups = list(found.table.groupby("equation", sort=False))
    cells = [coefficient_cells(row) for row in found.table.to_dict("records")]
    used = [i for i, head in enumerate(HEADS) if i == 0 or any(row[i] for row in cells)]
    rows, taken = [[HEADS[i] for i in used]], iter(cells)
    for equation, (_, group) in zip(model.equations, groups, strict=True):
        rows.append([_heading(model, equation), *[""] * (len(used) - 1)])
        rows += [[f"   {row[0]}", *(row[i] for i in used[1:])] for row in (next(taken) for _ in range(len(group)))]
    lines = [line.rstrip() for line in aligned(rows, "l" + "r" * (len(used) - 1))]
    for sentence in _notes(model, found):
        lines += wrapped(sentence)
    return lines


def coefficient_cells(row: Mapping[Any, Any]) -> list[str]:
    """Return term, mean, SD, interval, ratio and maximum likelihood of a row, empty where there is no number."""
    decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
    likelihood = ""
    if not math.isnan(row["ml_estimate"]):
        error = "" if math.isnan(row["ml_se"]) else f" ({number(row['ml_se'], decimals)})"
        likelihood = f"{number(row['ml_estimate'], decimals)}{error}"
    ratio = "" if math.isnan(row["ratio"]) else number(row["ratio"], decimals)
    return [
        str(row["term"]), number(row["mean"], decimals), number(row["sd"], decimals), interval(row, decimals), ratio,
        likelihood,
    ]  # fmt: skip


def _heading(model: PathModel, equation: Equation) -> str:
    """Return an equation's heading: its response, family and link, and what its ratios are."""
    family = FAMILIES[equation.family]
    words = [family.words]
    words += [SCALES[family.link]] if family.link in SCALES else []
    words += [f"ratio: {word}"] if (word := ratio_word(family)) else []
    words += ["of zero: odds ratio"] if family.zero_part else []
    return f"{model.variable(equation.response).label}: {', '.join(words)}"


def symbols(model: PathModel) -> str:
    """Return what the parameters beside coefficients and cutpoints are, in a sentence; '' for none."""
    named = {one.name: one.words for equation in model.equations for one in FAMILIES[equation.family].scalars}
    named |= {"tau": "the SD of the groups' intercepts"} if model.grouping else {}
    words = "; ".join(f"{name} is {what}" for name, what in named.items())
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _notes(model: PathModel, found: Coefficients) -> Iterator[str]:
    kinds = [
        "Coefficients for one unit of their column as the specification codes it, in units of the response or of the "
        "link that the heading names; posterior means, SDs and equal-tailed intervals"
    ]
    kinds += ["posterior medians of exp(coefficient) as ratios"] if found.table["ratio"].notna().any() else []
    if found.patients:
        used = share_words(found.patients, found.records).removesuffix(f" of {found.records:,}")
        kinds.append(
            f"maximum likelihood (ML), without any prior, of {used} records, with the standard error of the "
            "observed information"
        )
    text = "; ".join(kinds)
    if any(FAMILIES[equation.family].zero_part for equation in model.equations):
        text += "; zero[...]: log odds of a zero of a kind of its own, the other rows being of the counts beside these"
    yield f"{text}. {symbols(model)}".strip()
    for sentence in found.notes:
        yield f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}."
