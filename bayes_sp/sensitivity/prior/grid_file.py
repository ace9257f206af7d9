"""TOML -> which priors a specification is fitted under: strict, with all mistakes of a file at once."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from bayes_sp.errors import BayesSpError, SpecificationError, nearest
from bayes_sp.model.checks.priors import prior_problems
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import models_folder, shipped_models
from bayes_sp.model.reading.priors import coefficient_names, read_priors
from bayes_sp.model.reading.table import Table
from bayes_sp.model.reading.toml_text import read_tables
from bayes_sp.sensitivity.prior.dials import PriorDial, check_value, constant_dial, factor_dial, turned
from bayes_sp.sensitivity.prior.rules import RULES, Alternative
from bayes_sp.sensitivity.prior.terms import renamed, users_of

MOST_CELLS = 10_000
DEFAULT = "default"
SWAPPED = "is a specification and not a grid of priors; to analyse it, name it before --priors"


@dataclass(frozen=True)
class Grid:
    """Which priors a specification is fitted under."""

    # title, question: as in the file.
    title: str
    question: str
    alternatives: tuple[Alternative, ...]  # named sets of priors, in the order of the file
    dials: tuple[tuple[PriorDial, tuple[float, ...]], ...]  # (dial, its values), which are crossed with each other
    notes: tuple[str, ...] = ()  # what the file names that does not apply to the specification

    def crossed(self, model: PathModel) -> list[PathModel]:
        """Return the specification at every crossing, the last dial turning fastest; none without dials."""
        dials = [dial for dial, _ in self.dials]
        return [turned(model, dials, values) for values in product(*(v for _, v in self.dials))] if dials else []


@dataclass
class _Reading:
    """What is found in a file, for one specification."""

    model: PathModel
    alternatives: list[Alternative]
    notes: list[str]
    shipped: bool = False


def shipped_grids() -> dict[str, Path]:
    """Return the shipped grid files by name."""
    return {path.stem: path for path in sorted((models_folder() / "priors").glob("*.toml"))}


def read_grid(model: PathModel, source: str | Path | Mapping[str, Any] = DEFAULT) -> Grid:
    """Read and check a grid file for a specification.

    Raises SpecificationError with every mistake found, each with its key path and the nearest known name.

    By the name of a shipped one (``default``), the path of a TOML file, or the tables themselves.
    """
    if isinstance(source, Mapping):
        return _parse(model, source, "grid", shipped=False)
    path = find_grid(source)
    tables = read_tables(path)
    if "equation" in tables:
        raise SpecificationError(str(path), [SWAPPED])
    return _parse(model, tables, str(path), shipped=path in shipped_grids().values())


def find_grid(source: str | Path) -> Path:
    """Return the file of a grid given by the name of a shipped one or by its path.

    Raises SpecificationError where there is no such file.
    """
    text, shipped = os.path.expanduser(source), shipped_grids()
    if text in shipped_models():
        raise SpecificationError(f'"{source}"', [SWAPPED])
    if text in shipped:
        return shipped[text]
    if os.path.isfile(text):
        return Path(text)
    hint = f"is neither a shipped grid of priors nor the path of a TOML file{nearest(Path(text).stem, shipped)}"
    raise SpecificationError(f'"{source}"', [hint])


def _parse(model: PathModel, tables: Mapping[str, Any], source: str, *, shipped: bool) -> Grid:
    problems: list[str] = []
    top = Table(tables, "", problems)
    reading = _Reading(model, [], [], shipped)
    title, question = top.take_text("title", required=True), top.take_text("question")
    _read_named(top, reading)
    for table in top.take_tables("alternative"):
        _read_alternative(table, reading)
    given = bool(tables.get("named") or tables.get("alternative"))
    for name, count in Counter(found.name for found in reading.alternatives).items():
        if count > 1:
            problems.append(f'alternative: "{name}" stands {count} times; each set of priors has a name of its own')
    dials = [
        *_read_dials(top.take_table("cross"), reading, constants=True),
        *_read_dials(top.take_table("scale"), reading, constants=False),
    ]
    top.finish()
    if not given and not tables.get("cross") and not tables.get("scale"):
        problems.append("holds no priors: give named, [[alternative]], [cross] or [scale]")
    cells = math.prod(len(values) for _, values in dials)
    if cells > MOST_CELLS:
        problems.append(f"cross: {cells} crossings; at most {MOST_CELLS} are fitted")
    if problems:
        raise SpecificationError(source, problems)
    return Grid(title, question, tuple(reading.alternatives), tuple(dials), tuple(reading.notes))


def _read_named(top: Table, reading: _Reading) -> None:
    """Read ``named``: rules, and shipped files of alternatives."""
    shipped = shipped_grids()
    names = top.take_texts("named")
    for name, count in Counter(names).items():
        if count > 1:
            top.report("named", f'"{name}" stands {count} times')
        elif name in RULES:
            found = RULES[name](reading.model)
            if name != "primary" and found.model == reading.model:
                reading.notes.append(f"{name}: changes no prior of {reading.model.name}")
            else:
                reading.alternatives.append(found)
                reading.notes += [f"{name}: {note}" for note in found.notes]
        elif name in shipped:
            _read_shipped(top, name, shipped[name], reading)
        else:
            top.report("named", f'unknown "{name}"{nearest(name, [*RULES, *shipped])}')


def _read_shipped(top: Table, name: str, path: Path, reading: _Reading) -> None:
    tables = Table(read_tables(path), name, top.problems).take_tables("alternative")
    if not tables:
        top.report("named", f'"{name}" is a grid without alternatives of its own')
    before, notes = len(reading.alternatives), len(reading.notes)
    for table in tables:
        _read_alternative(table, reading)
    reasons = reading.notes[notes:]
    if len(reading.alternatives) > before:
        del reading.notes[notes:]  # one of several forms applies
    elif reasons:
        reading.notes[notes:] = [reasons[-1]]


def _read_alternative(table: Table, reading: _Reading) -> None:
    """Read ``[[alternative]]``: a name, a reason, the priors that change, and to which specifications it applies."""
    model, before = reading.model, len(table.problems)
    name, why = table.take_text("name", required=True), table.take_text("why", required=True)
    if name in RULES:
        table.report("name", f'"{name}" is a rule; take another name')
    applies = table.take_table("applies")
    wanted, missing = applies.names(), list(_missing(applies, model))
    priors = table.take_table("priors", required=True)
    table.finish()
    if missing:
        other = not any(equation.response in wanted for equation in model.equations)
        if reading.shipped and other:  # priors of another study's variables are no news
            return
        reading.notes.append(f"{name}: does not apply to {model.name}: {'; '.join(missing)}")
        return
    variables = [*model.chain, *(covariate.name for covariate in model.covariates)]
    new = read_priors(priors, variables, coefficient_names(model))
    if len(table.problems) > before:
        return
    if not new:
        table.report("priors", "changes nothing: give at least one prior")
        return
    given = {(where, key): prior for where, key, prior in model.priors}
    given |= {(where, key): prior for where, key, prior in new}
    entries = tuple((*place, prior) for place, prior in given.items())
    changed = replace(model, priors=entries)
    wrong = [f"{table.path}.{problem}" for problem in prior_problems(changed)]
    if not wrong:
        used = users_of(changed)
        idle = [".".join(filter(None, (where, key))) for where, key, _ in new if (where, key) not in used]
        wrong = [f"{priors.path}.{key}: has no effect; more special priors stand before it" for key in idle]
    table.problems += wrong
    reading.alternatives.append(Alternative(name, why, renamed(model, entries, name)))


def _missing(applies: Table, model: PathModel) -> Iterator[str]:
    """Yield what a specification lacks for an alternative: an equation, one of its families, parents of it."""
    equations = {equation.response: equation for equation in model.equations}
    for response in applies.names():
        table = applies.take_table(response)
        families = table.take_texts("families", tuple(FAMILIES))
        parents = table.take_texts("parents")
        table.finish()
        for family in families:
            if family not in FAMILIES:
                table.report("families", f'unknown family "{family}"{nearest(family, FAMILIES)}')
        equation = equations.get(response)
        if equation is None:
            yield f"it has no equation of {response}"
            continue
        if equation.family not in families:
            yield f"the family of {response} is {equation.family}, not {' or '.join(families)}"
        if other := [parent for parent in parents if parent not in equation.parents]:
            yield f"{response} does not depend on {', '.join(other)}"


def _read_dials(table: Table, reading: _Reading, *, constants: bool) -> Iterator[tuple[PriorDial, tuple[float, ...]]]:
    """Yield the dials of ``[cross]`` (constants of priors) or ``[scale]`` (factors) with their values."""
    given = list(_flattened(table))
    flat = Table(dict(given), table.path, table.problems)
    for key, count in Counter(key for key, _ in given).items():
        if count > 1:
            flat.report(key, f"stands {count} times, with and without quotes")
    for key in flat.names():
        values = flat.take_numbers(key, least=1)
        try:
            dial = (constant_dial if constants else factor_dial)(reading.model, key)
        except BayesSpError as error:
            message = "; ".join(error.problems)
            if reading.shipped:
                reading.notes.append(f"{flat.key(key)}: {message}")
            else:
                flat.report(key, message)
            continue
        wrong = [problem for value in values if (problem := check_value(reading.model, dial, value))]
        for problem in wrong:
            flat.report(key, problem)
        if values and not wrong:
            yield dial, values


def _flattened(table: Table, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the lists below a table with their dotted keys, so that a key can be written with and without quotes."""
    for name in table.names():
        value = table.take(name)
        key = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _flattened(Table(value, "", table.problems), key)
        else:
            yield key, value
