"""What those who did not come back could do, in plain text."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.report.text.layout import aligned, wrapped
from bayes_sp.report.text.priors import shown
from bayes_sp.sensitivity.every import Sensitivity
from bayes_sp.sensitivity.missing.attrition import Attrition
from bayes_sp.sensitivity.missing.delta import DeltaCurve
from bayes_sp.sensitivity.target import estimate_of

POPULATIONS = {"responders": "those who came back", "nonresponders": "those who did not", "all": "everyone"}


def attrition_lines(found: Sensitivity, attrition: Attrition) -> Iterator[str]:
    """Yield the effect by population, what each departure does, and notes."""
    table = attrition.standardised
    rows = []
    for population in dict.fromkeys(table["population"]):
        own = estimate_of(table[table["population"] == population], found.target, trustworthy=attrition.trustworthy)
        rows.append([POPULATIONS[str(population)], shown(own)])
    yield "   Standardised to the covariates of each, missing at random given these"
    yield from aligned(rows, "lr")
    yield from ["", "   How they would have to differ"]
    for sentence in dict.fromkeys(tip.sentence for tip in attrition.tipping):  # levels often say the same
        yield from wrapped(f"{sentence[:1].upper()}{sentence[1:]}.", "- ", "  ")
    yield ""
    for note in attrition.notes:
        yield from wrapped(note, "- ", "  ")


def delta_lines(found: Sensitivity, curve: DeltaCurve) -> Iterator[str]:
    """Yield the effect at each shift of the missing values, and where that changes the conclusion."""
    rows = [[finding.case, shown(finding.estimate)] for finding in curve.findings()]
    yield from aligned(rows, "lr")
    for tip in curve.tipping:
        yield from wrapped(f"{tip.sentence[:1].upper()}{tip.sentence[1:]}.", "- ", "  ")
