"""At which value of a dial does a conclusion change? Root finding that knows the Monte Carlo error of its function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bayes_sp.sensitivity.crossings import Crossing, Region, State, Tipping, Z, margin_of, state_beyond, state_of
from bayes_sp.sensitivity.target import Estimate

type Evaluate = Callable[[Sequence[float]], Sequence[Estimate | None]]
SURE = 2.0 * Z  # Monte Carlo errors beyond which the sign of a margin is taken as known
SCAN = 9
TOLERANCE = 1e-3
ROUNDS = 25


def one_by_one(evaluate: Callable[[float], Estimate | None]) -> Evaluate:
    """Return a function of many dial values from one of a single value."""
    return lambda values: [evaluate(value) for value in values]


def find_tipping(
    evaluate: Evaluate,
    low: float,
    high: float,
    *,
    start: float,
    null: float = 0.0,
    rope: Region | None = None,
    log: bool = False,
    base: Estimate | None = None,
    scan: int = SCAN,
    tolerance: float = TOLERANCE,
) -> Tipping:
    r"""Find where, as a dial is turned away from its start, an interval first changes what it says.

    An interval lies above or below the null, or across it; with a region of practical equivalence above or below the
    region, inside it, or across one of its ends. With :math:`g(d)` the distance of the interval's limit from leaving
    the state it has at the start, positive while it keeps that state, the tipping value is the root of :math:`g` that
    is nearest to the start on each side. First the whole range is scanned, so that a dial that is not monotone does not
    hide a nearer root than the bisection would find (two roots between neighbouring scanned values do stay hidden).
    Then the bracket is narrowed by secants, until the Monte Carlo error :math:`s` of the limit is what remains, or to
    the tolerance; a value whose :math:`|g|` is below :math:`3.9\, s` narrows nothing. The root is that of a line
    through the evaluations in the bracket with slope :math:`g'`, and the range that the error leaves open is
    :math:`\pm 1.96\, s / |g'|`: errors are not averaged over evaluations, because with one seed for all of them they
    go together.

    Parameters
    ----------
    evaluate
        Dial values -> estimates in the same order, None where there is no answer. The same value must give the same
        estimate. Called with all values of a scan, or of a round, at once.
    low, high, start
        Dial values searched, and the value from which "first" counts.
    null, rope
        The value of no effect, and the region of practical equivalence that takes its place.
    log
        Turn the dial on the logarithmic scale.
    base
        The estimate whose state counts as the one to be left; by default that at the start.
    scan
        Values of the scan, at least 2, beside the start.
    tolerance
        Of the tipping value, as a share of the range.

    Returns
    -------
    Tipping

    Raises
    ------
    ValueError
        Unless low <= start <= high, low < high (0 < low on the logarithmic scale), scan >= 2 and rope increases.
    """
    _check(low, high, start, rope, log=log, scan=scan)
    region = (null, null) if rope is None else rope
    search = _Search(evaluate, region, log, (low, start, high))
    ends, middle = (search.inward(low), search.inward(high)), search.inward(start)
    grid = [place for place in map(float, np.linspace(*ends, scan)) if abs(place - middle) > 1e-9 * (ends[1] - ends[0])]
    search.add(sorted([*grid, middle]))
    origin = search.found[middle]
    if origin is None:
        return search.tipping(start, low, high, "across", (), "there is no answer at the start")
    base = base or origin
    before = state_of(base, region)
    if state_of(origin, region) != before:
        here = Crossing(start, start, start, state_of(origin, region))
        return search.tipping(start, low, high, before, (here,), "the start itself has changed")
    crossings = []
    for side in (-1, 1):
        bracket = search.bracket(middle, side, before)
        if bracket is not None:
            crossings.append(search.refined(*bracket, before, tolerance * (ends[1] - ends[0]), ends))
    crossings.sort(key=lambda crossing: abs(search.inward(crossing.value) - middle))
    note = "; ".join(search.notes(before, bool(crossings)))
    return search.tipping(start, low, high, before, tuple(crossings), note)


class _Search:
    """What is known of an interval at dial values, kept on the scale on which the dial is turned."""

    def __init__(self, evaluate: Evaluate, region: Region, log: bool, exact: Sequence[float]) -> None:
        self.evaluate = evaluate
        self.region = region
        self.log = log
        self.exact = {self.inward(value): value for value in exact}  # exp(log(x)) may differ from x in its last digit
        self.found: dict[float, Estimate | None] = {}

    def inward(self, value: float) -> float:
        """Return a dial value's place on the scale on which the dial is turned."""
        return math.log(value) if self.log else float(value)

    def outward(self, place: float) -> float:
        """Return the dial value of a place."""
        return self.exact.get(place, math.exp(place) if self.log else place)

    def add(self, places: Iterable[float]) -> None:
        """Evaluate at places that are new."""
        new = [place for place in places if place not in self.found]
        if not new:
            return
        estimates = self.evaluate([self.outward(place) for place in new])
        for place, estimate in zip(new, estimates, strict=True):
            known = estimate is not None and np.isfinite([estimate.lower, estimate.upper]).all()
            self.found[place] = estimate if known else None

    def margins(self, places: Iterable[float], before: State) -> list[tuple[float, float, float]]:
        """Return (place, margin, error) where there is an answer; 0 for an error that is not known."""
        answers = [(place, self.found[place]) for place in places]
        known = [(place, *margin_of(found, self.region, before)) for place, found in answers if found is not None]
        return [(place, margin, error if np.isfinite(error) else 0.0) for place, margin, error in known]

    def bracket(self, start: float, side: int, before: State) -> tuple[float, float] | None:
        """Return the first places, going outward, between which the margin turns negative.

        The neighbouring ones, or those around them whose signs Monte Carlo error does not leave open.
        """
        outward = sorted((place for place in self.found if side * (place - start) >= 0), key=lambda p: side * p)
        known = self.margins(outward, before)
        turn = next((i for i, (_, margin, _) in enumerate(known) if margin <= 0.0), 0)
        if not turn:
            return None
        inner = next((place for place, margin, error in reversed(known[:turn]) if margin >= SURE * error), start)
        beyond = ((place, margin) for place, margin, error in known[turn:] if abs(margin) >= SURE * error)
        far, margin = next(beyond, known[turn][:2])
        return inner, far if margin <= 0.0 else known[turn][0]

    def refined(self, near: float, far: float, before: State, tolerance: float, ends: Region) -> Crossing:
        """Narrow a bracket by secants until Monte Carlo error, or the tolerance, is what remains."""
        halved, idle = True, 0
        for turn in range(ROUNDS):
            inner, outer, error = self._ends(near, far, before)
            width, fall = abs(far - near), inner - outer
            if width <= tolerance or idle > 2 or (turn and fall <= 3.0 * SURE * error):
                break
            share, half = inner / fall, max((1.25 + 0.5 * idle) * SURE * error / fall, 0.02)
            share = min(max(share, 0.02), 0.98)
            parts = [share - half, share, share + half, *([] if halved else [0.5])]
            different = dict.fromkeys(round(part, 6) for part in parts if 0.0 < part < 1.0)
            places = [near + (far - near) * part for part in different]
            self.add(places)
            near, far = self._narrowed(near, far, places, before)
            halved = abs(far - near) <= 0.5 * width
            idle = idle + 1 if abs(far - near) == width else 0
        return self._crossing(near, far, before, ends)

    def _ends(self, near: float, far: float, before: State) -> tuple[float, float, float]:
        """Return the margins at both ends of a bracket, and the mean error within it."""
        known = {place: (margin, error) for place, margin, error in self._within(near, far, before)}
        return known[near][0], known[far][0], float(np.mean([error for _, error in known.values()]))

    def _within(self, near: float, far: float, before: State) -> list[tuple[float, float, float]]:
        """Return what is known from one end of a bracket to the other."""
        low, high = sorted((near, far))
        return self.margins([place for place in self.found if low <= place <= high], before)

    def _narrowed(self, near: float, far: float, places: Sequence[float], before: State) -> tuple[float, float]:
        """Return the neighbouring places, nearest to the inner end, between which the margin surely turns negative."""
        for place, margin, error in self.margins(sorted(places, key=lambda place: abs(place - near)), before):
            if margin <= -SURE * error:
                return near, place
            if margin >= SURE * error:
                near = place
        return near, far

    def _crossing(self, near: float, far: float, before: State, ends: Region) -> Crossing:
        """Return the root in a bracket with the range that Monte Carlo error leaves open."""
        inner, outer, error = self._ends(near, far, before)
        slope = (outer - inner) / (far - near)
        root, (low, high) = near - inner / slope, sorted((near, far))
        if error > 0.0:
            known = self._within(near, far, before)
            places, margins = np.array([place for place, _, _ in known]), np.array([margin for _, margin, _ in known])
            fitted, level = np.polyfit(places - root, margins, 1)
            if fitted * slope > 0.0 and low <= root - level / fitted <= high:
                slope, root = float(fitted), float(root - level / fitted)
            low, high = root - Z * error / abs(slope), root + Z * error / abs(slope)
        low, high = max(low, ends[0]), min(high, ends[1])
        beyond = self.found[far]
        after = before if beyond is None else state_beyond(beyond, self.region, before)
        return Crossing(self.outward(root), self.outward(low), self.outward(high), after)

    def notes(self, before: State, crossed: bool) -> list[str]:
        """Return what a reader must know of the search."""
        found = []
        failed = [self.outward(place) for place, estimate in sorted(self.found.items()) if estimate is None]
        if failed:
            found.append(f"no answer at {', '.join(f'{value:.3g}' for value in failed)}")
        doubtful = [
            self.outward(p) for p, estimate in sorted(self.found.items()) if estimate and not estimate.trustworthy
        ]
        if doubtful:
            found.append(f"not trustworthy at {', '.join(f'{value:.3g}' for value in doubtful)}")
        if not crossed and before == "across" and self.region[0] == self.region[1]:
            found.append("the interval includes no effect to begin with, and at every value that was tried")
        elif not crossed:
            place, margin, error = min(self.margins(self.found, before), key=lambda known: known[1])
            close = ", within the Monte Carlo error of that limit" if margin <= Z * error else ""
            found.append(f"nearest at {self.outward(place):.3g}, where the limit is {margin:.2g} away{close}")
        return found

    def tipping(
        self, start: float, low: float, high: float, before: State, crossings: tuple[Crossing, ...], note: str
    ) -> Tipping:
        """Return the result with every evaluation."""
        evaluations = tuple((self.outward(place), estimate) for place, estimate in sorted(self.found.items()))
        return Tipping(start, low, high, before, crossings, self.region, evaluations, note)


def _check(low: float, high: float, start: float, rope: Region | None, *, log: bool, scan: int) -> None:
    if not low < high or not low <= start <= high or (log and low <= 0.0):
        least = "0 < low" if log else "low"
        raise ValueError(f"needs {least} <= start <= high and low < high, found {low:g}, {start:g}, {high:g}")
    if scan < 2:
        raise ValueError(f"scan must be at least 2, found {scan}")
    if rope is not None and not rope[0] < rope[1]:
        raise ValueError(f"rope must be two increasing numbers, found {list(rope)}")
