"""The tables of equations, variables, covariates and published values -> parts of a path model."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from bayes_sp.model.families.base import Kind
from bayes_sp.model.families.registry import FAMILIES, family_name
from bayes_sp.model.parts import Code, Covariate, Equation, PracticalRegion, PublishedEffect, Transform, Variable
from bayes_sp.model.reading.table import Table, read_number

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def read_equations(tables: list[Table], exposure: str) -> tuple[Equation, ...]:
    """Read ``[[equation]]`` tables; without ``parents`` every earlier variable is a parent."""
    equations: list[Equation] = []
    earlier = [exposure]
    for table in tables:
        response = table.take_text("response", required=True)
        equations.append(
            Equation(
                response=response,
                family=table.take_choice("family", tuple(FAMILIES), spelled=family_name),
                parents=table.take_texts("parents", default=tuple(earlier)),
                covariates=table.take_optional_texts("covariates"),
                interactions=table.take_texts("interactions"),
                products=_read_products(table),
                log1p=table.take_texts("log1p"),
                residual_correlations=table.take_optional_texts("residual_correlations"),
                monotonic=table.take_texts("monotonic"),
                varying=table.take_text("varying"),
                offset=table.take_text("offset"),
                offset_reference=table.take_positive("offset_reference", 1.0) or 1.0,
                zero=table.take_optional_texts("zero"),
                reliability=table.take_number("reliability"),
                observed_sd=table.take_positive("observed_sd"),
            )
        )
        table.finish()
        earlier.append(response)
    return tuple(equations)


def _read_products(table: Table) -> tuple[tuple[str, ...], ...]:
    """Read ``products``: texts such as ``"gender:groups"`` or ``"gender:age:groups"``, or lists of names."""
    value = table.take("products")
    if value is None:
        return ()
    found: list[tuple[str, ...]] = []
    if not isinstance(value, list):
        table.report("products", f'must be a list, such as ["gender:groups"], found {value!r}')
        return ()
    for item in value:
        names = item.split(":") if isinstance(item, str) else item
        if isinstance(names, list) and len(names) in (2, 3) and all(isinstance(n, str) and n.strip() for n in names):
            found.append(tuple(table.line("products", name) for name in names))
        else:
            words = 'must be a list of two or three variables each, such as ["gender:groups"]'
            table.report("products", f"{words}, found {item!r}")
    return tuple(found)


def read_variables(tables: Table, kind: Callable[[str], Kind]) -> tuple[Variable, ...]:
    """Read ``[variables]``; ``kind`` says what a variable is where its table does not."""
    variables = []
    for name in tables.names():
        table = tables.take_table(name)
        texts = table.take_texts("levels")
        first, last = (0.0, len(texts) - 1.0) if texts else (None, None)
        usual = kind(name) if not texts or kind(name) != "real" else "binary" if len(texts) == 2 else "integer"
        variables.append(
            Variable(
                name=name,
                label=table.take_text("label", default=name),
                unit=table.take_text("unit"),
                kind=table.take_choice("kind", get_args(Kind), usual),  # type: ignore[arg-type] # a Kind
                minimum=table.take_number("min", first),
                maximum=table.take_number("max", last),
                center=table.take_number("center", 0.0) or 0.0,
                step=table.take_positive("step", 0.0) or 0.0,
                missing_codes=read_codes(table),
                column=table.take_text("column"),
                texts=texts,
            )
        )
        table.finish()
    return tuple(variables)


def read_codes(table: Table) -> tuple[Code, ...] | None:
    """Read ``missing_codes``, numbers and texts, a text that is a number as that number; None where there is none."""
    value = table.take("missing_codes")
    if value is None:
        return None
    if not isinstance(value, list):
        table.report("missing_codes", f"must be a list of numbers and texts, such as [-99, 999], found {value!r}")
        return ()
    codes: list[Code | None] = []
    for item in value:
        text = table.line("missing_codes", item) if isinstance(item, str) else ""
        if isinstance(item, str) and not NUMBER.fullmatch(text):
            codes.append(text)
            continue
        try:
            codes.append(table.number("missing_codes", read_number(text) if isinstance(item, str) else item))
        except ValueError as error:
            table.report("missing_codes", str(error))
    found = tuple(code for code in codes if code is not None)
    if len(set(found)) < len(found):
        table.report("missing_codes", f"holds a code twice: {value!r}")
    return found


def read_covariates(tables: Table) -> tuple[Covariate, ...]:
    """Read ``[covariates]``, in the order in which they enter."""
    covariates = []
    for name in tables.names():
        table = tables.take_table(name)
        texts = table.take_texts("levels") if table.holds_texts("levels") else ()
        levels = tuple(map(float, range(len(texts)))) or table.take_numbers("levels", least=2)
        transform = table.take_choice("transform", get_args(Transform), "identity")
        center = table.take_number("center", 0.0)
        scale = table.take_positive("scale", 1.0)
        table.finish()
        covariates.append(
            Covariate(name, transform, center or 0.0, scale or 1.0, levels, texts)  # type: ignore[arg-type] # a Transform
        )
    return tuple(covariates)


def read_moderators(table: Table) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """Read ``[moderators]``: for each covariate the values at which conditional effects are computed."""
    return tuple((name, table.take_numbers(name, least=1)) for name in table.names())


def read_contrasts(table: Table) -> tuple[tuple[str, tuple[str, str]], ...]:
    """Read ``[contrasts]``: names, each with two effects of which the second is taken from the first."""
    found = []
    for name in table.names():
        texts = table.take_texts(name)
        if len(texts) == 2:
            found.append((table.line(name, name), (texts[0], texts[1])))
        elif texts:
            table.report(name, f'must be two effects, such as ["direct", "total"], found {list(texts)}')
    return tuple(found)


def read_practical(table: Table) -> PracticalRegion | None:
    """Read ``[practical]``: the region of differences that do not matter, with its reason; None without one."""
    if not table.names():
        return None
    ends = [table.take_number(name, required=True) for name in ("lower", "upper")]
    why = table.take_text("why", required=True)
    table.finish()
    lower, upper = (0.0 if end is None else end for end in ends)
    return PracticalRegion(lower, upper, why)


def read_published(table: Table) -> PublishedEffect:
    """Read one ``[[published]]`` table."""
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
