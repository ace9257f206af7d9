r"""Rules for change scores: what must hold between a difference and its two parts.

A change score and its two parts form a triangle: with SDs as lengths of sides, correlations are cosines of its angles.
The angle between the parts is arccos r(before, after), that between change and after arccos r(change, after), and that
between change and before, turned round, arccos(-r(change, before)). Their sum is 180 degrees. A side follows from the
other two and the angle between them (the law of cosines).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, Found, Rule, judged
from bayes_sp.records.published.audit.rules_comparisons import difference_variance
from bayes_sp.records.published.study.figures import Figure, Interval
from bayes_sp.records.published.study.parts import Change, Table
from bayes_sp.records.published.study.results import Study

_SLACK = 1e-12


def angle(r: Figure, sign: int = 1) -> Interval:
    """Return the range of arccos(sign r) over the correlations that round to the printed one."""
    low, high = sorted((sign * r.low, sign * r.high))
    return math.acos(min(max(high, -1.0), 1.0)), math.acos(min(max(low, -1.0), 1.0))


def ranges_of_third(first: Interval, second: Interval) -> Interval:
    """Return the range of an angle of a triangle from those of the other two."""
    return max(math.pi - first[1] - second[1], 0.0), min(math.pi - first[0] - second[0], math.pi)


def _change(study: Study) -> Iterator[Found]:
    for change in study.changes:
        table = study.table_of(change.score, change.before, change.after)
        if table is not None:
            yield from _of(change, table)


def _of(change: Change, table: Table) -> Iterator[Found]:
    """Yield the verdicts on one change score."""
    score, before, after = (table.variable(name) for name in (change.score, change.before, change.after))
    place, bearing = change.place or table.place, change.bearing
    if score.mean and before.mean and after.mean:
        low, high = after.mean.low - before.mean.high, after.mean.high - before.mean.low
        detail = "difference of means"
        yield judged(f"mean of {score.name}", score.mean, low, high, place=place, bearing=bearing, detail=detail)
    r = table.r(before.name, after.name)
    if score.sd and before.sd and after.sd and r:
        ends = map(math.sqrt, difference_variance(before.sd.interval, after.sd.interval, r.interval))
        detail = f"from both SDs and r = {r}"
        yield judged(f"SD of {score.name}", score.sd, *ends, place=place, bearing=bearing, detail=detail)
    with_before, with_after = table.r(score.name, before.name), table.r(score.name, after.name)
    if r and with_before and with_after:
        yield from _triangle(change, (with_before, with_after, r), place)
    if before.sd and after.sd and with_before and with_after and score.sd:
        yield from _sines(change, table, place)


def _triangle(change: Change, printed: tuple[Figure, Figure, Figure], place: str) -> Iterator[Found]:
    """Yield whether the three correlations can be those of a difference with its parts."""
    with_before, with_after, r = printed
    angles = angle(with_before, -1), angle(with_after), angle(r)
    least, most = sum(a[0] for a in angles), sum(a[1] for a in angles)
    verdict = CONSISTENT if least <= math.pi + _SLACK and most >= math.pi - _SLACK else INCONSISTENT
    third = ranges_of_third(angles[0], angles[1])
    low, high = math.cos(third[1]), math.cos(third[0])
    detail = (
        f"from r({change.score}, {change.before}) = {with_before} and r({change.score}, {change.after}) = {with_after}"
    )
    if verdict == INCONSISTENT:
        detail += f"; all three together are {beyond(printed):.2g} beyond rounding at least"
    subject = f"r({change.before}, {change.after})"
    yield Found(subject, r.text, low, high, verdict, detail, place, change.bearing)


def beyond(printed: tuple[Figure, Figure, Figure]) -> float:
    """Return how far beyond rounding the worst of three correlations must be, at the least, for a triangle to exist.

    The distance is found by halving: intervals that are wider by it on both sides hold a triangle.
    """

    def fits(extra: float) -> bool:
        ends = [
            sorted((math.acos(min(max(s * r.value - r.high + r.value - extra, -1.0), 1.0)),
                    math.acos(min(max(s * r.value + r.high - r.value + extra, -1.0), 1.0))))
            for r, s in zip(printed, (-1, 1, 1), strict=True)
        ]  # fmt: skip
        return sum(low for low, _ in ends) <= math.pi <= sum(high for _, high in ends)

    low, high = 0.0, 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _sines(change: Change, table: Table, place: str) -> Iterator[Found]:
    """Yield whether the ratio of the parts' SDs is that of the sines of the opposite angles."""
    score, before, after = (table.variable(name) for name in (change.score, change.before, change.after))
    for own, other, sign in ((before, after, -1), (after, before, 1)):
        r = table.r(score.name, own.name)
        if score.sd is None or own.sd is None or other.sd is None or r is None:
            continue
        # after = change + before and before = after - change: |a -+ b|^2 = |a|^2 + |b|^2 -+ 2 |a| |b| r
        low, high = difference_variance(
            score.sd.interval, own.sd.interval, r.interval if sign > 0 else (-r.high, -r.low)
        )
        detail = f"from the SDs of {score.name} and {own.name} and their r = {r}"
        ends = math.sqrt(low), math.sqrt(high)
        yield judged(f"SD of {other.name}", other.sd, *ends, place=place, bearing=change.bearing, detail=detail)


RULES = (
    Rule(
        "change score",
        "mean, SD and correlations of a difference from those of its two parts",
        "All numbers are of the same patients: with missing values each may be of others.",
        "The change score was computed for other patients than its parts, or one of these numbers is printed "
        "otherwise than it was.",
        _change,
    ),
)
