"""`compiled_hidden` in NumPy or PyTensor: hidden values, standardised, from what the sampler sees of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_sp.design.sequence import cholesky

# Precisions: of an SD (and a known error's); the parameter itself; 1 / (1 / weight + 1 / parameter); the weight alone
OF_SD, OF_PRECISION, OF_COUNT, OF_WEIGHT = range(4)

type Numbers = Any  # an array or a tensor, (..., R), or a number


@dataclass(frozen=True, eq=False, repr=False)
class Linked:
    """An equation that hidden values depend on, at some parameters."""

    member: int | None  # number of its variable among those with hidden values; None where it has none
    base: Numbers = None  # linear predictor without hidden parents; None for an unmeasured confounder
    # (member, what its value is multiplied with, 0 where it is not hidden; what is taken off the value first).
    parents: Sequence[tuple[int, Numbers, float]] = ()
    # share, sd, y: a hidden value is eta + share (y - eta) + sd w.
    share: Numbers = 0.0
    sd: Numbers = 1.0
    y: Numbers = 0.0
    # target, precision: what the response says of its predictor, and how precisely; None where it says nothing.
    target: Numbers = None
    precision: Numbers = None


def settled(
    linked: Sequence[Linked],
    z: Sequence[Numbers],
    sqrt: Callable[[Numbers], Numbers] = np.sqrt,
    log: Callable[[Numbers], Numbers] = np.log,
) -> tuple[list[Numbers], Numbers]:
    """Return w of every variable with hidden values, (..., R), and log N(w) - log N(z) + log |dw / dz| of each row.

    See `compiled_hidden` for the equations; z are the values that the sampler sees.
    """
    count = len(z)
    inner: list[list[Numbers]] = [[float(i == j) for j in range(count)] for i in range(count)]
    total: list[Numbers] = [0.0] * count
    middle: list[Numbers] = [0.0] * count
    load: list[list[Numbers]] = [[0.0] * count for _ in range(count)]
    for one in linked:
        if one.base is None:
            load[one.member or 0][one.member or 0] = 1.0
            continue
        mean, a = one.base, [0.0] * count
        for parent, times, center in one.parents:
            mean = mean + times * (middle[parent] - center)
            a = [own + times * other for own, other in zip(a, load[parent], strict=True)]
        if one.precision is not None:
            for i in range(count):
                total[i] = total[i] + one.precision * a[i] * (one.target - mean)
                for j in range(i + 1):
                    inner[i][j] = inner[i][j] + one.precision * a[i] * a[j]
        if one.member is not None:
            middle[one.member] = mean + one.share * (one.y - mean)
            load[one.member] = [(1.0 - one.share) * own for own in a]
            load[one.member][one.member] = one.sd
    root = cholesky(inner, sqrt)
    w = [value + own for value, own in zip(_solve(root, total), z, strict=True)]
    for i in reversed(range(count)):
        for k in range(i + 1, count):
            w[i] = w[i] - root[k][i] * w[k]
        w[i] = w[i] / root[i][i]
    changes = (0.5 * (z[i] ** 2 - w[i] ** 2) - log(root[i][i]) for i in range(count))
    return w, sum(changes)


def _solve(root: list[list[Numbers]], x: list[Numbers]) -> list[Numbers]:
    found: list[Numbers] = []
    for i, value in enumerate(x):
        rest = value
        for k in range(i):
            rest = rest - root[i][k] * found[k]
        found.append(rest / root[i][i])
    return found


def precision_of(kind: int, weight: Numbers, first: Numbers, error: float) -> Numbers:
    """Return how precisely a response says where its predictor is; kinds as in `layout`."""
    if kind == OF_SD:
        return weight / (first**2 + error**2)
    if kind == OF_PRECISION:
        return weight * first
    return weight * first / (weight + first) if kind == OF_COUNT else weight
