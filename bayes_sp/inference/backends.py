"""The one door to the compiled engine: without its folder everything else still works, and PyMC samples."""

from __future__ import annotations

from typing import Any, NoReturn

DRAWS = "z"  # what the engine calls its draws

try:
    from bayes_sp.inference.engine.families import unknown_to_engine
    from bayes_sp.inference.engine.lower import compile_program
    from bayes_sp.inference.engine.native import engine_for, log_densities, log_density, sampler

    HAS_ENGINE = True
except ModuleNotFoundError as error:
    if not str(error.name).startswith("bayes_sp.inference.engine"):
        raise
    HAS_ENGINE = False

    def _absent(*_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - stands for functions of any arguments
        raise RuntimeError("this needs the compiled engine, bayes_sp.inference.engine, which is not installed")

    compile_program = engine_for = log_densities = log_density = sampler = unknown_to_engine = _absent

__all__ = [
    "DRAWS",
    "HAS_ENGINE",
    "compile_program",
    "engine_for",
    "log_densities",
    "log_density",
    "sampler",
    "unknown_to_engine",
]
