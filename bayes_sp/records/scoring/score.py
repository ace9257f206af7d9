r"""Scores from the answers to items.

With A the answered items of a person, a = |A| of k, the mean is :math:`\bar x = \sum_{j \in A} x_j / a` where a reaches
the least number of answered items, else missing; the sum is :math:`k \bar x`: a person's unanswered items are given the
mean of their answered ones (person-mean proration).

References
----------
Mazza, Enders, Ruehlman (2015). Addressing item-level missing data: a comparison of proration and full information
maximum likelihood estimation. Multivariate Behavioral Research 50(5), 504-519. doi:10.1080/00273171.2015.1068157
"""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array


def score(items: Array, rule: str, answered: int) -> Array:
    """Return the mean or the prorated sum of each person's answered items, (n,).

    Answers are turned the same way, (n, k), NaN where there is none; with fewer than ``answered`` the score is NaN.
    """
    there = ~np.isnan(items)
    count = there.sum(axis=1)
    total = np.where(there, items, 0.0).sum(axis=1)
    enough = count >= max(answered, 1)
    factor = float(items.shape[1]) if rule == "sum" else 1.0
    return np.where(enough, total * factor / np.maximum(count, 1), np.nan)
