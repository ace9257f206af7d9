"""TOML -> Study: strict, with all mistakes of a file at once."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bayes_sp.errors import BayesSpError
from bayes_sp.model.reading.table import Table as Reader
from bayes_sp.model.reading.toml_text import read_tables
from bayes_sp.records.published.study import read_parts, read_results
from bayes_sp.records.published.study.entry import name_problems
from bayes_sp.records.published.study.results import Study

_SUFFIX = ".toml"
# Key of the TOML file -> field of a study, and how one of its tables is read.
_MANY: Mapping[str, tuple[str, Callable[[Reader], Any]]] = {
    "sample": ("samples", read_parts.read_sample),
    "scale": ("scales", read_parts.read_scale),
    "table": ("tables", read_parts.read_table),
    "change": ("changes", read_results.read_change),
    "total": ("totals", read_parts.read_total),
    "arithmetic": ("arithmetic", read_parts.read_arithmetic),
    "repeated": ("repeated", read_parts.read_repeated),
    "list": ("lists", read_parts.read_list),
    "pooled": ("pooled", read_parts.read_pooled),
    "test": ("tests", read_results.read_test),
    "paired": ("paired", read_results.read_paired),
    "two_groups": ("two_groups", read_results.read_two_groups),
    "sample_size": ("sample_sizes", read_results.read_sample_size),
    "coefficient": ("coefficients", read_results.read_coefficient),
    "effect": ("effects", read_results.read_effect),
    "chain": ("chains", read_results.read_chain),
}


class StudyError(BayesSpError):
    """A study that cannot be read, or whose parts do not fit together."""


def shipped_studies() -> tuple[str, ...]:
    """Return the names of the studies that come with the package."""
    folder = importlib.resources.files("bayes_sp.records.published")
    return tuple(sorted(item.name.removesuffix(_SUFFIX) for item in folder.iterdir() if item.name.endswith(_SUFFIX)))


def read_study(study: str | Path | Mapping[str, Any]) -> Study:
    """Read the printed numbers of a study.

    Raises StudyError with every mistake of the file.

    By the name of a shipped one, a TOML file, or its tables; ``docs/audit.md`` describes the form.
    """
    if isinstance(study, Mapping):
        return _study("study", study)
    if str(study) in shipped_studies():
        found = importlib.resources.files("bayes_sp.records.published").joinpath(f"{study}{_SUFFIX}")
        with importlib.resources.as_file(found) as path:
            return _study(str(study), read_tables(path, StudyError))
    if not os.path.exists(os.path.expanduser(study)):
        names = ", ".join(shipped_studies())
        raise StudyError(str(study), [f"there is no such file, and no shipped study of this name ({names})"])
    return _study(str(study), read_tables(study, StudyError))


def _study(source: str, tables: Mapping[str, Any]) -> Study:
    """Return a study from its tables; StudyError with everything that is wrong in them."""
    problems: list[str] = []
    reader = Reader(tables, "", problems)
    reader.take("context")
    citation = _citation(reader)
    fields: dict[str, tuple[Any, ...]] = {}
    for key, (field, read_one) in _MANY.items():
        found = [read_one(table) for table in reader.take_tables(key)]
        fields[field] = tuple(item for item in found if item is not None)
    reader.finish()
    if problems:
        raise StudyError(source, problems)
    study = Study(source=source, citation=citation, **fields)
    if not any(fields.values()):
        problems = [f"holds no printed number; known tables: {', '.join(_MANY)}"]
    if problems := [*problems, *name_problems(study)]:
        raise StudyError(source, problems)
    return study


def _citation(reader: Reader) -> dict[str, str]:
    """Return where the numbers come from: any keys with texts, whole numbers or lists of texts."""
    table = reader.take_table("citation", required=True)
    found = {}
    for key in table.names():
        value = table.take(key)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
            table.report(key, f"must be a text, a whole number or a list of texts, found {value!r}")
            continue
        found[key] = table.line(key, ", ".join(map(str, parts)))
    if not found.get("title"):
        table.report("title", "is missing")
    return found
