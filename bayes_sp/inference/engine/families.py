"""Log-densities that numba compiles: the families' kernels behind one number, and the priors.

The kernels of the families are compiled together, once for every model there is: which of them an equation uses is
data. The choice is made once for each equation, outside of the loop over its rows: a chain of calls for every row
would cost ten times the density itself (measured: 260 ns against 25).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np

from bayes_sp.design.design import Design
from bayes_sp.design.relevance import relevant
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled_as, compiled_kernel
from bayes_sp.model.distributions import DISTRIBUTIONS, Distribution
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

FAMILY_NUMBERS: dict[str, int] = {
    name: number for number, name in enumerate(n for n, family in FAMILIES.items() if family.kernel is not None)
}
# Numbers of the priors of numbers; constants are stored in the order of the distribution's arguments.
PRIOR_NUMBERS: dict[str, int] = {
    name: number for number, name in enumerate(n for n, known in DISTRIBUTIONS.items() if known.support != "simplex")
}


def unknown_to_engine(model: PathModel, design: Design) -> list[str]:
    """Return what a specification with its records has and the engine has not, each named."""
    families = dict.fromkeys(e.family for e in model.equations if e.family not in FAMILY_NUMBERS)
    given = [prior for _, _, prior in model.priors] + [p for u in model.confounders for _, p in u.estimated]
    dists = dict.fromkeys(p.dist for p in given if p.support != "simplex" and p.dist not in PRIOR_NUMBERS)
    found = [*(f'the family "{name}"' for name in families), *(f'the prior "{name}"' for name in dists)]
    if any(e.varying for e in model.equations if e.response in model.correlated):
        found.append("a residual correlation of mediators with groups")
    for k, equation in enumerate(model.equations[:-1]):
        if (
            FAMILIES[equation.family].residual
            and (np.isnan(design.y[:, k]) & relevant(design, equation.response)).any()
        ):
            found.append(f"missing values of {equation.response}, a mediator of the family {equation.family}")
    return found


ARGUMENTS = "ints, floats, e, aux, table, out, work, start, stop, eta, zeta, ell, by, stride"


def _rows(family: str) -> Any:
    """Return one family's loop over rows: the log-density of rows that are a patient each; the others' goes to ``ell``.

    ``by`` takes d/d eta, d/d zeta and d/d aux, each ``stride`` after the one before.
    """
    plain = FAMILIES[family].kernel
    if plain is None:
        raise ValueError(f'the family "{family}" has no kernel')
    kernel = compiled_kernel(plain)

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


def compiled_prior(known: Distribution) -> Any:
    """Compile the kernel of a distribution, which takes one number there.

    Raises ValueError where it has none.
    """
    plain = known.kernel
    if plain is None:
        raise ValueError(f'the distribution "{known.name}" has no kernel')
    function = FunctionType(plain.__code__, {**plain.__globals__, "np": np}, plain.__name__)
    return compiled_as(f"prior_{known.name}", function)


def _make_log_prior() -> Any:
    """Return ``log_prior(dist, x, a, b, c)``: the kernel of the distribution of that number, of its constants."""
    kernels = {number: DISTRIBUTIONS[name] for name, number in PRIOR_NUMBERS.items()}
    names: dict[str, Any] = {}
    source = "def log_prior(dist, x, a, b, c):\n"
    for number, known in kernels.items():
        if known.kernel is not None:
            names[f"prior_{number}"] = compiled_prior(known)
            constants = ", ".join("abc"[: len(known.arguments)])
            source += f"    if dist == {number}:\n        return prior_{number}(x, {constants})\n"
    exec(source + "    return 0.0, 0.0\n", names)  # noqa: S102 - the source above, with numbers of our own filled in
    return compiled_as("log_prior", names["log_prior"])


log_prior = _make_log_prior()  # log p(x) less its constant, and its derivative; (0, 0) of a flat one
