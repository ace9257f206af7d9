"""Rules for sums, lists and repeated numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, Found, Rule, judged, meets
from bayes_sp.records.published.study.figures import Interval, evaluate
from bayes_sp.records.published.study.parts import Moments, Pooled
from bayes_sp.records.published.study.results import Study

_MOST_LOST = 12  # of up to so many missing patients every distribution over the parts is tried


def _parts(study: Study) -> Iterator[Found]:
    for sample in study.samples:
        if sample.parts:
            total = sum(sample.parts.values())
            verdict = CONSISTENT if total == sample.n else INCONSISTENT
            detail = " + ".join(f"{count} {name}" for name, count in sample.parts.items())
            subject = f"patients: {sample.label or sample.name}"
            yield Found(subject, str(sample.n), total, total, verdict, detail, sample.place, sample.bearing)


def _lists(study: Study) -> Iterator[Found]:
    for item in study.lists:
        count = len(item.listed)
        verdict = CONSISTENT if count == item.stated else INCONSISTENT
        yield Found(
            f"list of {item.label}", str(item.stated), count, count, verdict, "entries", item.place, item.bearing
        )


def _repeated(study: Study) -> Iterator[Found]:
    for item in study.repeated:
        (first, place), *others = item.values
        low, high = max(f.low for f, _ in others), min(f.high for f, _ in others)
        verdict = CONSISTENT if low <= high and meets(first, low, high) else INCONSISTENT
        detail = "; ".join(f"{figure} in {where}" if where else figure.text for figure, where in others)
        ends = min(f.value for f, _ in others), max(f.value for f, _ in others)
        yield Found(item.label, first.text, *ends, verdict, detail, place or item.place, item.bearing)


def _arithmetic(study: Study) -> Iterator[Found]:
    for item in study.arithmetic:
        values = {
            name: f.interval if not isinstance(f, int) else (float(f), float(f)) for name, f in item.values.items()
        }
        low, high = evaluate(item.formula, values)
        yield judged(item.label, item.result, low, high, place=item.place, bearing=item.bearing, detail=item.formula)


def pooled_ranges(parts: Sequence[Moments], sizes: Sequence[int]) -> tuple[Interval, Interval | None]:
    """Return the ranges of the mean and SD of a whole from its parts' sizes, means and SDs (divisor n - 1).

    The mean is linear in the parts' means. The sum of squares is sum (n_i - 1) s_i^2 + sum n_i (m_i - m)^2, convex in
    the means: largest at a corner; smallest where the means are as near to each other as they can be.
    """
    n = sum(sizes)
    ends = [part.mean.interval for part in parts if part.mean is not None]
    mean = tuple(sum(k * end[i] for k, end in zip(sizes, ends, strict=True)) / n for i in (0, 1))
    if any(part.sd is None for part in parts):
        return (mean[0], mean[1]), None

    def between(means: Sequence[float]) -> float:
        centre = sum(k * m for k, m in zip(sizes, means, strict=True)) / n
        return sum(k * (m - centre) ** 2 for k, m in zip(sizes, means, strict=True))

    most = max(between(corner) for corner in product(*ends))
    least = between(_nearest_together(ends, sizes))
    within = [
        sum((k - 1) * max(part.sd.interval[i], 0.0) ** 2 for k, part in zip(sizes, parts, strict=True) if part.sd)
        for i in (0, 1)
    ]
    sd = math.sqrt((within[0] + least) / (n - 1)), math.sqrt((within[1] + most) / (n - 1))
    return (mean[0], mean[1]), sd


def _nearest_together(ends: Sequence[Interval], sizes: Sequence[int]) -> list[float]:
    """Return means within their intervals that are as near to their common mean as they can be.

    Moving each to the nearest point to the weighted mean, again and again, converges: the problem is convex.
    """
    means = [0.5 * (low + high) for low, high in ends]
    for _ in range(200):
        centre = sum(k * m for k, m in zip(sizes, means, strict=True)) / sum(sizes)
        means = [min(max(centre, low), high) for low, high in ends]
    return means


def _pooled(study: Study) -> Iterator[Found]:
    for item in study.pooled:
        ranges = [pooled_ranges(item.parts, sizes) for sizes in _sizes(item)]
        low, high = min(mean[0] for mean, _ in ranges), max(mean[1] for mean, _ in ranges)
        detail = " + ".join(f"{part.n} x {part.mean}" for part in item.parts)
        if item.missing:
            detail += f", {item.missing} of them may be missing"
        if item.whole.mean is not None:
            subject = f"mean: {item.label}"
            yield judged(subject, item.whole.mean, low, high, place=item.place, bearing=item.bearing, detail=detail)
        spreads = [sd for _, sd in ranges if sd is not None]
        if item.whole.sd is not None and spreads:
            low, high = min(sd[0] for sd in spreads), max(sd[1] for sd in spreads)
            yield judged(f"SD: {item.label}", item.whole.sd, low, high, place=item.place, bearing=item.bearing)


def _sizes(item: Pooled) -> Iterator[tuple[int, ...]]:
    """Yield the sizes that the parts can have: of few missing patients every way, of many all from one part."""
    sizes = [part.n or 0 for part in item.parts]
    few = item.missing <= _MOST_LOST and len(sizes) <= 4
    lost = range(item.missing + 1) if few else (0, item.missing)
    for gone in product(lost, repeat=len(sizes)):
        if sum(gone) <= item.missing and all(size - k >= 2 for size, k in zip(sizes, gone, strict=True)):
            yield tuple(size - k for size, k in zip(sizes, gone, strict=True))


RULES = (
    Rule(
        "parts of a sample",
        "the number of patients as the sum of the numbers in its parts",
        "Every patient is in one part.",
        "Some patients are in no part or in two; statistics of the whole are not touched.",
        _parts,
    ),
    Rule(
        "arithmetic",
        "sums, differences, shares and percentages of printed numbers",
        "The formula is the one that was used.",
        "One of the numbers is printed otherwise than it was.",
        _arithmetic,
    ),
    Rule(
        "pooled mean and SD",
        "mean and SD of a whole from those of its parts",
        "The parts make up the whole, save for missing values as stated; SDs have the divisor n - 1.",
        "Moments of the whole or of a part are printed otherwise than they were, or of other patients.",
        _pooled,
    ),
    Rule(
        "printed twice",
        "whether a quantity that is printed at several places is the same at all of them",
        "It is the same quantity.",
        "One of the places is wrong, or they mean different things: look which one results use.",
        _repeated,
    ),
    Rule(
        "length of a list",
        "the entries of a list whose length is stated",
        "The list is printed in full.",
        "The description alone, unless the length enters a scale.",
        _lists,
    ),
)
