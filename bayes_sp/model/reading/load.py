"""TOML -> PathModel: strict, with all mistakes of a file at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from bayes_sp.errors import SpecificationError, nearest
from bayes_sp.model.checks.model import check_model, text_problems
from bayes_sp.model.path_model import Missing, PathModel
from bayes_sp.model.people import read_people
from bayes_sp.model.reading import parts
from bayes_sp.model.reading.exposures import read_exposures, with_exposures
from bayes_sp.model.reading.priors import coefficient_names, read_priors, read_unmeasured
from bayes_sp.model.reading.table import Table
from bayes_sp.model.reading.toml_text import read_tables, table_problems
from bayes_sp.model.shifts import without_zero_shifts
from bayes_sp.safe_text import one_line


def models_folder() -> Path:
    """Return the folder of the shipped specifications: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
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

    Examples
    --------
    >>> import bayes_sp as sp
    >>> sp.load_model("reversed").mediators
    ('loneliness_t1', 'belonging_t1')
    """
    if isinstance(source, PathModel):
        if problems := [*text_problems(source), *check_model(source)]:
            raise SpecificationError(source.name, problems)
        return _without_zero_shifts(source)
    if isinstance(source, Mapping):
        return parse_model(source, name=name or "model", source=name or "specification")
    path = find_model(source)
    tables = read_tables(path)
    return parse_model(tables, name=path.stem, source=str(path), folder=str(path.resolve().parent))


def find_model(source: str | Path, folder: str = "") -> Path:
    """Return the file of a specification given by the name of a shipped one or by its path.

    A name or a relative path is looked up in ``folder`` first, where one is given.

    Raises SpecificationError where there is no such file.
    """
    text = os.path.expanduser(source)  # Path.expanduser raises for an unknown user
    is_path = text.endswith(".toml") or os.sep in text
    file = Path(text) if is_path else Path(f"{text}.toml")
    if folder and os.path.isfile(beside := Path(folder) / file):
        return beside
    shipped = shipped_models()
    if not is_path and text in shipped:
        return shipped[text]
    if is_path and os.path.isfile(file):
        return file
    added = Path(f"{text}.toml")
    if text and os.path.isfile(added):
        hint = f'there is no such file; did you mean "{added}"?'
    elif os.path.isdir(text or os.curdir):
        hint = "is a folder; give a shipped specification's name or the path of a TOML file"
    else:
        hint = f"is neither a shipped specification nor the path of a TOML file{nearest(file.stem, shipped)}"
    raise SpecificationError(f'"{source}"', [hint])


def parse_model(tables: Mapping[str, Any], *, name: str, source: str, folder: str = "") -> PathModel:
    """Turn a specification's tables into a checked ``PathModel``; see ``load_model``."""
    problems = table_problems(tables)
    if problems:
        raise SpecificationError(source, problems)
    top = Table(tables, "", problems)
    exposure = top.take_text("exposure", required=True)
    outcome = top.take_text("outcome", required=True)
    equations = parts.read_equations(top.take_tables("equation", required=True), exposure)
    covariates, asked = read_exposures(
        top.take_table("exposures"), exposure, parts.read_covariates(top.take_table("covariates"))
    )
    structure_is_readable = not problems
    model = PathModel(
        name=one_line(name),
        title=top.take_text("title", required=True),
        question=top.take_text("question"),
        exposure=exposure,
        outcome=outcome,
        contrast=_contrast(top, categories=asked is not None and bool(covariates[-1].levels)),
        covariates=covariates,
        equations=equations,
        priors=(),
        moderators=parts.read_moderators(top.take_table("moderators")),
        contrasts=parts.read_contrasts(top.take_table("contrasts")),
        practical=parts.read_practical(top.take_table("practical")),
        sizes=top.take_texts("sizes"),
        published=tuple(parts.read_published(table) for table in top.take_tables("published")),
        assumptions=top.take_texts("assumptions"),
        twin=top.take_text("twin"),
        unmeasured=read_unmeasured(top.take_table("unmeasured")),
        missing_shift=_missing_shift(top.take_table("missing_shift")),
        missing=top.take_choice("missing", get_args(Missing), "model"),  # type: ignore[arg-type] # one of Missing
        missing_codes=parts.read_codes(top) or (),
        id=top.take_text("id"),
        people=read_people(top),
        folder=folder,
    )
    model = replace(model, variables=parts.read_variables(top.take_table("variables"), model.kind))
    if "contrast" not in tables:
        model = replace(model, contrast=_two_values(model))
    model = with_exposures(model, asked, top.take_table("joint"))
    before = len(problems)
    variables = [
        exposure,
        *(equation.response for equation in equations),
        *(covariate.name for covariate in covariates),
    ]
    priors = read_priors(top.take_table("priors", required=True), variables, coefficient_names(model))
    priors_are_readable = structure_is_readable and len(problems) == before
    model = replace(model, priors=priors)
    top.finish()
    if structure_is_readable:  # rules between keys make sense only for keys that could be read
        problems.extend(check_model(model, with_priors=priors_are_readable))
    if problems:
        raise SpecificationError(source, problems)
    return _without_zero_shifts(model)


def _contrast(top: Table, *, categories: bool) -> tuple[float, float]:
    if categories and top.take("contrast") is not None:
        top.report("contrast", "is for an exposure that is a number; the pairs of a category stand in [exposures]")
    values = top.take_numbers("contrast", least=2) or (0.0, 1.0)
    if len(values) > 2:
        top.report("contrast", f"must be two different numbers [from, to], found {list(values)}")
    return (values[0], values[-1])


def _two_values(model: PathModel) -> tuple[float, float]:
    """Return the contrast where none is given: 0 and 1, or the two values of a binary exposure that has others."""
    exposure = model.variable(model.exposure)
    low = (exposure.minimum or 0.0) if exposure.kind == "binary" else 0.0
    return low, low + 1.0


def _missing_shift(table: Table) -> tuple[tuple[str, float], ...]:
    return tuple((name, table.take_number(name) or 0.0) for name in table.names())


def _without_zero_shifts(model: PathModel) -> PathModel:
    kept = without_zero_shifts(model.missing_shift)
    return model if kept == model.missing_shift else replace(model, missing_shift=kept)
