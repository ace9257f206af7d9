"""Tables of the published study's TOML file -> its typed numbers."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from bayes_sp.records.published import printed

_TIMES = ("before", "after")


def _convert(kind: Any, value: Any) -> Any:  # noqa: ANN401 (TOML values and type hints are of any type)
    """Value of a field from its TOML value."""
    if kind is printed.Printed or (isinstance(kind, types.UnionType) and printed.Printed in typing.get_args(kind)):
        return printed.Printed(value)
    if typing.get_origin(kind) is tuple:
        return tuple(_convert(typing.get_args(kind)[0], item) for item in value)
    return value


def build[T](cls: type[T], table: Mapping[str, Any]) -> T:
    """Return a frozen record from its TOML table; an unknown or missing key is a TypeError or KeyError."""
    hints = typing.get_type_hints(cls)
    return cls(**{key: _convert(hints[key], value) for key, value in table.items()})


def table2(table: Mapping[str, Any]) -> tuple[tuple[printed.Variable, ...], tuple[printed.Correlation, ...]]:
    """Return the variables and correlations of Table 2."""
    place = table["place"]
    rows = table["variable"]
    names = [row["name"] for row in rows]
    variables = tuple(
        build(printed.Variable, {k: v for k, v in row.items() if k != "correlations"} | {"place": place})
        for row in rows
    )
    correlations = tuple(
        printed.Correlation(
            row["name"], column, printed.Printed(text.rstrip("*†")), text[len(text.rstrip("*†")) :], place
        )
        for position, row in enumerate(rows)
        for column, text in zip(names[:position], row["correlations"], strict=True)
    )
    return variables, correlations


def sample(table: Mapping[str, Any]) -> printed.Sample:
    """Return the patients at one step of the sample's flow."""
    age = {f"age_{key}": value for key, value in table["moments"]["age"].items()}
    return build(printed.Sample, without(table, "parts", "moments") | table["parts"] | age)


def anova(table: Mapping[str, Any]) -> printed.Anova:
    """Return a comparison of two times."""
    beside = {f"{key}_t{i}": table[f"{key}_{time}"] for key in ("mean", "sd") for i, time in enumerate(_TIMES)}
    rest = without(table, "label", "bearing", *_TIMES, *(f"{key}_{time}" for key in ("mean", "sd") for time in _TIMES))
    return build(printed.Anova, rest | beside | {"variable": table["before"].removesuffix("_t0")})


def t_test(table: Mapping[str, Any]) -> printed.TTest:
    """Return a comparison of those who came back with the others."""
    groups = zip(("responders", "nonresponders"), table["groups"], strict=True)
    moments = {f"{key}_{name}": group[key] for name, group in groups for key in ("mean", "sd")}
    return build(printed.TTest, without(table, "label", "groups", "missing") | moments)


def power(table: Mapping[str, Any]) -> printed.Power:
    """Return the sample-size calculation."""
    return build(
        printed.Power,
        {"design": table["label"], table["effect"]: table["size"], "power": table["power"], "minimum_n": table["n"],
         "place": table["place"]},
    )  # fmt: skip


def scale(table: Mapping[str, Any]) -> printed.Scale:
    """Return a measure's range."""
    return build(printed.Scale, without(table, "name", "variables", "shape") | {"variable": table["name"]})


def totals(toml: Mapping[str, Any]) -> printed.AppointmentTotals:
    """Return the appointments of all patients together."""
    (t0, t1), (fewer, percent) = toml["total"], toml["arithmetic"]
    return build(
        printed.AppointmentTotals,
        {"total_t0": t0["total"], "total_t1": t1["total"], "reduction": fewer["result"],
         "reduction_percent": percent["result"], "place": t0["place"]},
    )  # fmt: skip


def without(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a table without some of its keys."""
    return {key: value for key, value in table.items() if key not in keys}
