"""Sample-size calculations: the number of patients that an F test needs, by the noncentral F distribution.

Cohen's f^2 is explained over unexplained variance, and the noncentrality is n f^2 (Cohen 1988). G*Power's option "as in
SPSS" for repeated measures takes (n - 1) f^2 with the f^2 that follows from partial eta squared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.special import fdtri, ncfdtr, ndtri

from bayes_sp.records.published.audit.finding import Found, Rule, judged, unknown
from bayes_sp.records.published.audit.rules_comparisons import size_of
from bayes_sp.records.published.audit.rules_tests import effect_size_range
from bayes_sp.records.published.study.results import SampleSize, Study

_MOST = 10_000_000
_EFFECT_NAMES = {"partial_eta_squared": "partial_eta_squared", "f": "cohens_f"}


@dataclass(frozen=True)
class Design:
    """An F test of n patients."""

    df1: int  # numerator's degrees of freedom
    lost: int  # df2 is n less these
    fewer: int = 0  # the noncentrality is (n - fewer) f^2
    multiple: int = 1  # n is a multiple of this: groups of equal size

    def power(self, n: int, f2: float, alpha: float) -> float:
        """Return the power of the test with n patients."""
        df2 = n - self.lost
        critical = fdtri(self.df1, df2, 1.0 - alpha)
        return float(1.0 - ncfdtr(self.df1, df2, (n - self.fewer) * f2, critical))

    def patients(self, f2: float, alpha: float, power: float) -> int:
        """Return the smallest n with at least this power.

        Raises ValueError if more than ten million patients are needed.
        """
        step = self.multiple
        least = -(-(self.lost + 1) // step)

        def enough(k: int) -> bool:
            return self.power(k * step, f2, alpha) >= power

        high = least
        while not enough(high):
            high *= 2
            if high * step > _MOST:
                raise ValueError("more than ten million patients are needed")
        low = least
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle + 1, high)
        return low * step


def designs_of(item: SampleSize) -> list[Design]:
    """Return the conventions under which a calculation may have been made."""
    if item.test == "repeated_measures":  # two times, one group
        return [Design(1, 1), Design(1, 1, fewer=1)]
    if item.test == "paired_t":
        return [Design(1, 1)]
    if item.test in ("two_sample_t", "one_way_anova"):
        k = 2 if item.test == "two_sample_t" else item.groups
        return [Design(k - 1, k, multiple=k), Design(k - 1, k)]
    return [Design(item.predictors, item.predictors + 1)]


def f_squared(effect: str, size: float) -> float:
    """Return Cohen's f squared from an effect size.

    Raises ValueError if the size is not possible.
    """
    share = {"partial_eta_squared": size, "r": size * size}.get(effect)
    if share is not None:
        if not 0 <= share < 1:
            raise ValueError(f"{effect} must be below 1, found {size:g}")
        return share / (1.0 - share)
    return {"f": size**2, "f2": size, "d": size**2 / 4.0, "dz": size**2}[effect]


def patients_range(item: SampleSize, low: float, high: float) -> tuple[int, int]:
    """Return the fewest and most patients that effect sizes from ``low`` to ``high`` need, over the conventions.

    Raises ValueError as `Design.patients` and `f_squared`, and where an effect size is 0.
    """
    least, most = (f_squared(item.effect, size) for size in (low, high))
    if least <= 0:
        raise ValueError("an effect size of 0 needs endlessly many patients")
    alpha, power = item.alpha.value, item.power.value
    found = [design.patients(f2, alpha, power) for design in designs_of(item) for f2 in (least, most)]
    if item.test == "correlation":  # Fisher's z beside the exact t test of a regression slope
        found += [_fisher(size, alpha, power) for size in (low, high)]
    return min(found), max(found)


def _fisher(r: float, alpha: float, power: float) -> int:
    """Return the pairs that a correlation needs by Fisher's z."""
    return math.ceil(((float(ndtri(1 - alpha / 2)) + float(ndtri(power))) / math.atanh(r)) ** 2 + 3)


def _sizes(study: Study) -> Iterator[Found]:
    for item in study.sample_sizes:
        subject = f"patients for power {item.power}: {item.label}"
        low, high = size_of(item.size.low, item.size.high)
        detail = f"{item.effect.replace('_', ' ')} {item.size}, alpha {item.alpha}"
        try:
            ends = patients_range(item, low, high)
        except ValueError as found:
            yield unknown(subject, str(item.n), str(found), place=item.place)
        else:
            low_n, high_n = float(ends[0]), float(ends[1])
            fits = ends[0] <= item.n <= ends[1]
            verdict = "consistent" if fits else "inconsistent"
            yield Found(subject, str(item.n), low_n, high_n, verdict, detail, item.place, item.bearing)
        yield from _source(study, item)


def _source(study: Study, item: SampleSize) -> Iterator[Found]:
    """Yield whether the effect size is the one of the test that it is said to be of, and what that one would need."""
    test = next((test for test in study.every_test() if item.effect_of and test.label == item.effect_of), None)
    name = _EFFECT_NAMES.get(item.effect)
    if test is None or name is None:
        return
    found = effect_size_range(test, name)
    subject = f"{item.effect.replace('_', ' ')} of {item.label}"
    if found is None:
        yield unknown(subject, item.size.text, "it does not follow from the test", place=item.place)
        return
    try:
        needs = "{} to {}".format(*patients_range(item, *found))
    except ValueError:
        needs = "far more"
    detail = f"that of {item.effect_of}, which needs {needs} patients"
    yield judged(subject, item.size, *found, place=item.place, bearing=item.bearing, detail=detail)


RULES = (
    Rule(
        "sample size",
        "the number of patients that the stated effect size, level and power need, and whether the effect size is "
        "the one that it is said to be",
        "The noncentral F distribution with one of the usual conventions; equal groups; two-sided tests.",
        "The plan of the study, and not its results.",
        _sizes,
    ),
)
