"""What an audit finds: one verdict for each number that can be recomputed, and the rule behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.results import Study

CONSISTENT, INCONSISTENT, NOT_CHECKABLE = "consistent", "inconsistent", "not checkable"
VERDICTS = (INCONSISTENT, CONSISTENT, NOT_CHECKABLE)
# Floating point may move an end of a range by this share of it; a contradiction is larger.
SLACK = 1e-9


@dataclass(frozen=True)
class Found:
    """What a rule finds of one number."""

    subject: str  # what is checked
    printed: str  # the figure as printed
    # low, high: the range that the other printed numbers allow, all roundings taken into account; None where there is
    # none.
    low: float | None
    high: float | None
    verdict: str  # ``"consistent"``, ``"inconsistent"`` or ``"not checkable"``
    detail: str = ""  # what a reader must know beside the range
    place: str = ""  # where in the article the number stands
    bearing: str = ""  # how a contradiction would bear on the conclusion; ``""`` for what the rule says of it


@dataclass(frozen=True)
class Rule:
    """A rule of the audit."""

    name: str  # short, as it stands in tables
    recomputes: str  # what is recomputed from what
    assumes: str  # what must be so for a contradiction to be one
    bearing: str  # what a contradiction means for whoever reads the article, and what it does not mean
    find: Callable[[Study], Iterator[Found]]  # study -> what is found, one for each number
    exact: bool = True  # whether numbers that were computed from records and rounded can never be called inconsistent


@dataclass(frozen=True)
class Finding:
    """A verdict with the rule that it comes from; attributes as in `Found` and `Rule`."""

    rule: str
    subject: str
    printed: str
    low: float | None
    high: float | None
    verdict: str
    detail: str
    assumes: str
    bearing: str
    place: str

    @classmethod
    def of(cls, rule: Rule, found: Found) -> Finding:
        """Return what a rule found, with what the rule assumes and means."""
        bearing = found.bearing or rule.bearing
        return cls(
            rule.name, found.subject, found.printed, found.low, found.high, found.verdict, found.detail, rule.assumes,
            bearing, found.place,
        )  # fmt: skip

    @property
    def range(self) -> str:
        """The range in short: ``"3.63 to 4.21"``, with the digits that it takes to tell its ends apart."""
        if self.low is None or self.high is None:
            return ""
        return range_text(self.low, self.high)


def range_text(low: float, high: float) -> str:
    """Return a range with four figures, or as many as it takes to tell its ends apart."""
    if low == high:
        return f"{low:.6g}"
    for digits in range(4, 12):
        texts = _plain(low, digits), _plain(high, digits)
        if texts[0] != texts[1]:
            break
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"


def _plain(value: float, digits: int) -> str:
    """Return a number with this many figures, whole ones without a power of ten."""
    whole = math.isfinite(value) and value == round(value) and abs(value) < 1e9
    return f"{value:.0f}" if whole else f"{value:.{digits}g}"


def meets(figure: Figure, low: float, high: float) -> bool:
    """Whether a range holds a number that rounds to the printed one."""
    slack = SLACK * max(1.0, abs(figure.value))
    return bool(high >= figure.low - slack and low <= figure.high + slack)


def judged(
    subject: str, printed: Figure, low: float, high: float, *, place: str = "", bearing: str = "", detail: str = ""
) -> Found:
    """Return the verdict on a printed number from the range that other numbers allow."""
    verdict = CONSISTENT if meets(printed, low, high) else INCONSISTENT
    return Found(subject, printed.text, low, high, verdict, detail, place, bearing)


def unknown(subject: str, printed: str, why: str, *, place: str = "", bearing: str = "") -> Found:
    """Return that a number cannot be checked, and why."""
    return Found(subject, printed, None, None, NOT_CHECKABLE, why, place, bearing)
