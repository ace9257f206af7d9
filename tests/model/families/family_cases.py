"""Responses, predictors and parameters for every family: random ones and extreme ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayes_sp.model.families.base import Family


class Case(NamedTuple):
    y: float
    eta: float
    zeta: float
    aux: np.ndarray


# One parameter's extreme values; every family is tried at all combinations.
EXTREME = {
    "sigma": (1e-3, 1.0, 1e4),
    "nu": (0.5, 99.0, 101.0, 1e8),
    "precision": (1e-2, 3.0, 1e3),
    "phi": (1e-6, 0.8, 1e8),
    "shape": (1e-2, 2.0, 1e3),
}
CUTPOINTS = ((0.3,), (-2.0, -2.0 + 1e-9, 0.5, 2.0), (-8.0, -0.01, 0.01, 6.0), (0.0, 1e-4, 0.02, 8.0))
RESPONSES = {
    "real": (-20.0, 0.0, 1.5),
    "count": (0.0, 1.0, 7.0, 500.0),
    "binary": (0.0, 1.0),
    "positive": (1e-3, 1.0, 50.0),
}


def random_case(family: Family, rng: np.random.Generator) -> Case:
    """Return a case of the size that surveys have."""
    count = len(family.parameters) + family.latent
    aux = np.sort(rng.normal(0.0, 1.5, 3)) if family.ordered else np.exp(rng.normal(0.0, 1.0, count))
    kind = "bounded" if family.bounded else family.response
    y = {
        "real": rng.normal(),
        "integer": rng.integers(0, 4),
        "count": rng.integers(0, 9) * rng.integers(0, 2),
        "binary": rng.integers(0, 2),
        "positive": rng.gamma(1.0) + 0.01,
        "bounded": rng.uniform(0.01, 0.99),
    }[kind]
    return Case(float(y), rng.normal(0.0, 1.5), rng.normal(0.0, 2.0), aux)


def extreme_cases(family: Family) -> list[Case]:
    """Return every combination of extreme predictors, parameters and responses."""
    zetas = (-30.0, 0.0, 30.0) if family.zero_part else (0.0,)
    found = []
    for eta, zeta in itertools.product((-30.0, -6.0, 0.0, 6.0, 30.0), zetas):
        if family.ordered:
            found += [Case(float(y), eta, zeta, np.array(c)) for c in CUTPOINTS for y in range(len(c) + 1)]
            continue
        choices = [EXTREME[name] for name in family.parameters] + [(0.0, 2.0)] * family.latent
        responses = (1e-8, 0.5, 1.0 - 1e-8) if family.bounded else RESPONSES[family.response]
        found += [Case(y, eta, zeta, np.array(aux)) for aux in itertools.product(*choices) for y in responses]
    return found


def count_table(phi: float, y: float) -> np.ndarray:
    """Return log Gamma(phi + k) - log Gamma(phi) and its derivative, (2, y + 1)."""
    k = phi + np.arange(int(y))
    return np.array([np.append(0.0, np.cumsum(np.log(k))), np.append(0.0, np.cumsum(1.0 / k))])


def run_kernel(family: Family, case: Case, kernel: Callable[..., float] | None = None) -> tuple[float, np.ndarray]:
    """Return a kernel's value and its derivatives; what it does not write is nan."""
    table = count_table(case.aux[0], case.y) if family.sized else np.zeros((2, 1))
    out = np.full(2 + len(case.aux), np.nan)
    kernel = kernel or family.kernel
    assert kernel is not None
    value = kernel(case.y, case.eta, case.zeta, case.aux, table, out)
    return value, out


def left_out(family: Family, y: float) -> float:
    """Return the constant that a count's kernel leaves out."""
    return -math.lgamma(y + 1.0) if family.response == "count" else 0.0
