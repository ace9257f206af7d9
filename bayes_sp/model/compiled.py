"""Compile once, fit many: one object holds a compiled structure and takes data, priors' constants and a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
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
    """The log-density of a structure and its gradient, compiled, with data and priors open.

    Attributes
    ----------
    structure
        What was compiled.
    inputs
        Names of the inputs beside the unconstrained parameters, in order.
    ranks
        1 for an input that is a vector, 2 for a matrix.
    function
        ``function(z, origin, scale, *inputs) -> (log-density, gradient)`` for theta = origin + scale z.
    """

    structure: Structure
    inputs: tuple[str, ...]
    ranks: tuple[int, ...]
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
        size = self.structure.size
        inputs = tuple(values[name] for name in self.inputs)
        return LogPosterior(self, inputs, start_of(model, design, self.structure), np.zeros(size), np.eye(size))


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class LogPosterior:
    """The log-posterior density of one survey under one set of priors, on unconstrained parameters.

    Attributes
    ----------
    compiled
        The compiled structure.
    values
        Its inputs: the priors' constants and what the likelihoods need of the records.
    start
        A point near the maximum, (size,).
    origin, scale
        Parameters are theta = origin + scale z, (size,) and (size, size); 0 and the identity unless moved.
    """

    compiled: CompiledModel
    values: tuple[Array, ...]
    start: Array
    origin: Array
    scale: Array

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.compiled.structure.size

    def __call__(self, z: Array) -> tuple[float, Array]:
        """Return log-density and gradient with respect to z, (size,), at z, (size,).

        The density is that of theta, in which positive parameters stand as logarithms (with the Jacobian of that).
        """
        value, gradient = self.compiled.function(z, self.origin, self.scale, *self.values)
        return value.item(), gradient

    def moved(self, origin: Array, scale: Array) -> LogPosterior:
        """Return the same posterior with theta = origin + scale z: z ~ N(0, I) when these are its mean and factor."""
        return replace(self, origin=np.ascontiguousarray(origin), scale=np.ascontiguousarray(scale))

    def variables(self, z: Array) -> dict[str, Array]:
        """Return the posterior variables of draws z (..., size), each (..., number of its elements)."""
        theta = self.origin + z @ self.scale.T
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

    Compiling through PyTensor's numba linker and calling the compiled function directly leaves out nutpie's C wrapper
    and the functions that read shared variables, which cost more than the log-density itself (2.5 s and 1 s for
    each shared variable, in every process).
    """
    model = build_compact(structure)
    blocks = zip(model.value_vars, structure.blocks, strict=True)
    point = {value.name: np.zeros(len(block.places)) for value, block in blocks}
    (log_density,), theta = join_nonshared_inputs(point, [model.logp(sum=True)], model.value_vars)
    z, origin, scale = pt.vector("z"), pt.vector("origin"), pt.matrix("scale")
    shared = list(model.data_vars)
    free: list[Any] = [variable.type(name=variable.name) for variable in shared]
    moved = origin + (scale * z).sum(axis=-1)
    density = graph_replace(log_density, {theta: moved, **dict(zip(shared, free, strict=True))})
    gradient: Any = pytensor.grad(density, z)
    function = pytensor.function([z, origin, scale, *free], [density, gradient], mode="NUMBA", trust_input=True)
    names, ranks = tuple(variable.name for variable in free), tuple(variable.ndim for variable in free)
    return CompiledModel(structure, names, ranks, function.vm.jit_fn)


def compile_model(model: PathModel) -> CompiledModel:
    """Compile the structure of a specification once; see `compile_structure`."""
    return compile_structure(structure_of(model))
