"""Rules for comparisons: t and F from the means, SDs, correlation and numbers of patients."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayes_sp.records.published.audit.finding import Found, Rule, judged, unknown
from bayes_sp.records.published.study.figures import Figure, Interval
from bayes_sp.records.published.study.parts import Moments, Table
from bayes_sp.records.published.study.results import Paired, Study, Test, TwoGroups


def size_of(low: float, high: float) -> Interval:
    """Return the smallest and largest size of the numbers in an interval."""
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))


def difference_variance(first: Interval, second: Interval, r: Interval) -> Interval:
    """Return the exact range of s1^2 + s2^2 - 2 r s1 s2 over SDs and a correlation in intervals.

    It is linear in r, so r is at an end; in the SDs it is convex, so the largest value stands in a corner and the
    smallest on an edge, at s1 = r s2 where that is inside.
    """
    values = []
    for rho in (max(r[0], -1.0), min(r[1], 1.0)):
        for own, other in ((first, second), (second, first)):
            for fixed in own:
                best = min(max(rho * fixed, other[0]), other[1])
                values += [fixed**2 + s**2 - 2 * rho * fixed * s for s in (*other, best)]
    return max(min(values), 0.0), max(values)


def paired_t(difference: Interval, variance: Interval, n: Interval) -> Interval:
    """Return the range of |t| = |mean difference| sqrt(n) / SD of differences."""
    least, most = size_of(*difference)
    low = least * math.sqrt(n[0] / variance[1]) if variance[1] > 0 else math.inf
    return low, most * math.sqrt(n[1] / variance[0]) if variance[0] > 0 else math.inf


def _statistic(test: Test, t: Interval) -> Interval:
    """Return the range of a test's statistic from that of |t|."""
    return (t[0] ** 2, t[1] ** 2) if test.kind == "f" else t


def _size(figure: Figure) -> Figure:
    """Return a figure without its minus sign: which group is subtracted from which is not checked."""
    return Figure(figure.text.lstrip("-"), figure.whole)


def _one_df(test: Test) -> bool:
    """Whether a statistic compares two means: t, or F with one degree of freedom."""
    return test.kind == "t" or (test.kind == "f" and test.df[0].value == 1)


def _paired(study: Study) -> Iterator[Found]:
    for item in study.paired:
        table = study.table_of(item.before, item.after)
        yield from _beside(item, table)
        if table is None or not _one_df(item.test):
            yield unknown(
                item.label, item.test.statistic.text, "no table has both times, or it is no comparison of two"
            )
            continue
        before, after = table.variable(item.before), table.variable(item.after)
        r, n = table.r(item.before, item.after), _pairs(item.test, table.n)
        found: list[Found] = []
        if before.mean and before.sd and after.mean and after.sd and r:
            difference = after.mean.low - before.mean.high, after.mean.high - before.mean.low
            variance = difference_variance(before.sd.interval, after.sd.interval, r.interval)
            found.append(
                _compared(item, difference, variance, n, f"means, SDs and r of {table.name}, n = {_n_text(n)}")
            )
        for change in study.changes:
            score = table.variable(change.score) if change.score in table.names else None
            if (change.before, change.after) == (item.before, item.after) and score and score.mean and score.sd:
                variance = score.sd.low**2, score.sd.high**2
                what = f"mean and SD of {change.score}, n = {_n_text(n)}"
                found.append(_compared(item, score.mean.interval, variance, n, what))
        if not found:
            why = "means, SDs and r of both times, or mean and SD of the change, are not all printed"
            found = [unknown(item.label, item.test.statistic.text, why, place=item.place)]
        yield from found


def _pairs(test: Test, n: int) -> Interval:
    """Return the least and most pairs: by the test's degrees of freedom, and by the table."""
    own = test.df[-1].value + 1
    return min(own, float(n)), max(own, float(n))


def _n_text(n: Interval) -> str:
    """Return a number of patients, or the range of it."""
    return f"{n[0]:g}" if n[0] == n[1] else f"{n[0]:g} to {n[1]:g}"


def _compared(item: Paired, difference: Interval, variance: Interval, n: Interval, detail: str) -> Found:
    """Return the verdict on a paired statistic from the mean and variance of the differences."""
    found = _statistic(item.test, paired_t(difference, variance, n))
    name = "F" if item.test.kind == "f" else "t"
    printed = _size(item.test.statistic)
    return judged(f"{name}: {item.label}", printed, *found, place=item.place, bearing=item.bearing, detail=detail)


def _beside(item: Paired, table: Table | None) -> Iterator[Found]:
    """Yield whether means and SDs beside a test are those of the table."""
    for name, beside in zip((item.before, item.after), item.beside, strict=True):
        for key in ("mean", "sd"):
            own: Figure | None = getattr(beside, key)
            if own is None:
                continue
            other: Figure | None = getattr(table.variable(name), key) if table else None
            subject = f"{'SD' if key == 'sd' else 'mean'} of {name} beside the test"
            if other is None or table is None:
                yield unknown(subject, own.text, "no table prints it", place=item.place)
                continue
            detail = f"{table.name} prints {other}"
            bearing = "One of the two is of other patients or printed otherwise than it was; the table is used here."
            yield judged(subject, own, *other.interval, place=item.place, bearing=bearing, detail=detail)


def group_sizes(first: int, second: int, missing: int, total: float | None) -> Iterator[tuple[int, int]]:
    """Yield the sizes of two groups of which ``missing`` patients together may lack the value."""
    for lost in range(missing + 1):
        for other in range(missing + 1 - lost):
            sizes = first - lost, second - other
            if min(sizes) >= 2 and (total is None or sum(sizes) == total):
                yield sizes


def t_of_groups(first: Moments, second: Moments, n1: int, n2: int, *, welch: bool) -> tuple[Interval, Interval]:
    """Return the ranges of |t| and of |Cohen's d| of two groups, over all that rounds to what is printed."""
    if first.mean is None or first.sd is None or second.mean is None or second.sd is None:
        raise ValueError("both groups need a mean and an SD")
    least, most = size_of(first.mean.low - second.mean.high, first.mean.high - second.mean.low)
    ends = []
    for a, b in zip(first.sd.interval, second.sd.interval, strict=True):
        s1, s2 = max(a, 0.0), max(b, 0.0)
        pooled = math.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
        error = math.sqrt(s1**2 / n1 + s2**2 / n2) if welch else pooled * math.sqrt(1 / n1 + 1 / n2)
        ends.append((error, pooled))
    (low_error, low_sd), (high_error, high_sd) = ends
    t = _ratio(least, high_error), _ratio(most, low_error)
    return t, (_ratio(least, high_sd), _ratio(most, low_sd))


def _ratio(a: float, b: float) -> float:
    """Return a ratio; infinity where the divisor is 0."""
    return a / b if b > 0 else math.inf


def _two_groups(study: Study) -> Iterator[Found]:
    for item in study.two_groups:
        first, second = item.groups
        total = item.test.df[-1].value + 2 if not item.welch and _one_df(item.test) else None
        sizes = list(group_sizes(first.n or 0, second.n or 0, item.missing, total))
        name = "F" if item.test.kind == "f" else "t"
        subject = f"{name}: {item.label}"
        if not _one_df(item.test):
            yield unknown(subject, item.test.statistic.text, "it is no comparison of two means", place=item.place)
            continue
        if total is not None:
            patients = float((first.n or 0) + (second.n or 0))
            detail = f"{first.n} + {second.n} patients" + (
                f", {item.missing} of them may be missing" if item.missing else ""
            )
            df = item.test.df[-1]
            yield judged(
                f"df: {item.label}", df, patients - item.missing - 2, patients - 2, place=item.place, detail=detail
            )
        if not sizes:
            why = "the degrees of freedom do not fit the numbers of patients"
            yield unknown(subject, item.test.statistic.text, why, place=item.place)
            continue
        yield from _of_sizes(item, subject, sizes)


def _of_sizes(item: TwoGroups, subject: str, sizes: list[tuple[int, int]]) -> Iterator[Found]:
    """Yield the verdicts on the statistic and on Cohen's d, over the possible sizes of the groups."""
    found = [t_of_groups(*item.groups, n1, n2, welch=item.welch) for n1, n2 in sizes]
    low, high = (min(t[0] for t, _ in found), max(t[1] for t, _ in found))
    detail = "means and SDs of both groups; the sign is not checked"
    statistic = _statistic(item.test, (low, high))
    printed = _size(item.test.statistic)
    yield judged(subject, printed, *statistic, place=item.place, bearing=item.bearing, detail=detail)
    if d := item.test.effects.get("cohens_d"):
        ends = min(d[0] for _, d in found), max(d[1] for _, d in found)
        yield judged(f"cohens d: {item.label}", _size(d), *ends, place=item.place, detail="with the pooled SD")


RULES = (
    Rule(
        "two times",
        "t or F of two times in the same patients from their means, SDs and r, and from the change score",
        "The test and the table are of the same patients (up to the difference in their numbers); SDs have the "
        "divisor n - 1.",
        "The statistic, or what the table prints of the two times, is otherwise than it was: look at p for the range "
        "found.",
        _paired,
    ),
    Rule(
        "two groups",
        "t or F of two groups from their means, SDs and numbers of patients",
        "Student's t with a pooled SD (Welch's where stated); patients with a missing value as stated.",
        "The statistic, or what is printed of the groups, is otherwise than it was: look at p for the range found.",
        _two_groups,
    ),
)
