"""A compiled log-posterior as nutpie wants it: two C functions and a table of addresses.

`nutpie.compile_pymc_model` builds the same, but spends 2.5 s of every process on its wrapper (assigning the gradient by
slice drags numba's error formatting in) and 1 s on each shared variable. Here the gradient is copied in a loop and
the inputs are read from one table, which takes about half a second; other records and other priors only change
the table.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from nutpie.compile_pymc import CompiledPyMCModel, address_as_void_pointer

from bayes_sp.model.compiled import CompiledModel, LogPosterior
from bayes_sp.survey.design import Array

DRAWS = "z"
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


@dataclass(frozen=True, eq=False)
class NativeModel:
    """The two C functions of a compiled structure; they hold for any records and priors of that structure.

    Attributes
    ----------
    log_density
        ``(size, z, gradient out, log-density out, table) -> status``: 0, or 3 or 4 where a value is not finite.
    expand
        Copies the unconstrained draw, ``(size, size, z, out, table) -> 0``.
    """

    log_density: Any
    expand: Any

    def sampler(self, posterior: LogPosterior, initial_point: Callable[[int], Array]) -> CompiledPyMCModel:
        """Return what `nutpie.sample` takes; the draws are those of ``z``, (size,)."""
        size = posterior.size
        table, inputs = input_table(posterior)
        return CompiledPyMCModel(
            dims={DRAWS: ("parameter",)},
            reparameterized_names=[],
            compiled_logp_func=self.log_density,
            compiled_expand_func=self.expand,
            initial_point_func=initial_point,
            shared_data={str(i): value for i, value in enumerate(inputs)},  # keeps what the table points to alive
            shared_var_keys={},
            user_data=table,
            n_expanded=size,
            shape_info=([DRAWS], [slice(0, size)], [(size,)]),
            logp_func=None,
            expand_func=None,
            _n_dim=size,
            _shapes={DRAWS: (size,)},
            _coords={"parameter": np.arange(size)},
        )


def input_table(posterior: LogPosterior) -> tuple[NDArray[np.int64], list[Array]]:
    """Return address, rows and columns of every input, and the inputs themselves, to be kept alive meanwhile."""
    inputs = [np.ascontiguousarray(value) for value in (posterior.origin, posterior.scale, *posterior.values)]
    return np.array([[a.ctypes.data, a.shape[0], a.shape[-1]] for a in inputs], dtype=np.int64), inputs


@functools.lru_cache(maxsize=32)
def native_model(compiled: CompiledModel) -> NativeModel:
    """Compile the two C functions of a structure; one seen before in this process comes back at once."""
    log_density = numba.cfunc(_SIGNATURE)(_log_density(compiled))
    return NativeModel(log_density, numba.cfunc(_EXPAND_SIGNATURE)(_expand))


def _log_density(compiled: CompiledModel) -> Callable[..., int]:
    """Return the C function's source as a Python function; numba needs the number of inputs written out."""
    ranks = (1, 2, *compiled.ranks)
    shapes = {1: "(table[{1}],)", 2: "(table[{1}], table[{2}])"}
    arrays = [
        f"carray(at(table[{3 * i}]), {shapes[rank].format(3 * i, 3 * i + 1, 3 * i + 2)}, float64)"
        for i, rank in enumerate(ranks)
    ]
    source = f"""
def log_density(size, z_, gradient_, value_, table_):
    table = carray(table_, ({3 * len(ranks)},), int64)
    z = carray(z_, ({compiled.structure.size},))
    gradient = carray(gradient_, ({compiled.structure.size},))
    value, slope = function(z, {", ".join(arrays)})
    for i in range({compiled.structure.size}):
        if not isfinite(slope[i]):
            return 3
        gradient[i] = slope[i]
    found = value.item()
    if not isfinite(found):
        return 4
    carray(value_, (1,))[0] = found
    return 0
"""
    names = {
        "carray": numba.carray, "at": address_as_void_pointer, "float64": np.float64, "int64": np.int64,
        "isfinite": math.isfinite, "function": compiled.function,
    }  # fmt: skip
    exec(source, names)  # noqa: S102 - the source above, with numbers of our own filled in
    return names["log_density"]


def _expand(size: int, expanded: int, z_: Any, out_: Any, _table: Any) -> int:  # noqa: ANN401 - C pointers
    z = numba.carray(z_, (size,))
    out = numba.carray(out_, (expanded,))
    for i in range(size):
        out[i] = z[i]
    return 0


def log_densities(posterior: LogPosterior, native: NativeModel, points: Array, cores: int) -> tuple[Array, Array]:
    """Return log-density, (s,), and gradient, (s, size), at each of s points; NaN where one is not finite.

    The C function lets go of the interpreter, so ``cores`` threads share the points; each is computed alike.
    """
    table, _alive = input_table(posterior)
    call = native.log_density.ctypes
    pointer = ctypes.POINTER(ctypes.c_double)
    points = np.ascontiguousarray(points)
    values, gradients = np.full(len(points), np.nan), np.empty_like(points)

    def evaluate(place: int) -> None:
        x, gradient, value = (a.ctypes.data_as(pointer) for a in (points[place], gradients[place], values[place:]))
        if call(posterior.size, x, gradient, value, table.ctypes.data) != 0:
            values[place], gradients[place] = np.nan, np.nan

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(evaluate, range(len(points))))  # list: so that an error is not lost
    return values, gradients
