"""Samples, scales, tables and sums of a study's TOML file -> records."""

from __future__ import annotations

import re

from bayes_sp.model.reading.table import Table as Reader
from bayes_sp.records.published.study.entry import (
    about,
    figure,
    need_figure,
    need_whole,
    take_figure,
    take_figures,
    take_list,
    take_whole,
)
from bayes_sp.records.published.study.figures import Figure, formula_problem
from bayes_sp.records.published.study.parts import (
    Arithmetic,
    Correlation,
    Listed,
    Moments,
    Pooled,
    Repeated,
    Sample,
    Scale,
    Table,
    Total,
    Variable,
)

_ENTRY = re.compile(r"(?P<number>[^*†‡+a-z\s]*)\s*(?P<mark>[*†‡+a-z]*)")
_NONE = ("", "-", "–", "—")
SHAPES = ("", "count")


def read_moments(reader: Reader) -> Moments:
    """Read number, mean and SD of one group."""
    values = {
        "name": reader.take_text("name"),
        "n": take_whole(reader, "n", low=2),
        "mean": take_figure(reader, "mean"),
        "sd": take_figure(reader, "sd", low=0),
    }
    return Moments(**values, **about(reader))  # type: ignore[arg-type] # checked above


def read_sample(reader: Reader) -> Sample:
    """Read a step of the sample's flow."""
    name, n, label = reader.take_text("name", required=True), need_whole(reader, "n", low=1), reader.take_text("label")
    parts = reader.take_table("parts")
    counts = {key: take_whole(parts, key) or 0 for key in parts.names()}
    moments = reader.take_table("moments")
    found = {key: read_moments(moments.take_table(key)) for key in moments.names()}
    return Sample(name, n, label, counts, found, **about(reader))


def read_scale(reader: Reader) -> Scale:
    """Read the range and step of a measure."""
    variables = reader.take_texts("variables")
    if not variables:
        reader.report("variables", "must name the variables that are measured on this scale")
    low, high, step = (take_figure(reader, key, count=True) for key in ("minimum", "maximum", "step"))
    if low and high and low.exact >= high.exact:
        reader.report("maximum", f"must be above the minimum {low}, found {high}")
    if step and step.exact <= 0:
        reader.report("step", f"must be above 0, found {step}")
    elif step and low and high and (high.exact - low.exact) % step.exact:
        reader.report("step", f"must lead from the minimum {low} to the maximum {high}, found {step}")
    items = take_whole(reader, "items", low=1) or 1
    name, shape = reader.take_text("name"), reader.take_choice("shape", SHAPES, "")
    return Scale(variables, name, low, high, step, items, shape, **about(reader))


def read_table(reader: Reader) -> Table:
    """Read a table of means, SDs and correlations."""
    name, n = reader.take_text("name", default="table"), need_whole(reader, "n", low=2)
    marks = take_figures(reader, "marks")
    variables: list[Variable] = []
    correlations: list[Correlation] = []
    for row in reader.take_tables("variable", required=True):
        names = [variable.name for variable in variables]
        own = row.take_text("name", required=True)
        if own in names:
            row.report("name", f"stands twice in this table: {own!r}")
        correlations += _correlations(row, own, names, marks)
        figures = {
            key: take_figure(row, key, low=low, count=key in ("minimum", "maximum"))
            for key, low in {"mean": None, "sd": 0, "minimum": None, "maximum": None, "alpha": None}.items()
        }
        label, count = row.take_text("label"), take_whole(row, "n", low=2)
        variables.append(Variable(own, label, count, **figures, **about(row)))  # type: ignore[arg-type] # figures
    return Table(name, n, tuple(variables), marks, tuple(correlations), **about(reader))


def _correlations(row: Reader, own: str, names: list[str], marks: dict[str, Figure]) -> list[Correlation]:
    """Read the correlations of a row with the rows above it."""
    texts = row.take_texts("correlations")
    if texts and len(texts) != len(names):
        row.report("correlations", f"must be {len(names)}, one with each row above this one, found {len(texts)}")
        return []
    found = []
    for column, text in zip(names, texts, strict=False):
        parts = _ENTRY.fullmatch(text)
        if text in _NONE or parts is None:
            if text not in _NONE:
                row.report("correlations", f"of {own!r} with {column!r} must be a number and its mark, found {text!r}")
            found.append(Correlation(own, column, None))
            continue
        r = figure(row, f"correlations ({column})", parts["number"])
        if r is not None and (r.sign or abs(r.exact) > 1):
            row.report("correlations", f"of {own!r} with {column!r} must be from -1 to 1, found {text!r}")
        if parts["mark"] and parts["mark"] not in marks:
            row.report(
                "correlations", f"of {own!r} with {column!r} has the mark {parts['mark']!r}, which marks do not name"
            )
        found.append(Correlation(own, column, r, parts["mark"]))
    return found


def read_total(reader: Reader) -> Total:
    """Read a sum over patients."""
    variable, total = reader.take_text("variable", required=True), need_figure(reader, "total", count=True)
    return Total(variable, total, take_whole(reader, "n", low=1), **about(reader))


def read_arithmetic(reader: Reader) -> Arithmetic:
    """Read a number that follows from others."""
    label, result = reader.take_text("label", required=True), need_figure(reader, "result", count=True)
    formula, values = reader.take_text("formula", required=True), take_figures(reader, "values")
    if formula and (problem := formula_problem(formula, tuple(values))):
        reader.report("formula", problem)
    return Arithmetic(label, result, formula, dict(values), **about(reader))


def read_repeated(reader: Reader) -> Repeated:
    """Read one quantity that is printed at several places."""
    label = reader.take_text("label", required=True)
    values = []
    for item in reader.take_tables("values", required=True):
        value, place = need_figure(item, "value", count=True), item.take_text("place")
        item.finish()
        values.append((value, place))
    if len(values) == 1:
        reader.report("values", "must be two or more, found one")
    return Repeated(label, tuple(values), **about(reader))


def read_list(reader: Reader) -> Listed:
    """Read a list whose length is stated."""
    label, stated = reader.take_text("label", required=True), need_whole(reader, "stated")
    listed = tuple(str(item) for item in take_list(reader, "listed"))
    return Listed(label, stated, listed, **about(reader))


def read_pooled(reader: Reader) -> Pooled:
    """Read moments of a whole and of its parts."""
    label, missing = reader.take_text("label", required=True), take_whole(reader, "missing") or 0
    whole = read_moments(reader.take_table("whole", required=True))
    parts = tuple(read_moments(part) for part in reader.take_tables("parts", required=True))
    for key, part in (("whole", whole), *((f"parts[{i}]", part) for i, part in enumerate(parts, start=1))):
        if part.n is None or part.mean is None:
            reader.report(key, "must have n and mean")
    if len(parts) == 1:
        reader.report("parts", "must be two or more, found one")
    if sum(part.n or 0 for part in parts) != (whole.n or 0):
        reader.report("parts", f"must add up to the {whole.n} of the whole, found {sum(part.n or 0 for part in parts)}")
    return Pooled(label, whole, parts, missing, **about(reader))
