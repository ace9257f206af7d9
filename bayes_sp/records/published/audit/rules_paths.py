"""Rules for regressions: coefficients and effects from the printed table, over every table that rounds to it."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.errors import SurveyError
from bayes_sp.records.published.audit.finding import (
    CONSISTENT,
    INCONSISTENT,
    NOT_CHECKABLE,
    Found,
    Rule,
    meets,
    unknown,
)
from bayes_sp.records.published.rounding.paths import PathRange, rounded_paths
from bayes_sp.records.published.study.form import Study
from bayes_sp.records.published.study.results import Chain

_DRAWS = 500


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
    verdict, detail = (
        NOT_CHECKABLE,
        f"{item.middle:.3g} from the table as printed; {item.share:.0%} of all tables give it",
    )
    if any(meets(figure, item.low, item.high) for figure in item.printed):
        verdict = CONSISTENT
    elif any(meets(figure, item.surely_low, item.surely_high) for figure in item.printed):
        detail = f"{item.middle:.3g} from the table as printed; the range is not known narrowly enough to tell"
    elif chain.unprinted:
        without = ", ".join(chain.unprinted)
        detail = f"{item.middle:.3g} from the table as printed, without {without}, which it does not hold"
    else:
        verdict, detail = INCONSISTENT, f"{item.middle:.3g} from the table as printed"
    subject = f"from the table: {item.name}"
    return Found(subject, printed, item.low, item.high, verdict, detail, chain.place, chain.bearing)


RULES = (
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
