"""Rules for coefficients: estimates and standard errors to which everything printed of them rounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
from scipy.special import stdtrit

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, Found, Rule, unknown
from bayes_sp.records.published.study.figures import Figure, Interval
from bayes_sp.records.published.study.results import Coefficient, Effect, Study

type Point = tuple[float, float]
type Line = tuple[float, float, float]  # a x + b y <= c
_ON_A_LINE = 1e-12
_SLACK = 1e-9
_PIECES = 16  # of a range of degrees of freedom
_LEVEL = 0.95


def rectangle(x: tuple[float, float], y: tuple[float, float]) -> list[Point]:
    """Return the corners of a rectangle, one after the other."""
    return [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]


def cut(corners: Sequence[Point], lines: Sequence[Line]) -> list[Point]:
    """Return the corners of what is left of a convex polygon where every line's inequality holds; none if nothing is.

    Sutherland & Hodgman's method; a point on a line belongs to both sides.
    """
    left = list(corners)
    for a, b, c in lines:
        slack = _ON_A_LINE * (1.0 + abs(c))
        over = [a * x + b * y - c for x, y in left]
        kept: list[Point] = []
        ring = list(zip(left, over, strict=True))
        for (p, d), (q, e) in pairwise([*ring, *ring[:1]]):
            if d <= slack:
                kept.append(p)
            if (d <= slack) != (e <= slack):
                share = d / (d - e)
                kept.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
        left = kept
        if not left:
            return []
    return left


def lines_of(name: str, figure: Figure, df: tuple[int, int], sign: int) -> list[Line]:
    """Return what a printed figure says of estimate x and standard error y >= 0, as lines a x + b y <= c.

    Of a range of degrees of freedom each line takes the end at which it allows more: nothing possible is cut off.

    ``name`` is ``"t"``, ``"p"``, ``"lower"`` or ``"upper"``; ``sign`` is the estimate's, for p.
    """
    low, high = figure.low - _SLACK, figure.high + _SLACK
    if name == "t":  # low y <= x <= high y
        return [(-1.0, low, 0.0), (1.0, -high, 0.0)]
    if name == "p":  # |x| / y between two quantiles, which are larger for fewer degrees of freedom
        least, most = (-float(stdtrit(d, 0.5 * min(max(p, 0.0), 1.0))) for p, d in ((high, df[1]), (low, df[0])))
        lines: list[Line] = [(-sign, least, 0.0)]
        return lines if math.isinf(most) else [*lines, (sign, -most, 0.0)]
    most_reach, least_reach = (float(stdtrit(d, 0.5 + 0.5 * _LEVEL)) for d in df)
    if name == "lower":  # low <= x - q y <= high
        return [(1.0, -most_reach, high), (-1.0, least_reach, -low)]
    return [(1.0, least_reach, high), (-1.0, -most_reach, -low)]


def possible(estimate: Figure, se: Figure | None, others: Mapping[str, Figure], df: tuple[int, int]) -> list[Point]:
    """Return corners of the estimates and standard errors to which all figures round; none if there are none.

    Where ``se`` is not printed any is possible, up to a thousand times the estimate; ``others`` are figures by name, as
    in `lines_of`; one of the degrees of freedom between the least and the most will do.
    """
    most = 1000.0 * max(abs(estimate.low), abs(estimate.high), *(abs(f.value) for f in others.values()), 1e-9)
    errors = (0.0, most) if se is None else (max(se.low - _SLACK * se.value, 0.0), se.high * (1 + _SLACK))
    slack = _SLACK * max(abs(estimate.value), float(estimate.half_unit))
    found: list[Point] = []
    for own in _pieces(*df):
        for sign, ends in _halves(estimate.low - slack, estimate.high + slack):
            lines = [line for name, figure in others.items() for line in lines_of(name, figure, own, sign)]
            found += cut(rectangle(ends, errors), lines)
    return found


def _halves(low: float, high: float) -> list[tuple[int, Interval]]:
    """Return the positive and the negative part of an interval, where there are such."""
    halves = [(1, (max(low, 0.0), high))] if high >= 0 else []
    return [*halves, (-1, (low, min(high, 0.0)))] if low < 0 else halves


def _pieces(low: int, high: int) -> list[tuple[int, int]]:
    """Return a range of degrees of freedom in pieces: single numbers, or neighbouring ones of a long range."""
    ends = np.unique(np.linspace(low, high, min(high - low + 1, _PIECES)).round().astype(int)).tolist()
    singles = len(ends) == high - low + 1
    return [(d, d) for d in ends] if singles else list(pairwise(ends))


def conflict(estimate: Figure, se: Figure | None, others: Mapping[str, Figure], df: tuple[int, int]) -> tuple[str, ...]:
    """Return a smallest set of names of figures that contradict each other; the estimate belongs to it.

    Sets of one figure are tried first, then of two, and so on; the standard error counts as a figure.
    """
    names = ([] if se is None else ["se"]) + list(others)
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            rest = {name: others[name] for name in chosen if name != "se"}
            if not possible(estimate, se if "se" in chosen else None, rest, df):
                return chosen
    return tuple(names)


def df_range(study: Study, item: Coefficient | Effect) -> tuple[int, int]:
    """Return the degrees of freedom that a coefficient can have.

    Where the article prints none: at most those of the table's patients less the chain's predictors, and at least half
    as many, for patients with missing values.
    """
    if item.df is not None:
        return item.df
    sizes = [table.n for table in study.tables] or [sample.n for sample in study.samples]
    most = max(sizes, default=10_000) - 2
    chains = [chain for chain in study.chains if not item.model or chain.model == item.model]
    if chains:
        most -= min(len(chain.covariates) + len(chain.unprinted) for chain in chains)
    return max(most // 2, 1), max(most, 1)


def others_of(item: Coefficient | Effect) -> dict[str, Figure]:
    """Return the figures beside an estimate and its standard error, by name."""
    found = {name: getattr(item, name) for name in ("t", "p", "lower", "upper")}
    return {name: figure for name, figure in found.items() if figure is not None}


def estimates_of(study: Study, item: Coefficient) -> Interval:
    """Return the estimates to which everything printed of a coefficient rounds; its own rounding if there are none."""
    found = possible(item.estimate, item.se, others_of(item), df_range(study, item))
    return (min(x for x, _ in found), max(x for x, _ in found)) if found else item.estimate.interval


def judge(study: Study, item: Coefficient | Effect, readings: Sequence[Figure], printed: str) -> Found:
    """Return the verdict on an estimate with its uncertainty; of several readings one must fit."""
    others, df = others_of(item), df_range(study, item)
    names = ([] if item.se is None else ["se"]) + list(others)
    if len(names) < 2:
        return unknown(item.label, printed, "estimate and one more number at most are printed", place=item.place)
    for reading in readings:
        found = possible(reading, item.se, others, df)
        if found:
            low, high = min(x for x, _ in found), max(x for x, _ in found)
            detail = f"{', '.join(names)} fit an estimate in this range"
            if low <= reading.low + 1e-7 and high >= reading.high - 1e-7:
                detail = f"{', '.join(names)} fit"
            return Found(item.label, printed, low, high, CONSISTENT, detail, item.place, item.bearing)
    against = conflict(readings[0], item.se, others, df)
    texts = ", ".join(f"{name} {item.se if name == 'se' else others[name]}" for name in against)
    detail = f"no estimate and standard error round to {readings[0]} and {texts}"
    return Found(item.label, printed, None, None, INCONSISTENT, detail, item.place, item.bearing)


def _coefficients(study: Study) -> Iterator[Found]:
    for item in study.coefficients:
        yield judge(study, item, [item.estimate], item.estimate.text)


def _effects(study: Study) -> Iterator[Found]:
    for item in study.effects:
        if item.interval == "t":
            yield judge(study, item, item.readings, item.printed)


RULES = (
    Rule(
        "coefficient",
        "estimates and standard errors to which the estimate, SE, t, p and 95 % interval all round",
        "Least squares: t = estimate / SE, p two-sided, the interval from Student's t. Degrees of freedom as "
        "printed, or between half of the table's patients and all of them less the covariates.",
        "One of the printed numbers is otherwise than it was; look whether the interval and p are on the same side "
        "of 0 and of the level that the conclusion uses.",
        _coefficients,
    ),
    Rule(
        "effect with a t interval",
        "the same for direct and total effects, which are coefficients of regressions",
        "As for coefficients.",
        "One of the printed numbers is otherwise than it was; look whether the interval is on the same side of 0.",
        _effects,
    ),
)
