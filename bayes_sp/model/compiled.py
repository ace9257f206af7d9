"""Compile once, fit many: one object holds a compiled structure and takes data, priors' constants and a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from pymc.pytensorf import join_nonshared_inputs
from pytensor.graph.replace import graph_replace

from bayes_sp.model.compact import Structure, build_compact, data_inputs, prior_inputs, start_of, structure_of
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array, Design

# With fast-math the compiler may reorder sums differently in a cold and in a warm cache, and the same seed gives
# other draws. Without it, draws are equal bit for bit; no cost was measurable.
pytensor.config.numba__fastmath = False


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """The log-density of a structure and its gradient, compiled, with data and priors still open.

    Attributes
    ----------
    structure
        What was compiled.
    inputs
        Names of the inputs beside the unconstrained parameters, in order.
    function
        ``function(theta, *inputs) -> (log-density, gradient)``, theta of shape (structure.size,).
    """

    structure: Structure
    inputs: tuple[str, ...]
    function: Callable[..., tuple[Array, Array]]

    def posterior(self, model: PathModel, design: Design) -> LogPosterior:
        """Return the log-posterior for one survey and one set of priors: nothing is compiled.

        Raises
        ------
        ValueError
            Where the model has another structure than the one that was compiled.
        """
        if structure_of(model) != self.structure:
            raise ValueError(f'the specification "{model.name}" has another structure than the compiled one')
        values: Mapping[str, Array] = {**prior_inputs(model, self.structure), **data_inputs(model, design)}
        start = start_of(model, design, self.structure)
        return LogPosterior(self, tuple(values[name] for name in self.inputs), start)


@dataclass(frozen=True, eq=False)
class LogPosterior:
    """The log-posterior density of one survey under one set of priors, on unconstrained parameters.

    theta holds the blocks of the structure in order; positive parameters enter as logarithms, and the density
    includes the Jacobian of that. ``start`` is a point near the maximum.
    """

    compiled: CompiledModel
    values: tuple[Array, ...]
    start: Array

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.compiled.structure.size

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return log-density and gradient, (size,), at theta, (size,)."""
        value, gradient = self.compiled.function(theta, *self.values)
        return float(value), gradient

    def variables(self, theta: Array) -> dict[str, Array]:
        """Return the posterior variables of draws theta (..., size), each (..., number of its elements)."""
        structure = self.compiled.structure
        found = {name: np.empty((*theta.shape[:-1], len(labels))) for name, labels in structure.labels}
        start = 0
        for block in structure.blocks:
            values = theta[..., start : start + len(block.places)]
            found[block.variable][..., list(block.places)] = np.exp(values) if block.positive else values
            start += len(block.places)
        return found


@functools.lru_cache(maxsize=32)
def compile_structure(structure: Structure) -> CompiledModel:
    """Compile a structure; a structure seen before in this process comes back at once.

    Compiling through PyTensor's numba linker and calling the compiled function directly leaves out the C wrapper
    and the functions that read shared variables, which cost more than the log-density itself (2.5 s and 1 s for
    each shared variable, in every process).
    """
    model = build_compact(structure)
    shapes = {value.name: np.zeros(len(block.places)) for value, block in zip(model.value_vars, structure.blocks, strict=True)}
    (log_density,), theta = join_nonshared_inputs(
        point=shapes, outputs=[model.logp(sum=True)], inputs=model.value_vars
    )
    gradient = pytensor.grad(log_density, theta)
    shared = list(model.data_vars)
    free: list[Any] = [variable.type(name=variable.name) for variable in shared]
    outputs = graph_replace([log_density, gradient], dict(zip(shared, free, strict=True)))
    function = pytensor.function(
        [theta, *free], outputs, mode="NUMBA", on_unused_input="ignore", trust_input=True
    )
    return CompiledModel(structure, tuple(variable.name for variable in free), function.vm.jit_fn)


def compile_model(model: PathModel) -> CompiledModel:
    """Compile the structure of a specification once; see `compile_structure`."""
    return compile_structure(structure_of(model))
