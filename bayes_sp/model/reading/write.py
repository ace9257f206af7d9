"""PathModel -> tables and TOML text that read back to an equal PathModel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import tomli_w

from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import Covariate, Equation, PathModel, PublishedEffect, Variable
from bayes_sp.model.people import written_people
from bayes_sp.model.reading.exposures import exposure_tables
from bayes_sp.model.shifts import without_zero_shifts
from bayes_sp.model.terms import product_text
from bayes_sp.safe_text import one_line


def specification_tables(model: PathModel) -> dict[str, Any]:
    """Return a specification as the tables that ``load_model`` reads, every parent and level written out."""
    priors: dict[str, Any] = {}
    for where, name, prior in model.priors:
        table = {"dist": prior.dist, **prior.values, "why": prior.why}
        (priors.setdefault(where, {}) if where else priors)[name] = table
    tables: dict[str, Any] = {
        "title": model.title,
        "question": model.question,
        "exposure": model.exposure,
        "outcome": model.outcome,
        "contrast": [] if model.exposures else list(model.contrast),
        "assumptions": list(model.assumptions),
        "twin": model.twin,
        "missing": model.missing if model.missing != "model" else "",
        "id": model.id,
        "people": written_people(model.people),
        "missing_codes": list(model.missing_codes),
        "variables": {variable.name: _variable(variable) for variable in model.variables},
        "covariates": {
            c.name: _covariate(c) for c in model.covariates if not (c.indicators or c.name == model.exposure)
        },
        **exposure_tables(model),
        "equation": [_equation(equation) for equation in model.equations],
        "priors": priors,
        "moderators": {name: list(values) for name, values in model.moderators},
        "contrasts": {name: list(effects) for name, effects in model.contrasts},
        "practical": {} if model.practical is None else asdict(model.practical),
        "sizes": list(model.sizes),
        "unmeasured": {u.name: {r: _strength(s) for r, s in u.strengths} for u in model.unmeasured},
        "missing_shift": dict(without_zero_shifts(model.missing_shift)),
        "published": [_published(effect) for effect in model.published],
    }
    return {key: value for key, value in tables.items() if value not in ("", {}, [])}


def specification_text(model: PathModel) -> str:
    """Return a specification as TOML text."""
    return tomli_w.dumps(specification_tables(model))


def editable_text(tables: Mapping[str, Any], comments: Sequence[str]) -> str:
    """Return a specification's tables as TOML for people: comments first, one line for each variable and prior."""
    lines = [f"# {one_line(comment)}" for comment in comments]
    for key, value in tables.items():
        if not isinstance(value, dict) and key != "equation":
            lines.append(f"{key} = {inline_value(value)}")
    for key in ("variables", "exposures", "covariates"):
        if tables.get(key):
            lines += [
                "",
                f"[{key}]",
                *(f"{inline_key(name)} = {inline_value(table)}" for name, table in tables[key].items()),
            ]
    for equation in tables["equation"]:
        lines += ["", "[[equation]]", *(f"{key} = {inline_value(value)}" for key, value in equation.items())]
    for where, priors in tables["priors"].items():
        lines += [
            "",
            f"[priors.{inline_key(where)}]",
            *(f"{inline_key(name)} = {inline_value(prior)}" for name, prior in priors.items()),
        ]
    return "\n".join(lines) + "\n"


def inline_value(value: Any) -> str:  # noqa: ANN401 - whatever TOML holds
    """Return a value on one line."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{inline_key(key)} = {inline_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline_value, value)) + "]"
    if isinstance(value, float) and value == round(value) and abs(value) < 2**53:
        return str(int(value))
    return tomli_w.dumps({"k": value})[4:].strip()


def inline_key(name: str) -> str:
    """Return a key, in quotation marks where it needs them."""
    return tomli_w.dumps({name: 0}).rpartition("=")[0].strip()


def specification_digest(model: PathModel) -> str:
    """Return the SHA-256 of a specification's content, whatever the order and layout of its file."""
    return digest(specification_tables(model))


def digest(content: object) -> str:
    """Return the SHA-256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _strength(strength: float | Prior) -> float | dict[str, Any]:
    return {"dist": strength.dist, **strength.values, "why": strength.why} if isinstance(strength, Prior) else strength


def _equation(equation: Equation) -> dict[str, Any]:
    """Return an equation's table: what it is made of, and what is not as it is by default."""
    table: dict[str, Any] = {
        "response": equation.response,
        "family": equation.family,
        "parents": list(equation.parents),
    }
    for part in fields(Equation):
        value = getattr(equation, part.name)
        if part.name not in table and value != part.default:
            table[part.name] = list(value) if isinstance(value, tuple) else value
    if equation.products:
        table["products"] = [product_text(names) for names in equation.products]
    return table


def _variable(variable: Variable) -> dict[str, Any]:
    table = {
        "column": variable.column or None,
        "label": variable.label,
        "unit": variable.unit,
        "kind": variable.kind,
        "min": variable.minimum,
        "max": variable.maximum,
        "center": variable.center,
        "step": variable.step or None,
        "levels": list(variable.texts) or None,
        "missing_codes": None if variable.missing_codes is None else list(variable.missing_codes),
    }
    return {key: value for key, value in table.items() if value is not None}


def _covariate(covariate: Covariate) -> dict[str, Any]:
    if covariate.levels:
        return {"levels": list(covariate.texts or covariate.levels)}
    return {"transform": covariate.transform, "center": covariate.center, "scale": covariate.scale}


def _published(effect: PublishedEffect) -> dict[str, Any]:
    table = {"path": effect.path, "estimate": list(effect.estimate), "lower": effect.lower, "upper": effect.upper,
             "source": effect.source}  # fmt: skip
    return {key: value for key, value in table.items() if value is not None}
