"""How functions become machine code, and the special functions that numba lacks."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba

from bayes_sp.model.families.special import digamma as plain_digamma
from bayes_sp.model.families.special import rising as plain_rising

# Division by zero gives inf or nan, which the caller looks for; nothing here is called from Python, so no wrappers.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
compiled: Any = numba.njit(**OPTIONS)
# Part of the function that calls it before either is machine code: what is large is then optimised once, not twice.
inlined: Any = numba.njit(inline="always", **OPTIONS)
digamma, rising = compiled(plain_digamma), compiled(plain_rising)


def compiled_kernel(kernel: Callable[..., float]) -> Any:
    """Compile a family's kernel, which names the plain `digamma` or `rising`, with the compiled ones in their place."""
    names = {**kernel.__globals__, "digamma": digamma, "rising": rising}
    return compiled(FunctionType(kernel.__code__, names, kernel.__name__))


def compiled_as(name: str, function: Callable[..., Any], compiler: Any = compiled) -> Any:
    """Compile a function that was made in another one, under a name of its own.

    Machine code from numba's files is linked by name. Functions that are made alike have one name and a running number,
    which in two files can be the same for different code, and the first one loaded would serve both.
    """
    function.__qualname__ = name
    return compiler(function)
