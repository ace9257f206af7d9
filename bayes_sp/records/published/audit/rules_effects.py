"""Rules for effects: products along a path, totals as the sum of their parts, and both from the printed table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from bayes_sp.errors import SurveyError
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT
from bayes_sp.records.published.audit.finding import (
    CONSISTENT,
    INCONSISTENT,
    NOT_CHECKABLE,
    Found,
    Rule,
    meets,
    unknown,
)
from bayes_sp.records.published.audit.rules_coefficients import estimates_of
from bayes_sp.records.published.rounding.paths import PathRange, rounded_paths
from bayes_sp.records.published.study.figures import Interval, product
from bayes_sp.records.published.study.results import Chain, Coefficient, Effect, Study

_DRAWS = 500


def variables_of(path: str) -> tuple[str, ...]:
    """Return the variables of a path in order."""
    return tuple(name.strip() for name in path.split(ARROW.strip()))


def coefficient_of(study: Study, response: str, term: str, model: str) -> Coefficient | None:
    """Return a coefficient of a model, or of none where the study names no models of coefficients."""
    found = [item for item in study.coefficients if (item.response, item.term) == (response, term)]
    return next((item for item in found if item.model in ("", model)), None)


def _products(study: Study) -> Iterator[Found]:
    for effect in study.effects:
        if effect.path in (TOTAL, TOTAL_INDIRECT):
            continue
        variables = variables_of(effect.path)
        subject = f"{'direct effect' if len(variables) == 2 else 'product'}: {effect.label}"
        if len(variables) == 2 and coefficient_of(study, variables[1], variables[0], effect.model) is None:
            continue
        missing = [
            f"{response} ~ {term}"
            for term, response in pairwise(variables)
            if coefficient_of(study, response, term, effect.model) is None
        ]
        first_model = {chain.model for chain in study.chains}
        if missing or (effect.model and effect.model not in first_model and not _named(study, effect.model)):
            what = ", ".join(missing) if missing else f"coefficients of model {effect.model}"
            yield unknown(subject, effect.printed, f"not printed: {what}", place=effect.place)
            continue
        coefficients = [coefficient_of(study, b, a, effect.model) for a, b in pairwise(variables)]
        factors = [estimates_of(study, item) for item in coefficients if item is not None]
        low, high = product(*factors)
        verdict = CONSISTENT if any(meets(reading, low, high) for reading in effect.readings) else INCONSISTENT
        detail = " x ".join(item.estimate.text for item in coefficients if item is not None)
        yield Found(subject, effect.printed, low, high, verdict, detail, effect.place, effect.bearing)


def _named(study: Study, model: str) -> bool:
    """Whether the study has coefficients of a model."""
    return any(item.model == model for item in study.coefficients)


def paths_of(chain: Chain) -> list[str]:
    """Return the names of all paths of a chain, the direct one first."""
    mediators = [
        chosen for size in range(len(chain.mediators) + 1) for chosen in combinations(chain.mediators, size)
    ]  # fmt: skip
    return [ARROW.join((chain.exposure, *chosen, chain.outcome)) for chosen in mediators]


def _totals(study: Study) -> Iterator[Found]:
    for chain in study.chains:
        effects = {e.path: e for e in study.effects if e.model == chain.model}
        paths = paths_of(chain)
        for name, parts in ((TOTAL, paths), (TOTAL_INDIRECT, paths[1:])):
            if name in effects:
                yield _sum(effects[name], effects, parts)


def _sum(total: Effect, effects: dict[str, Effect], parts: list[str]) -> Found:
    """Return the verdict on a sum of effects, or what its parts that are not printed must add up to."""
    subject = f"sum: {total.label}"
    printed = [effects[name] for name in parts if name in effects]
    if TOTAL_INDIRECT in effects and total.path == TOTAL and parts[0] in effects:
        printed, parts = [effects[parts[0]], effects[TOTAL_INDIRECT]], [parts[0], TOTAL_INDIRECT]
    low, high = (
        (sum(ends) for ends in zip(*(_hull(effect) for effect in printed), strict=True)) if printed else (0.0, 0.0)
    )
    missing = len(parts) - len(printed)
    if not missing:
        verdict = CONSISTENT if any(meets(reading, low, high) for reading in total.readings) else INCONSISTENT
        detail = "direct and indirect effects"
        return Found(subject, total.printed, low, high, verdict, detail, total.place, total.bearing)
    own = _hull(total)
    why = (
        f"{missing} of its {len(parts)} parts {'is' if missing == 1 else 'are'} not printed; together they must be "
        f"{own[0] - high:.3g} to {own[1] - low:.3g}"
    )
    return unknown(subject, total.printed, why, place=total.place)


def _hull(effect: Effect) -> Interval:
    """Return the range of an effect over all readings of the printed figure."""
    return min(r.low for r in effect.readings), max(r.high for r in effect.readings)


def _paths(study: Study) -> Iterator[Found]:
    for chain in study.chains:
        if study.table_of(*chain.variables, *chain.covariates) is None:
            continue
        try:
            ranges = rounded_paths(study, chain, draws=_DRAWS).ranges
        except SurveyError as found:
            yield unknown(f"regressions of {chain.outcome}", "", "; ".join(found.problems), place=chain.place)
            continue
        yield from (_judged(item, chain) for item in ranges if item.printed)


def _judged(item: PathRange, chain: Chain) -> Found:
    """Return the verdict on one coefficient or effect."""
    printed = " or ".join(map(str, item.printed))
    verdict, detail = NOT_CHECKABLE, f"{item.middle:.3g} from the table as printed"
    if any(meets(figure, item.low, item.high) for figure in item.printed):
        verdict, detail = CONSISTENT, f"{detail}; {item.share:.0%} of all tables give it"
    elif any(meets(figure, item.surely_low, item.surely_high) for figure in item.printed):
        detail += "; the range is not known narrowly enough to tell"
    elif chain.unprinted:
        detail += f", without {', '.join(chain.unprinted)}, which it does not hold"
    else:
        verdict = INCONSISTENT
    subject = f"from the table: {item.name}"
    return Found(subject, printed, item.low, item.high, verdict, detail, chain.place, chain.bearing)


RULES = (
    Rule(
        "product of coefficients",
        "an indirect effect as the product of the coefficients along its path",
        "The coefficients and the effect are of the same regressions; coefficients as narrow as their SE, t, p and "
        "interval allow.",
        "An effect or a coefficient is printed otherwise than it was: the one that the conclusion rests on decides.",
        _products,
    ),
    Rule(
        "total = direct + indirect",
        "the total effect as the sum of the effects along all paths",
        "Linear regressions of the same patients with the same covariates, without products of variables.",
        "One of the effects is printed otherwise than it was, or they are of different patients.",
        _totals,
    ),
    Rule(
        "regressions from the table",
        "least squares from means, SDs and correlations, over every table that rounds to the printed one",
        "The regressions are of the table's patients and hold the covariates that are named. Patients with missing "
        "values, and covariates that the table does not hold, move the coefficients.",
        "The regressions are of other patients or covariates than the table; a re-analysis from the table is then not "
        "one of the same numbers.",
        _paths,
    ),
)
