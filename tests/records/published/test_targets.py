"""Targets are correlations that whole-number records can have."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from bayes_sp.records.published.article import published
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.published.targets import Column, nearest_correlation, nearest_triple


def test_nearest_correlation_of_binary_columns() -> None:
    """Two binary columns reach only some correlations; the nearest is one that an arrangement has."""
    a, b = np.repeat([0, 1], [78, 100]), np.repeat([1, 2], [87, 91])
    target = nearest_correlation(Column.of(a), Column.of(b), 0.08)
    both = np.arange(100)
    possible = [
        np.corrcoef(a, np.concatenate([_ones_first(78, 91 - k), _ones_first(100, k)]))[0, 1] for k in both[13:92]
    ]
    assert_allclose(target, min(possible, key=lambda r: abs(r - 0.08)), rtol=1e-9)


def _ones_first(n: int, k: int) -> np.ndarray:
    """Column of ``n`` ones and twos of which ``k`` are twos."""
    return np.where(np.arange(n) < k, 2, 1)


def test_nearest_triple_is_linear() -> None:
    """Reachable correlations with a change and its parts obey the change's linearity."""
    d = reconstruct(2).records
    parts = tuple(Column.of(d[name].to_numpy()) for name in ("group_change", "groups_t0", "groups_t1"))
    z = Column.of(d["age"].to_numpy())
    study = published()
    row = study.names.index("age")
    r, worst = nearest_triple(z, parts, study.correlations[row, :3], study.correlation_half_units[row, :3])  # type: ignore[arg-type]  # slices of arrays
    change, t0, t1 = (part.norm for part in parts)
    assert_allclose(change * r[0], t1 * r[2] - t0 * r[1], rtol=1e-9)
    assert_allclose(r, study.correlations[row, :3], atol=0.005 * worst + 1e-12)
    assert worst < 1
