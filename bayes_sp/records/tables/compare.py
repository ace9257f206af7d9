r"""Means at two times, and of those who came back and those who did not: the tests of an article's first table.

Of moments alone, so that a published table is enough. With means m, SDs s, the correlation r of the two times and n
patients who have both,

.. math:: F = \frac{n (m_1 - m_0)^2}{s_0^2 + s_1^2 - 2 r s_0 s_1}, \qquad \eta_p^2 = \frac{F}{F + n - 1},

on 1 and n - 1 degrees of freedom (a repeated-measures analysis of variance with two times, the square of the paired
t). Two groups are compared by Student's t with a common variance, on n1 + n2 - 2 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from bayes_sp.arrays import Array, Mask
from bayes_sp.records.nonresponders import NonResponders
from bayes_sp.records.tables.describe import CI_PROB, is_number, numbers_of
from bayes_sp.records.tables.waves import Waves

type Sample = tuple[int, float, float]  # n, mean, SD
FEWEST = 3  # patients, to compare two times; of a group, two


@dataclass(frozen=True)
class Repeated:
    """One variable at two times, among the patients who have both values."""

    # variable, first, second: what was asked, and the two waves.
    variable: str
    first: str
    second: str
    # n, mean_first, sd_first, mean_second, sd_second, r: moments.
    n: int
    mean_first: float
    sd_first: float
    mean_second: float
    sd_second: float
    r: float
    # change, lower, upper: mean of second less first, and its 95 % interval.
    change: float
    lower: float
    upper: float
    # f, df1, df2, p, partial_eta_squared: the repeated-measures analysis of variance.
    f: float
    df1: int
    df2: int
    p: float
    partial_eta_squared: float


@dataclass(frozen=True)
class Groups:
    """One variable among those who came back and those who did not.

    ``t`` and ``difference`` are those of patients who did not come back less those who did; ``p_bonferroni`` is ``p``
    times the number of variables that were compared, at most 1; ``d`` the difference in units of the common SD.
    """

    variable: str
    n_responders: int
    mean_responders: float
    sd_responders: float
    n_nonresponders: int
    mean_nonresponders: float
    sd_nonresponders: float
    difference: float
    t: float
    df: int
    p: float
    p_bonferroni: float
    d: float


def repeated_from_moments(
    means: tuple[float, float], sds: tuple[float, float], r: float, n: int, names: tuple[str, str, str] = ("", "", "")
) -> Repeated:
    """Compare two times from their moments; ``names`` are the variable and its two waves."""
    change = means[1] - means[0]
    variance = max(sds[0] ** 2 + sds[1] ** 2 - 2.0 * r * sds[0] * sds[1], 0.0)
    se = math.sqrt(variance / n)
    f = (change / se) ** 2 if se > 0 else math.nan if change == 0 else math.inf
    half = float(stdtrit(n - 1, 0.5 + CI_PROB / 2)) * se
    eta = 1.0 if f == math.inf else f / (f + n - 1)
    return Repeated(
        *names, n, means[0], sds[0], means[1], sds[1], r, change, change - half, change + half, f, 1, n - 1,
        float(fdtrc(1, n - 1, f)), eta,
    )  # fmt: skip


def groups_from_moments(variable: str, responders: Sample, others: Sample, compared: int = 1) -> Groups:
    """Compare two groups from (n, mean, SD) of each; ``compared`` variables share the error by Bonferroni's rule."""
    (n1, mean1, sd1), (n2, mean2, sd2) = responders, others
    df = n1 + n2 - 2
    pooled = math.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / df)
    t = (mean2 - mean1) / (pooled * math.sqrt(1 / n1 + 1 / n2)) if pooled > 0 else math.nan
    p = 2.0 * float(stdtr(df, -abs(t)))
    d = (mean2 - mean1) / pooled if pooled > 0 else math.nan
    return Groups(
        variable, n1, mean1, sd1, n2, mean2, sd2, mean2 - mean1, t, df, p,
        min(1.0, p * compared) if p == p else math.nan, d,
    )  # fmt: skip


def repeated_table(records: pd.DataFrame, waves: Waves) -> pd.DataFrame:
    """Compare the first wave with each later one, for everything that was asked in both and holds numbers."""
    found = []
    for what, when in waves.repeated.items():
        first, *others = [wave for wave in waves.names if wave in when]
        for second in others:
            columns = (when[first], when[second])
            if not all(column in records and is_number(records[column]) for column in columns):
                continue
            x, y = (numbers_of(records, column) for column in columns)
            both = np.isfinite(x) & np.isfinite(y)
            x, y, n = x[both], y[both], int(both.sum())
            if n < FEWEST:
                continue
            sds = (float(x.std(ddof=1)), float(y.std(ddof=1)))
            r = float(np.corrcoef(x, y)[0, 1]) if min(sds) > 0 else 0.0
            means = (float(x.mean()), float(y.mean()))
            found.append(asdict(repeated_from_moments(means, sds, r, n, (what, first, second))))
    return pd.DataFrame(found, columns=list(Repeated.__dataclass_fields__))


def came_back(records: pd.DataFrame, waves: Waves, responses: Sequence[str]) -> Mask:
    """Return which patients came back, (n,): with any value of the last wave, or of the responses without waves."""
    later = waves.columns(waves.names[-1]) if waves.names else list(responses)
    return records[later].notna().any(axis=1).to_numpy(dtype=bool) if later else np.ones(len(records), dtype=bool)


def responders_table(records: pd.DataFrame, names: Sequence[str], back: Mask) -> pd.DataFrame:
    """Compare patients who came back with the others, on columns of numbers that both groups have."""
    moments = dict[str, tuple[Sample, Sample]]()
    for name in names:
        if is_number(records[name]):
            values = numbers_of(records, name)
            came, went = (group[np.isfinite(group)] for group in (values[back], values[~back]))
            if min(len(came), len(went)) > 1:
                moments[name] = (_sample(came), _sample(went))
    rows = [asdict(groups_from_moments(name, *pair, len(moments))) for name, pair in moments.items()]
    return pd.DataFrame(rows, columns=list(Groups.__dataclass_fields__))


def _sample(values: Array) -> Sample:
    return len(values), float(values.mean()), float(values.std(ddof=1))


def known_nonresponders_table(records: pd.DataFrame, others: NonResponders) -> pd.DataFrame:
    """Compare the patients of a survey, who all came back, with those of whom records or moments are known."""
    if others.records is not None:
        shared = [name for name in others.records if name in records]
        both = pd.concat([records[shared], others.records[shared]], ignore_index=True)
        return responders_table(both, shared, np.arange(len(both)) < len(records))
    known = [m for m in others.moments if m.sd is not None and m.column in records and is_number(records[m.column])]
    rows = []
    for moment in known:
        values = numbers_of(records, moment.column)
        values = values[np.isfinite(values)]
        if len(values) > 1 and others.n > 1 and moment.sd is not None:
            went = (others.n, moment.mean, moment.sd)
            rows.append(asdict(groups_from_moments(moment.column, _sample(values), went, len(known))))
    return pd.DataFrame(rows, columns=list(Groups.__dataclass_fields__))
