"""Strict reading of one entry of a study, and of the names that entries share, each mistake with its key path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bayes_sp.errors import nearest
from bayes_sp.model.reading.table import Table as Reader
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.results import Study


def name_problems(study: Study) -> list[str]:
    """Return one sentence for each name that nothing else in the study has."""
    known = sorted({name for table in study.tables for name in table.names})
    labels = [test.label for test in study.every_test()]
    problems = [
        f"{where}: no table has the variable {name!r}{nearest(name, known)}"
        for where, name in _variables_used(study)
        if name not in known
    ]
    problems += [
        f"sample_size[{i}].effect_of: no test has the label {item.effect_of!r}{nearest(item.effect_of, labels)}"
        for i, item in enumerate(study.sample_sizes, start=1)
        if item.effect_of and item.effect_of not in labels
    ]
    problems += [f"{kind}: {name!r} stands twice" for kind, name in _twice(study)]
    return problems + [
        f"chain[{i}]: {name!r} stands twice in it"
        for i, chain in enumerate(study.chains, start=1)
        for name in sorted({*chain.variables, *chain.covariates})
        if [*chain.variables, *chain.covariates].count(name) > 1
    ]


def _variables_used(study: Study) -> Iterator[tuple[str, str]]:
    """Yield every name of a variable with the place at which it is used."""
    for i, change in enumerate(study.changes, start=1):
        yield from ((f"change[{i}].{key}", getattr(change, key)) for key in ("score", "before", "after"))
    for i, total in enumerate(study.totals, start=1):
        yield f"total[{i}].variable", total.variable
    for i, paired in enumerate(study.paired, start=1):
        yield from ((f"paired[{i}].{key}", getattr(paired, key)) for key in ("before", "after"))
    for i, chain in enumerate(study.chains, start=1):
        yield from ((f"chain[{i}]", name) for name in (*chain.variables, *chain.covariates))
    for i, scale in enumerate(study.scales, start=1):
        yield from ((f"scale[{i}].variables", name) for name in scale.variables)
    if study.tables:
        for i, coefficient in enumerate(study.coefficients, start=1):
            yield from ((f"coefficient[{i}].{key}", getattr(coefficient, key)) for key in ("response", "term"))
        for i, effect in enumerate(study.effects, start=1):
            if effect.path not in (TOTAL, TOTAL_INDIRECT):
                yield from ((f"effect[{i}].path", name.strip()) for name in effect.path.split(ARROW.strip()))


def _twice(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what must be there once and stands more than once."""
    named = {
        "sample.name": [sample.name for sample in study.samples],
        "table.name": [table.name for table in study.tables],
        "scale.variables": [name for scale in study.scales for name in scale.variables],
        "coefficient": [item.label for item in study.coefficients],
        "effect": [item.label for item in study.effects],
        "test label": [test.label for test in study.every_test()],
    }
    for kind, names in named.items():
        yield from ((kind, name) for name in sorted({name for name in names if names.count(name) > 1}))


_MOST = 10**9  # patients, degrees of freedom
MISSING = Figure("0")


def figure(reader: Reader, name: str, value: object, *, count: bool = False) -> Figure | None:
    """Return a value as a figure, or report it: a text as printed or, where it may be a count, a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not count:
            reader.report(name, f'must be a text as printed, in quotation marks, since it is rounded: "{value}"')
            return None
        if abs(value) <= _MOST:
            return Figure(str(value), whole=True)
        reader.report(name, f"must be at most {_MOST:,} in size, found {value}")
        return None
    if isinstance(value, float):
        reader.report(name, f'must be a text as printed, in quotation marks, so that its decimals are kept: "{value}"')
        return None
    if not isinstance(value, str):
        reader.report(name, f'must be a number as printed, such as "0.09", found {value!r}')
        return None
    try:
        return Figure(value)
    except ValueError as found:
        reader.report(name, str(found))
        return None


def take_figure(
    reader: Reader,
    name: str,
    *,
    low: float | None = None,
    high: float | None = None,
    bound: bool = False,
    count: bool = False,
) -> Figure | None:
    """Remove and return a figure between ``low`` and ``high``; None where there is none or it is reported.

    With ``bound`` also ``"<0.001"`` and the like; with ``count`` also a whole number, which nobody has rounded.
    """
    value = reader.take(name)
    found = None if value is None else figure(reader, name, value, count=count)
    if found is None:
        return None
    if found.sign and not bound:
        reader.report(name, f"must be a number, not a bound, found {found.text!r}")
    elif (low is not None and found.value < low) or (high is not None and found.value > high):
        ends = f"at least {low:g}" if high is None else f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
        reader.report(name, f"must be {ends}, found {found.text}")
    else:
        return found
    return None


def need_figure(
    reader: Reader, name: str, *, low: float | None = None, high: float | None = None, count: bool = False
) -> Figure:
    """Remove and return a figure that must be there; what stands for a missing one is never used."""
    if name not in reader.names():
        reader.take(name, required=True)
        return MISSING
    return take_figure(reader, name, low=low, high=high, count=count) or MISSING


def take_whole(reader: Reader, name: str, *, low: int = 0, required: bool = False) -> int | None:
    """Remove and return a whole number of at least ``low``."""
    value = reader.take(name, required=required)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= _MOST:
        reader.report(name, f"must be a whole number of at least {low}, found {value!r}")
        return None
    return value


def need_whole(reader: Reader, name: str, *, low: int = 0) -> int:
    """Remove and return a whole number that must be there; what stands for a missing one is never used."""
    found = take_whole(reader, name, low=low, required=True)
    return low if found is None else found


def take_figures(reader: Reader, name: str) -> dict[str, Figure]:
    """Remove and return a table of figures or counts; empty where there is none."""
    table = reader.take_table(name)
    found = {key: figure(table, key, table.take(key), count=True) for key in table.names()}
    return {key: value for key, value in found.items() if value is not None}


def take_list(reader: Reader, name: str) -> list[Any]:
    """Remove and return a list of any values; empty where there is none."""
    value = reader.take(name)
    if value is not None and not isinstance(value, list):
        reader.report(name, f"must be a list, found {value!r}")
        return []
    return value or []


def take_df(reader: Reader) -> tuple[int, int] | None:
    """Remove and return degrees of freedom: a whole number, or the least and the most that they can be."""
    value = reader.take("df")
    if value is None:
        return None
    ends = value if isinstance(value, list) else [value, value]
    if (
        len(ends) != 2
        or not all(isinstance(end, int) and not isinstance(end, bool) for end in ends)
        or not 1 <= ends[0] <= ends[1] <= _MOST
    ):
        rule = "must be a whole number of at least 1, or the least and the most as [100, 166]"
        reader.report("df", f"{rule}, found {value!r}")
        return None
    return ends[0], ends[1]


def about(reader: Reader) -> Mapping[str, str]:
    """Remove and return what every entry may have, and report the keys that nobody asked for: call it last."""
    found = {"place": reader.take_text("place"), "bearing": reader.take_text("bearing")}
    reader.finish()
    return found
