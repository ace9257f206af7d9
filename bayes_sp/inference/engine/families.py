"""Log-densities that numba compiles: the families' kernels behind one number, and the priors.

The kernels of the families are compiled together, once for every model there is: which of them an equation uses is
data. The choice is made once for each equation, outside of the loop over its rows: a chain of calls for every row
would cost ten times the density itself (measured: 260 ns against 25).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled, compiled_as, compiled_kernel
from bayes_sp.model.families.registry import FAMILIES

FAMILY_NUMBERS: dict[str, int] = {name: number for number, name in enumerate(FAMILIES)}
# Numbers of the priors; constants are stored in the order of the distribution's arguments.
PRIOR_NUMBERS: dict[str, int] = {
    name: number
    for number, name in enumerate(
        (
            "flat", "half_flat", "normal", "student_t", "laplace", "half_normal", "half_student_t", "exponential",
            "gamma", "inverse_gamma", "lognormal",
        )
    )
}  # fmt: skip


ARGUMENTS = "ints, floats, e, aux, table, out, work, start, stop, eta, zeta, ell, by, stride"


def _rows(family: str) -> Any:
    """Return one family's loop over rows: the log-density of rows that are a patient each; the others' goes to ``ell``.

    ``by`` takes d/d eta, d/d zeta and d/d aux, each ``stride`` after the one before.
    """
    kernel = compiled_kernel(FAMILIES[family].kernel)

    def densities(ints, floats, e, aux, table, out, work, start, stop, eta, zeta, ell, by, stride):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        y, state, single = ints[e + at.Y], ints[e + at.STATE], ints[at.SINGLE]
        width = 2 + ints[e + at.AUX]
        total = 0.0
        for r in range(start, stop):
            kind = ints[state + r] if state != at.NONE else at.SEEN
            for k in range(width):
                out[k] = 0.0
            if kind == at.SEEN or kind == at.MEASURED:
                one = kernel(floats[y + r], work[eta + r - start], work[zeta + r - start], aux, table, out)
                if r < single:
                    total += one
                else:
                    work[ell + r] += one
            for k in range(width):
                work[by + k * stride + r - start] = out[k]
        return total

    return compiled_as(f"rows_of_{family}", densities)


def densities_of(families: Sequence[str]) -> Any:
    """Return ``densities(family, ...)``: the loop of the family of that number, by comparisons written out."""
    numbers = {FAMILY_NUMBERS[name]: name for name in families}
    names: dict[str, Any] = {f"rows_{n}": _rows(family) for n, family in numbers.items()}
    branches = "".join(f"    if family == {n}:\n        return rows_{n}({ARGUMENTS})\n" for n in numbers)
    source = f"def densities(family, {ARGUMENTS}):\n{branches}    return nan\n"
    names["nan"] = math.nan
    exec(source, names)  # noqa: S102 - the source above, with numbers of our own filled in
    return compiled_as(f"densities_of_{'_'.join(families)}", names["densities"])


@compiled
def log_prior(dist: int, x: float, a: float, b: float, c: float) -> Any:
    """Return log p(x) less its constant, and its derivative, for the prior of a number with constants a, b, c."""
    if dist == 2:  # normal
        z = (x - a) / b
        return -0.5 * z * z, -z / b
    if dist == 3:  # student_t
        z = (x - b) / c
        return -0.5 * (a + 1.0) * math.log1p(z * z / a), -(a + 1.0) * z / (c * (a + z * z))
    if dist == 4:  # laplace
        return -abs(x - a) / b, -math.copysign(1.0 / b, x - a)
    if dist == 5:  # half_normal
        return -0.5 * x * x / (a * a), -x / (a * a)
    if dist == 6:  # half_student_t
        z = x / b
        return -0.5 * (a + 1.0) * math.log1p(z * z / a), -(a + 1.0) * z / (b * (a + z * z))
    if dist == 7:  # exponential
        return -x / a, -1.0 / a
    if dist == 8:  # gamma
        return (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if dist == 9:  # inverse_gamma
        return -(a + 1.0) * math.log(x) - b / x, -(a + 1.0) / x + b / (x * x)
    if dist == 10:  # lognormal
        z = (math.log(x) - a) / b
        return -0.5 * z * z - math.log(x), -(z / b + 1.0) / x
    return 0.0, 0.0  # flat
