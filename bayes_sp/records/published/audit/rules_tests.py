"""Rules for test statistics: p values and effect sizes from the statistic and its degrees of freedom."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from bayes_sp.records.published.audit.finding import Found, Rule, judged, meets, unknown
from bayes_sp.records.published.audit.rules_comparisons import size_of
from bayes_sp.records.published.study.results import Study, Test


def p_value(kind: str, statistic: float, df: tuple[float, ...], sides: int = 2) -> float:
    """Return the p value of a statistic's size.

    ``kind`` is ``"t"``, ``"f"``, ``"z"``, ``"chi2"`` or ``"r"``, of which the degrees of freedom are the number of
    pairs less 2.
    """
    if kind == "f":
        return float(fdtrc(df[0], df[1], statistic))
    if kind == "chi2":
        return float(chdtrc(df[0], statistic))
    if kind == "z":
        return float(sides * ndtr(-statistic))
    if kind == "r":
        statistic = math.inf if statistic >= 1 else statistic * math.sqrt(df[0] / (1 - statistic**2))
    return float(sides * stdtr(df[0], -statistic))


def df_of(test: Test) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the lowest and highest degrees of freedom: whole ones are exact, others (Welch's) are rounded."""
    low = tuple(d.value if d.decimals == 0 else d.low for d in test.df)
    high = tuple(d.value if d.decimals == 0 else d.high for d in test.df)
    return low, high


def _p(study: Study) -> Iterator[Found]:
    for test in study.every_test():
        if test.p is None:
            continue
        least, most = size_of(*test.statistic.interval)
        low_df, high_df = df_of(test)
        low, high = p_value(test.kind, most, high_df, test.sides), p_value(test.kind, least, low_df, test.sides)
        detail = f"{_letter(test)} = {test.statistic}"
        if (
            test.kind in ("t", "z", "r")
            and test.sides == 2
            and not meets(test.p, low, high)
            and meets(test.p, low / 2, high / 2)
        ):
            detail += "; it agrees with a one-sided test"
        yield judged(f"p: {test.label}", test.p, low, high, place=test.place, bearing=test.bearing, detail=detail)


def _letter(test: Test) -> str:
    """Return how a statistic is written, with its degrees of freedom."""
    letter = {"t": "t", "f": "F", "z": "z", "chi2": "chi2", "r": "r"}[test.kind]
    return f"{letter}({', '.join(map(str, test.df))})" if test.df else letter


def partial_eta_squared(test: Test) -> tuple[float, float] | None:
    """Return the range of partial eta squared, F df1 / (F df1 + df2); None for a test that has none."""
    if test.kind not in ("t", "f"):
        return None
    least, most = size_of(*test.statistic.interval)
    low_df, high_df = df_of(test)

    def share(size: float, df: tuple[float, ...]) -> float:
        explained = size**2 if test.kind == "t" else size * df[0]
        return explained / (explained + df[-1])

    return share(least, high_df), share(most, low_df)


def effect_size_range(test: Test, name: str) -> tuple[float, float] | None:
    """Return the range of an effect size that follows from a statistic and its degrees of freedom alone; else None."""
    eta = partial_eta_squared(test)
    if name == "partial_eta_squared":
        return eta
    if name == "cohens_f" and eta is not None:
        return math.sqrt(eta[0] / (1 - eta[0])), math.sqrt(eta[1] / (1 - eta[1]))
    if name == "r_squared" and test.kind == "r":
        least, most = size_of(*test.statistic.interval)
        return least**2, min(most, 1.0) ** 2
    return None


def _effect_sizes(study: Study) -> Iterator[Found]:
    for test in study.every_test():
        for name, printed in test.effects.items():
            found, subject = effect_size_range(test, name), f"{name.replace('_', ' ')}: {test.label}"
            detail = f"{_letter(test)} = {test.statistic}"
            if found is not None:
                yield judged(subject, printed, *found, place=test.place, bearing=test.bearing, detail=detail)
            elif name not in ("cohens_d", "cohens_dz"):  # these two follow from the moments of a comparison
                yield unknown(subject, printed.text, f"it does not follow from {detail} alone", place=test.place)


RULES = (
    Rule(
        "p value",
        "p from the statistic and its degrees of freedom",
        "p is two-sided (unless stated) and not corrected for several tests; whole degrees of freedom are exact.",
        "The statistic, its degrees of freedom or p is printed otherwise than it was; look whether both are on the "
        "same side of the level that the conclusion uses.",
        _p,
    ),
    Rule(
        "effect size",
        "partial eta squared, f or r squared from the statistic and its degrees of freedom",
        "The effect size is that of the printed test.",
        "The effect size alone: the test stands.",
        _effect_sizes,
    ),
)
