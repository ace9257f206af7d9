"""What is counted in records and in their replicates: statistics that matter for a family, levels of the exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.model.families.base import Family
from bayes_sp.model.path_model import Variable

MINIMUM, MAXIMUM = ENDS = ("minimum", "maximum")  # each the value of one patient
LEAST_GROUP = 5  # patients; smaller groups say nothing and would show single patients
FEW_VALUES = 4  # an exposure with so many values or fewer is split by value
MOST_BINS = 25
BINS = 20
SPARE = 0.4  # of the bins again beyond either end of what was observed, for replicates that leave it

Statistic = Callable[[Array], Array]  # (..., n) -> (...)


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of a response, the outer ones open where the response has no end there.

    Attributes
    ----------
    edges
        Limits of the bins, (b + 1,).
    centers
        Where each is drawn, (b,).
    labels
        In words, (b,).
    named
        Whether bins are levels or whole numbers, which have names of their own.
    widths
        How many bins each was made of, (b,); 1 for those that are open at an end. () for 1 everywhere.
    """

    edges: Array
    centers: Array
    labels: tuple[str, ...]
    named: bool = True
    widths: tuple[int, ...] = ()

    def joined(self, starts: list[int]) -> Bins:
        """Return bins that are made of neighbours: each of those from one start up to the next."""
        ends = [*starts[1:], len(self.centers)]
        parts = [self._joined(i, j) for i, j in zip(starts, ends, strict=True)]
        edges = np.append(self.edges[starts], self.edges[-1])
        labels, centers, widths = zip(*parts, strict=True)
        return Bins(edges, np.array(centers), labels, self.named, widths)

    def _joined(self, i: int, j: int) -> tuple[str, float, int]:
        """Return label, place and width of the bins from i up to before j as one."""
        if j - i == 1:
            return self.labels[i], float(self.centers[i]), 1
        first, last = i == 0, j == len(self.centers)
        low, high = self.edges[i], self.edges[j]
        if self.named:
            ends = [label.split("-") for label in (self.labels[i], self.labels[j - 1])]
            label = f"{ends[0][0]}+" if ends[1][-1].endswith("+") else f"{ends[0][0]}-{ends[1][-1]}"
            open_ended = label.endswith("+")
        else:
            label = f"up to {high:.3g}" if first else f"{low:.3g}+" if last else f"{low:.3g} to {high:.3g}"
            open_ended = first or last
        if open_ended:
            return label, float(self.centers[j - 1 if first and not last else i]), 1
        return label, float(self.centers[i:j].mean()), j - i

    def count(self, values: Array) -> Array:
        """Return how many of the last axis fall into each bin, (..., b)."""
        flat = values.reshape(-1, values.shape[-1])
        places = np.clip(np.searchsorted(self.edges, flat, side="right") - 1, 0, len(self.centers) - 1)
        rows = np.arange(len(flat))[:, None] * len(self.centers)
        counts = np.bincount((places + rows).ravel(), minlength=len(flat) * len(self.centers))
        return counts.reshape(*values.shape[:-1], len(self.centers)).astype(float)


def statistics_of(family: Family, variable: Variable, observed: Array) -> Mapping[str, Statistic]:
    """Return the statistics by name that a family can get wrong.

    Counts: zeros, mean, variance, maximum. Ordered answers: the share of each. Continuous responses: mean, SD, ends,
    and the share of values beyond the ends of the scale, which no record can have.
    """
    if _has_levels(family):
        levels = _levels(variable, observed)
        return {f"share of {level:g}": _share_equal(level) for level in levels}
    if family.response == "count":
        return {
            "share of zeros": _share_equal(0.0),
            "mean": lambda y: y.mean(axis=-1),
            "variance": lambda y: y.var(axis=-1, ddof=1),
            MAXIMUM: lambda y: y.max(axis=-1),
        }
    found: dict[str, Statistic] = {
        "mean": lambda y: y.mean(axis=-1),
        "SD": lambda y: y.std(axis=-1, ddof=1),
        MINIMUM: lambda y: y.min(axis=-1),
        MAXIMUM: lambda y: y.max(axis=-1),
    }
    if (low := variable.minimum) is not None:
        found[f"share below {low:g}"] = lambda y: (y < low).mean(axis=-1)
    if (high := variable.maximum) is not None:
        found[f"share above {high:g}"] = lambda y: (y > high).mean(axis=-1)
    return found


def exposure_levels(x: Array, named: Mapping[str, float] | None = None) -> dict[str, NDArray[np.bool_]]:
    """Return groups of patients by level of exposure: below 0, 0, above 0 for a change; else values or thirds.

    Those of a category are its ``named`` levels.

    Groups of fewer than 5 patients are left out.
    """
    values = np.unique(x)
    if named:
        groups = {name: x == value for name, value in named.items()}
    elif values[0] < 0 < values[-1]:
        groups = {"below 0": x < 0, "0": x == 0, "above 0": x > 0}
    elif len(values) <= FEW_VALUES:
        groups = {f"{value:g}": x == value for value in values}
    else:
        low, high = np.quantile(x, [1 / 3, 2 / 3])
        groups = {f"up to {low:.3g}": x <= low, "between": (x > low) & (x <= high), f"above {high:.3g}": x > high}
    return {name: mask for name, mask in groups.items() if mask.sum() >= LEAST_GROUP}


def bins_of(family: Family, variable: Variable, observed: Array) -> Bins:
    """Return bins in which a response is counted, each as wide as a step of its scale or several of them."""
    if _has_levels(family):
        levels = _levels(variable, observed)
        return Bins(_around(levels), levels, tuple(f"{level:g}" for level in levels))
    if family.response == "count":
        return _count_bins(observed)
    low, high = float(observed.min()), float(observed.max())
    step = _step(variable, observed)
    width = step * np.ceil((high - low) / step / BINS) if step else (high - low) / BINS
    start = low - (step / 2 if step else 0.0)
    count = int(np.ceil((high - start) / width + (1e-9 if step else 0.0)))
    spare = int(np.ceil(SPARE * count))
    below = 0 if family.bounded or family.response == "positive" else spare
    inner = start + width * np.arange(-below, count + (0 if family.bounded else spare) + 1)
    centers = (inner[:-1] + inner[1:]) / 2
    edges = np.concatenate([[-np.inf], inner[1:-1], [np.inf]])
    return Bins(edges, centers, tuple(f"{center:.3g}" for center in centers), named=False)


def _has_levels(family: Family) -> bool:
    return family.ordered or family.response == "binary"


def _count_bins(observed: Array) -> Bins:
    """Return a bin for 0, bins of one value, or of several where counts are large, and an open one at the end."""
    width = max(1, int(np.ceil(np.quantile(observed, 0.95) / MOST_BINS)))
    last = min(float(observed.max()), width * MOST_BINS)
    starts = np.concatenate([[0.0], np.arange(1.0, max(last, 1.0) + 1.0, width)])
    names = ["0", *(f"{a:g}" if width == 1 else f"{a:g}-{a + width - 1:g}" for a in starts[1:-1]), f"{starts[-1]:g}+"]
    centers = np.concatenate([[0.0], starts[1:] + (width - 1) / 2])
    return Bins(np.append(starts, np.inf), centers, tuple(names))


def _levels(variable: Variable, observed: Array) -> Array:
    low = observed.min() if variable.minimum is None else variable.minimum
    high = observed.max() if variable.maximum is None else variable.maximum
    return np.arange(low, high + 1.0)


def _around(levels: Array) -> Array:
    return np.concatenate([[-np.inf], (levels[:-1] + levels[1:]) / 2, [np.inf]])


def _share_equal(level: float) -> Statistic:
    return lambda y: (y == level).mean(axis=-1)


def _step(variable: Variable, observed: Array) -> float:
    """Return the distance between neighbouring values of a scale; 0 for a response that takes any value."""
    if variable.step > 0:
        return variable.step
    if variable.kind != "real":
        return 1.0
    values = np.unique(observed)
    gaps = np.diff(values)
    least = float(gaps.min()) if gaps.size else 0.0
    on_grid = least > 0 and np.allclose(gaps / least, np.round(gaps / least), atol=1e-6)
    return least if on_grid and len(values) < len(observed) / 2 else 0.0
