"""Polygons of what estimate and standard error can be: a rectangle of two roundings, cut by straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

type Point = tuple[float, float]
type Line = tuple[float, float, float]  # a x + b y <= c

_SLACK = 1e-12


def rectangle(x: tuple[float, float], y: tuple[float, float]) -> list[Point]:
    """Return the corners of a rectangle, one after the other."""
    return [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]


def cut(corners: Sequence[Point], lines: Sequence[Line]) -> list[Point]:
    """Return the corners of what is left of a convex polygon where every line's inequality holds; none if nothing is.

    Sutherland & Hodgman's method; a point on a line belongs to both sides.
    """
    left = list(corners)
    for a, b, c in lines:
        slack = _SLACK * (1.0 + abs(c))
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
