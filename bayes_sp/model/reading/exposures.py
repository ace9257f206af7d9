"""The tables ``[exposures]`` and ``[joint]`` -> exposures, the pairs that they are compared in, and their coding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from bayes_sp.errors import nearest
from bayes_sp.model.exposures import Exposure, Pair
from bayes_sp.model.parts import Covariate
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.table import Table

type Asked = dict[str, tuple[Pair, ...]]


def read_exposures(
    tables: Table, main: str, covariates: tuple[Covariate, ...]
) -> tuple[tuple[Covariate, ...], Asked | None]:
    """Read ``[exposures]``: the covariates with the exposures' coding after them, and the pairs of each exposure.

    The chain's own exposure comes first among the pairs and last among the covariates. None without such a table.
    """
    known, names = {c.name: c for c in covariates}, tables.names()
    found: Asked = {}
    for name in names:
        table = tables.take_table(name)
        coded = _coding(table, name)
        if coded.levels and name in known:
            table.report("levels", "stand in [covariates] already; leave them out here")
        known.setdefault(name, coded)
        pairs = _pairs(table, known[name])
        levels = known[name].levels
        found[name] = pairs or tuple((levels[0], level) for level in levels[1:])
        if not pairs and not levels and name != main:
            table.report("contrast", "is missing; name the two values that effects compare, as [from, to]")
        table.finish()
    if not names:
        return covariates, None
    if main in [c.name for c in covariates]:
        tables.report(main, "stands in [covariates] too; how the exposure is coded stands in its table here")
    last = known.pop(main, Covariate(main))
    return (*known.values(), last), {main: found.pop(main, ()), **found}


def with_exposures(model: PathModel, asked: Asked | None, joint: Table) -> PathModel:
    """Return a model with its exposures: the contrast of its own is that of the specification where none is named."""
    names = joint.names()
    if asked is None:
        for name in names:
            joint.take(name)
            joint.report(name, "is not in [exposures]; a joint contrast is of exposures that stand there")
        return model
    center, own = model.variable(model.exposure).center, asked[model.exposure]
    covariates = tuple(replace(c, center=center) if _is_number(c, model) else c for c in model.covariates)
    pairs = {**asked, model.exposure: own or (model.contrast,)}
    exposures = tuple(Exposure(name, compared) for name, compared in pairs.items())
    coded = {c.name: c for c in covariates}
    moved = []
    for name in names:
        if name not in coded:
            joint.take(name)
            joint.report(name, f"is not in [exposures]{nearest(name, pairs)}")
        elif (pair := _pair(joint, name, joint.take(name), coded[name])) is not None:
            moved.append((name, *pair))
    first = exposures[0].pairs[0] if exposures[0].pairs else model.contrast
    return replace(model, covariates=covariates, exposures=exposures, joint=tuple(moved), contrast=first)


def _is_number(covariate: Covariate, model: PathModel) -> bool:
    """Whether a covariate is the chain's exposure as a number, which has its center under ``[variables]``."""
    return covariate.name == model.exposure and not covariate.levels


def _coding(table: Table, name: str) -> Covariate:
    """Read the levels of a category, its reference first; a plain number without any."""
    texts = table.take_texts("levels") if table.holds_texts("levels") else ()
    numbers = () if texts else table.take_numbers("levels", least=2)
    known: list[str | float] = [*(texts or numbers)]
    reference = table.take("reference")
    if reference is not None:
        reference = reference if isinstance(reference, str) or not numbers else table.number("reference", reference)
        if reference in known:
            known = [reference, *(level for level in known if level != reference)]
        elif reference is not None:
            hint = f"the levels are {', '.join(map(_word, known))}" if known else "there are no levels"
            table.report("reference", f"must be one of the levels, found {reference!r}; {hint}")
    if texts:
        return Covariate(name, levels=tuple(map(float, range(len(texts)))), texts=tuple(map(str, known)),
                         indicators=True)  # fmt: skip
    return Covariate(name, levels=tuple(map(float, known)), indicators=bool(known))


def _pairs(table: Table, covariate: Covariate) -> tuple[Pair, ...]:
    """Read ``contrast`` (one pair) or ``pairs``; () for those that are meant where nothing is said."""
    one, several = table.take("contrast"), table.take("pairs")
    if one is not None and several is not None:
        table.report("pairs", "goes without contrast; name every pair here")
    if one is None and several is None:
        return ()
    listed = [one] if several is None else several
    if not isinstance(listed, list) or not listed:
        table.report("pairs", f"must be a list of pairs [from, to], found {several!r}")
        return ()
    key = "contrast" if several is None else "pairs"
    found = [_pair(table, key, item, covariate) for item in listed]
    return tuple(pair for pair in found if pair is not None)


def _pair(table: Table, key: str, item: object, covariate: Covariate) -> Pair | None:
    if not isinstance(item, list) or len(item) != 2:
        table.report(key, f"must be two values [from, to], found {item!r}")
        return None
    ends = [_value(table, key, value, covariate) for value in item]
    return next(((u0, u1) for u0, u1 in pairwise(ends) if u0 is not None and u1 is not None), None)


def _value(table: Table, key: str, value: object, covariate: Covariate) -> float | None:
    """Return a value of an exposure as a number: a text's own where its levels are texts."""
    if not covariate.texts:
        return table.number(key, value)
    if value in covariate.texts:
        return covariate.levels[covariate.texts.index(str(value))]
    hint = nearest(str(value), covariate.texts)
    table.report(key, f"{value!r} is no level of {covariate.name}{hint}")
    return None


def _word(level: str | float) -> str:
    return level if isinstance(level, str) else f"{level:g}"


def exposure_tables(model: PathModel) -> Mapping[str, dict[str, object]]:
    """Return ``[exposures]`` and ``[joint]`` as they are read."""
    coded = {c.name: c for c in model.covariates}

    def told(name: str, values: Pair) -> list[object]:
        texts = coded[name].texts
        return [texts[round(value)] if texts else value for value in values]

    exposures: dict[str, object] = {}
    for exposure in model.exposures:
        covariate, pairs = coded[exposure.name], [told(exposure.name, pair) for pair in exposure.pairs]
        levels = {"levels": list(covariate.texts or covariate.levels)} if covariate.indicators else {}
        exposures[exposure.name] = {**levels, "pairs": pairs}
    return {"exposures": exposures, "joint": {name: told(name, (u0, u1)) for name, u0, u1 in model.joint}}
