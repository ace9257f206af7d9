"""The engine as the sampler wants it: two C functions, compiled once and kept on disk, and a table of addresses."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FunctionType
from typing import Any
from zlib import crc32

import numba
import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled
from bayes_sp.inference.engine.compiled_rows import dot
from bayes_sp.inference.engine.density import make_log_density
from bayes_sp.inference.engine.families import FAMILY_NUMBERS, densities_of
from bayes_sp.inference.samplers.nutpie_import import compile_pymc
from bayes_sp.inference.samplers.target import LogPosterior
from bayes_sp.jit import cached
from bayes_sp.threads import in_threads

DRAWS = "z"
address_as_void_pointer = compile_pymc.address_as_void_pointer
_SIGNATURE = numba.types.int64(
    numba.types.uint64,
    numba.types.CPointer(numba.types.double),
    numba.types.CPointer(numba.types.double),
    numba.types.CPointer(numba.types.double),
    numba.types.voidptr,
)
_EXPAND_SIGNATURE = numba.types.int64(
    numba.types.uint64,
    numba.types.uint64,
    numba.types.CPointer(numba.types.double),
    numba.types.CPointer(numba.types.double),
    numba.types.voidptr,
)


def _sources() -> int:
    """Return a checksum of everything that is compiled: numba's own cache looks at one file and its date alone."""
    package = Path(__file__).parents[2]
    own = [*(package / "model" / "families").glob("*.py"), package / "model" / "densities.py"]
    files = sorted([*own, *Path(__file__).parent.glob("*.py")])
    return crc32(b"".join(file.read_bytes() for file in files))


@compiled
def _unframe(z: Any, frame: Any, framed: int, theta: Any) -> float:
    """Theta = origin + L z for the framed parameters (L lower triangular), origin + spread z for the others.

    A group's intercept, standardised, is that / sqrt(1 - share + share (tau / tau at the origin)^2); the logarithm of
    the Jacobian of these factors is returned. What is integrated out is 0.
    """
    n = len(z)
    owner = 2 * n + framed * framed
    for i in range(n, len(theta)):
        theta[i] = 0.0
    for i in range(framed):
        theta[i] = frame[i] + dot(frame, 2 * n + i * framed, z, 0, i + 1)
    for i in range(framed, n):
        theta[i] = frame[i] + frame[n + i] * z[i]
    jacobian = 0.0
    for i in range(n):
        share = frame[owner + n + i]
        if share > 0.0:
            tau = int(frame[owner + i])
            square = 1.0 - share + share * math.exp(2.0 * (theta[tau] - frame[tau]))
            theta[i] /= math.sqrt(square)
            jacobian -= 0.5 * math.log(square)
    return jacobian


@compiled
def _frame_gradient(slope: Any, theta: Any, frame: Any, framed: int, gradient: Any) -> None:
    """Turn the derivatives by theta (``slope``, changed) into those by z."""
    n = len(gradient)
    owner = 2 * n + framed * framed
    for i in range(n):
        share = frame[owner + n + i]
        if share > 0.0:
            tau = int(frame[owner + i])
            grown = share * math.exp(2.0 * (theta[tau] - frame[tau]))
            square = 1.0 - share + grown
            slope[tau] -= grown / square * (slope[i] * theta[i] + 1.0)
            slope[i] /= math.sqrt(square)
    for i in range(framed):
        gradient[i] = 0.0
    for i in range(framed):
        row = 2 * n + i * framed
        for j in range(i + 1):
            gradient[j] += frame[row + j] * slope[i]
    for i in range(framed, n):
        gradient[i] = frame[n + i] * slope[i]


def _functions(key: int) -> tuple[Any, Any]:
    """Return the C functions, not yet compiled; ``key`` is part of the key under which numba keeps them."""

    def log_density(size, z_, gradient_, value_, table_):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        table = numba.carray(table_, (8,), np.int64)
        if key < 0:
            return 5
        ints = numba.carray(address_as_void_pointer(table[0]), (table[1],), np.int64)
        floats = numba.carray(address_as_void_pointer(table[2]), (table[3],), np.float64)
        frame = numba.carray(address_as_void_pointer(table[4]), (table[5],), np.float64)
        n = ints[at.SAMPLED]
        z = numba.carray(z_, (n,))
        theta, slope = np.empty(ints[at.SIZE]), np.empty(ints[at.SIZE] if table[6] else 0)
        found = _unframe(z, frame, ints[at.FRAMED], theta)
        found += theta_log_density(theta, ints, floats, slope)  # type: ignore[name-defined] # noqa: F821 - of `engine`
        if not math.isfinite(found):
            return 4
        if table[6]:
            gradient = numba.carray(gradient_, (n,))
            _frame_gradient(slope, theta, frame, ints[at.FRAMED], gradient)
            for i in range(n):
                if not math.isfinite(gradient[i]):
                    return 3
        numba.carray(value_, (1,))[0] = found
        return 0

    def expand(size, expanded, z_, out_, table_):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        z, out = numba.carray(z_, (size,)), numba.carray(out_, (expanded,))
        for i in range(size):
            out[i] = z[i]
        return 0 if key >= 0 else 5

    return log_density, expand


@dataclass(frozen=True)
class Scope:
    """What an engine knows; the less, the sooner it is compiled, which is most of what a first fit waits for.

    ``hidden_values`` also stands for patients with several rows, one for each value that a missing cell may have.
    """

    families: frozenset[str]
    hidden_values: bool
    correlated_errors: bool

    def covers(self, other: Scope) -> bool:
        """Return whether an engine of this scope takes what one of the other takes."""
        hidden = self.hidden_values or not other.hidden_values
        return hidden and self.correlated_errors >= other.correlated_errors and self.families >= other.families


_USUAL = frozenset({"normal", "negative_binomial"})
# From the one that is compiled first to the one that takes every posterior.
ENGINES: dict[str, Scope] = {
    "basic": Scope(_USUAL, hidden_values=False, correlated_errors=False),
    "correlated": Scope(_USUAL, hidden_values=False, correlated_errors=True),
    "all": Scope(frozenset(FAMILY_NUMBERS), hidden_values=True, correlated_errors=True),
}


@functools.cache
def engine(name: str) -> Any:
    """Return ``log_density`` as a C function: compiled the first time, 0.2 s from the disk after.

    ``name`` is one of ``ENGINES``. Raises KeyError for another one.
    """
    scope = ENGINES[name]
    function, _ = _functions(len(ENGINES) * _sources() + list(ENGINES).index(name))
    families = tuple(family for family in FAMILY_NUMBERS if family in scope.families)
    density = make_log_density(
        name,
        densities_of(families),
        hidden_values=scope.hidden_values,
        correlated_errors=scope.correlated_errors,
    )
    names = {**function.__globals__, "theta_log_density": density}
    # The same code with another engine under that name: as part of the function's closure it would have no cache.
    chosen = FunctionType(function.__code__, names, function.__name__, None, function.__closure__)
    chosen.__qualname__ = f"{function.__qualname__}_{name}"
    return cached(numba.cfunc, _SIGNATURE)(chosen)


@functools.cache
def _expand() -> Any:
    return cached(numba.cfunc, _EXPAND_SIGNATURE)(_functions(_sources())[1])


def engine_for(posterior: LogPosterior) -> Any:
    """Return the first of ``ENGINES`` that takes a posterior."""
    ints, parts = posterior.program.ints, posterior.program.parts
    hidden = ints[at.MEMBERS] > 0 or ints[at.LINK_RECORDS] != at.NONE or ints[at.ANY_DEFERRED] > 0
    needed = Scope(frozenset(part.family for part in parts), bool(hidden), ints[at.SEQUENCE] != at.NONE)
    return engine(next(name for name, scope in ENGINES.items() if scope.covers(needed)))


class Arguments:
    """The addresses that a C function is called with; it keeps what they point to alive."""

    def __init__(self, posterior: LogPosterior, *, gradient: bool = True) -> None:
        self.arrays = (posterior.program.ints, posterior.program.floats, posterior.frame)
        places = [place for array in self.arrays for place in (array.ctypes.data, len(array))]
        self.table: NDArray[np.int64] = np.array([*places, int(gradient), 0], dtype=np.int64)


def log_density(posterior: LogPosterior, z: Array) -> tuple[float, Array]:
    """Return log-density and gradient with respect to z, (size,); NaN where one is not finite."""
    values, gradients = log_densities(posterior, z[None, :], cores=1)
    return float(values[0]), gradients[0]


def log_densities(posterior: LogPosterior, points: Array, cores: int, *, gradient: bool = True) -> tuple[Array, Array]:
    """Return log-density, (s,), and gradient, (s, size), at each of s points; NaN where one is not finite.

    The C function lets go of the interpreter, so ``cores`` threads share the points; each is computed alike.
    Without ``gradient`` the second array stays empty, (s, 0), which saves half of the time.
    """
    arguments = Arguments(posterior, gradient=gradient)
    call = engine_for(posterior).ctypes
    pointer = ctypes.POINTER(ctypes.c_double)
    points = np.ascontiguousarray(points)
    values = np.full(len(points), np.nan)
    gradients = np.full((len(points), posterior.size if gradient else 0), np.nan)

    def evaluate(first: int, stop: Event) -> None:
        for place in range(first, len(points), cores):
            if stop.is_set():
                return
            x, slope, value = (a.ctypes.data_as(pointer) for a in (points[place], gradients[place], values[place:]))
            if call(posterior.size, x, slope, value, arguments.table.ctypes.data) != 0:
                values[place], gradients[place] = np.nan, np.nan

    cores = min(cores, len(points))
    if cores == 1:
        evaluate(0, Event())
    else:
        in_threads(evaluate, range(cores), cores)
    return values, gradients


def sampler(posterior: LogPosterior, initial_point: Callable[[int], Array]) -> Any:
    """Return what `nutpie.sample` takes; the draws are those of ``z``, (size,)."""
    size = posterior.size
    arguments = Arguments(posterior)
    return compile_pymc.CompiledPyMCModel(
        dims={DRAWS: ("parameter",)},
        reparameterized_names=[],
        compiled_logp_func=engine_for(posterior),
        compiled_expand_func=_expand(),
        initial_point_func=initial_point,
        shared_data={str(i): value for i, value in enumerate(arguments.arrays)},  # kept alive
        shared_var_keys={},
        user_data=arguments.table,
        n_expanded=size,
        shape_info=([DRAWS], [slice(0, size)], [(size,)]),
        logp_func=None,
        expand_func=None,
        _n_dim=size,
        _shapes={DRAWS: (size,)},
        _coords={"parameter": np.arange(size)},
    )
