"""TOML -> PathModel: strict, with all mistakes of a file at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from bayes_sp.errors import SpecificationError, nearest
from bayes_sp.families.base import Kind
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.check import check_model
from bayes_sp.spec.parts import Transform
from bayes_sp.spec.priors import DISTRIBUTIONS, PARAMETER_SUPPORT, Prior
from bayes_sp.spec.table import Table
from bayes_sp.spec.types import WHOLE_MODEL, Covariate, Equation, PathModel, PublishedEffect, Variable


def models_folder() -> Path:
    """Return the folder of the shipped specifications: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "models"
    return installed if installed.is_dir() else package.parent / "models"


def shipped_models() -> dict[str, Path]:
    """Return the shipped specifications by name."""
    return {path.stem: path for path in sorted(models_folder().glob("*.toml"))}


def load_model(source: str | Path | Mapping[str, Any] | PathModel, *, name: str = "") -> PathModel:
    """Read and check a specification.

    Parameters
    ----------
    source
        Name of a shipped specification (``"primary"``), path of a TOML file, the tables themselves, or a ``PathModel``
        made in code, which is checked and returned.
    name
        Name of a specification given as tables.

    Returns
    -------
    PathModel

    Raises
    ------
    SpecificationError
        With every mistake found, each with its key path and the nearest known name.
    """
    if isinstance(source, PathModel):
        if problems := check_model(source):
            raise SpecificationError(source.name, problems)
        return source
    if isinstance(source, Mapping):
        return parse_model(source, name=name or "model", source=name or "specification")
    path = find_model(source)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecificationError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SpecificationError(str(path), [f"is not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    except ValueError as error:  # a TOMLDecodeError, or a whole number of thousands of digits
        raise SpecificationError(str(path), [f"is not valid TOML: {error}"]) from error
    return parse_model(tables, name=path.stem, source=str(path), folder=str(path.resolve().parent))


def find_model(source: str | Path, folder: str = "") -> Path:
    """Return the file of a specification given by the name of a shipped one or by its path.

    A name or a relative path is looked up in ``folder`` first, where one is given.

    Raises
    ------
    SpecificationError
        Where there is no such file.
    """
    text = os.path.expanduser(source)  # Path.expanduser raises for an unknown user
    is_path = text.endswith(".toml") or os.sep in text
    file = Path(text) if is_path else Path(f"{text}.toml")
    if folder and (beside := Path(folder) / file).is_file():
        return beside
    shipped = shipped_models()
    if not is_path and text in shipped:
        return shipped[text]
    if is_path and file.is_file():
        return file
    added = Path(f"{text}.toml")
    if text and added.is_file():
        hint = f'there is no such file; did you mean "{added}"?'
    elif Path(text).is_dir():
        hint = "is a folder; give a shipped specification's name or the path of a TOML file"
    else:
        hint = f"is neither a shipped specification nor the path of a TOML file{nearest(file.stem, shipped)}"
    raise SpecificationError(f'"{source}"', [hint])


def parse_model(tables: Mapping[str, Any], *, name: str, source: str, folder: str = "") -> PathModel:
    """Turn a specification's tables into a checked ``PathModel``; see ``load_model``."""
    problems: list[str] = []
    top = Table(tables, "", problems)
    exposure = top.take_text("exposure", required=True)
    outcome = top.take_text("outcome", required=True)
    equations = _equations(top.take_tables("equation", required=True), exposure)
    covariates = _covariates(top.take_table("covariates"))
    structure_is_readable = not problems
    chain = [exposure, *(equation.response for equation in equations)]
    coefficients = [*chain, *(name for c in covariates for name in (c.name, *c.terms))]
    priors = _priors(top.take_table("priors", required=True), chain[1:], coefficients)
    priors_are_readable = structure_is_readable and not problems
    model = PathModel(
        name=name,
        title=top.take_text("title", required=True),
        question=top.take_text("question"),
        exposure=exposure,
        outcome=outcome,
        contrast=_contrast(top),
        variables=_variables(top.take_table("variables"), equations),
        covariates=covariates,
        equations=equations,
        priors=priors,
        published=tuple(_published(table) for table in top.take_tables("published")),
        assumptions=top.take_texts("assumptions"),
        twin=top.take_text("twin"),
        folder=folder,
    )
    top.finish()
    if structure_is_readable:  # rules between keys make sense only for keys that could be read
        problems.extend(check_model(model, with_priors=priors_are_readable))
    if problems:
        raise SpecificationError(source, problems)
    return model


def _contrast(top: Table) -> tuple[float, float]:
    values = top.take_numbers("contrast", least=2) or (0.0, 1.0)
    if len(values) > 2:
        top.report("contrast", f"must be two different numbers [from, to], found {list(values)}")
    return (values[0], values[-1])


def _equations(tables: list[Table], exposure: str) -> tuple[Equation, ...]:
    equations: list[Equation] = []
    earlier = [exposure]
    for table in tables:
        response = table.take_text("response", required=True)
        family = table.take_choice("family", tuple(FAMILIES))
        parents = table.take_texts("parents", default=tuple(earlier))
        table.finish()
        equations.append(Equation(response, family, parents))
        earlier.append(response)
    return tuple(equations)


def _variables(tables: Table, equations: tuple[Equation, ...]) -> tuple[Variable, ...]:
    kinds = {e.response: FAMILIES[e.family].response for e in equations if e.family in FAMILIES}
    variables = []
    for name in tables.names():
        table = tables.take_table(name)
        variables.append(
            Variable(
                name=name,
                label=table.take_text("label", default=name),
                unit=table.take_text("unit"),
                kind=table.take_choice("kind", get_args(Kind), kinds.get(name, "real")),  # type: ignore[arg-type] # a Kind
                minimum=table.take_number("min"),
                maximum=table.take_number("max"),
                center=table.take_number("center", 0.0) or 0.0,
            )
        )
        table.finish()
    return tuple(variables)


def _covariates(tables: Table) -> tuple[Covariate, ...]:
    covariates = []
    for name in tables.names():
        table = tables.take_table(name)
        levels = table.take_numbers("levels", least=2)
        transform = table.take_choice("transform", get_args(Transform), "identity")
        center = table.take_number("center", 0.0)
        scale = table.take_number("scale", 1.0)
        if scale is not None and scale <= 0:
            table.report("scale", f"must be > 0, found {scale:g}")
        table.finish()
        covariates.append(
            Covariate(name, transform, center or 0.0, scale or 1.0, levels)  # type: ignore[arg-type] # one of Transform
        )
    return tuple(covariates)


def _published(table: Table) -> PublishedEffect:
    path = table.take_text("path", required=True)
    estimate = table.take("estimate", required=True)
    readings = estimate if isinstance(estimate, list) else [estimate]
    numbers = [table.number("estimate", value) for value in readings if value is not None]
    effect = PublishedEffect(
        path=path,
        estimate=tuple(number for number in numbers if number is not None),
        lower=table.take_number("lower"),
        upper=table.take_number("upper"),
        source=table.take_text("source", required=True),
    )
    table.finish()
    return effect


def _priors(table: Table, responses: list[str], coefficients: list[str]) -> tuple[tuple[str, str, Prior], ...]:
    """Read ``[priors]``: a table with ``dist`` is the whole model's, one named as a response holds an equation's."""
    known = [*PARAMETER_SUPPORT, *coefficients]
    found: list[tuple[str, str, Prior]] = []
    for name in table.names():
        below = table.take_table(name)
        if name in responses and "dist" not in below.names():
            for parameter in below.names():
                prior = _prior(below.take_table(parameter))
                if prior is not None:
                    found.append((name, parameter, prior))
        elif name in known:
            prior = _prior(below)
            if prior is not None:
                found.append((WHOLE_MODEL, name, prior))
        else:
            table.report(name, f"is neither a parameter nor a variable of the model{nearest(name, known)}")
    return tuple(found)


def _prior(table: Table) -> Prior | None:
    before = len(table.problems)
    dist = table.take_choice("dist", tuple(DISTRIBUTIONS))
    why = table.take_text("why", required=True)
    if not dist:
        return None
    known = DISTRIBUTIONS[dist]
    constants = [(name, table.take_number(name, required=True)) for name in known.arguments]
    for name, value in constants:
        if name in known.positive and value is not None and value <= 0:
            table.report(name, f"must be > 0, found {value:g}")
    table.finish()
    if len(table.problems) > before:
        return None
    return Prior(dist, tuple((name, float(value)) for name, value in constants if value is not None), why)
