"""The parameters of a joint model: names, priors, transforms, and their places in the engine's vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.sequence import correlations_of
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES, scalar_parameters
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import RESIDUAL_CORRELATION, VARYING

Transform = Literal["identity", "log", "increasing", "share", "soft", "tanh"]
STANDARD = Prior("normal", (("mu", 0.0), ("sigma", 1.0)), "standardised: its scale is a parameter of its own")


@dataclass(frozen=True)
class Block:
    """Parameters that stand together."""

    variable: str  # name in the posterior; scalars of several equations, such as ``sigma``, share one
    labels: tuple[str, ...]  # names of the elements
    # ``identity``; ``log`` (positive); ``increasing`` (first element, then logarithms of the steps); ``share`` (a
    # simplex of one more element than there are parameters, softmax of (t, -sum t)); ``soft`` (positive,
    # unit log(1 + exp(t / unit)): like a logarithm below the unit, and the number itself above); ``tanh`` (from -1 to
    # 1, tanh(t / 2): the partial correlations of `bayes_sp.design.sequence`).
    transform: Transform
    priors: tuple[Prior, ...]  # one for each element, one in all for a simplex
    unit: float = 1.0  # of the transform ``soft``
    # start, natural: first place among the unconstrained and among the natural parameters.
    start: int = 0
    natural: int = 0

    @property
    def size(self) -> int:
        """Number of unconstrained parameters."""
        return len(self.labels) - (self.transform == "share")


@dataclass(frozen=True)
class FixedParameter:
    """A coefficient that is taken as known: its variable, its label and its value."""

    variable: str
    label: str
    value: float


@dataclass(frozen=True)
class Parameters:
    """Every block in order: those of the equations (framed), then one parameter for each group or hidden value."""

    blocks: tuple[Block, ...]  # in the order of the unconstrained vector
    framed: int  # number of parameters that the sampler sees on the scale of their joint curvature
    # Number of parameters that the sampler sees. The others are standardised hidden values that are integrated out:
    # given the records they are N(0, 1) whatever the parameters.
    sampled: int
    known: tuple[FixedParameter, ...] = ()  # numbers that stand among the natural parameters, last
    # What the engine computes of natural parameters, after them: coefficients and SDs of mediators given others with
    # correlated errors. There its equations find their parameters (`place`).
    derived: tuple[Block, ...] = ()

    @property
    def size(self) -> int:
        """Number of unconstrained parameters, P."""
        return sum(block.size for block in self.blocks)

    @property
    def natural_size(self) -> int:
        """Number of natural parameters: P, the shares of every simplex after them, then what is known."""
        shares = sum(len(block.labels) for block in self.blocks if block.transform == "share")
        return self.size + shares + len(self.known)

    def place(self, variable: str, label: str = "") -> int:
        """Return the natural place of an element, or of a variable's first one."""
        for block in (*self.derived, *self.blocks):
            if block.variable == variable and (not label or label in block.labels):
                return block.natural + (block.labels.index(label) if label else 0)
        for number, known in enumerate(self.known):
            if (known.variable, known.label) == (variable, label):
                return self.natural_size - len(self.known) + number
        raise KeyError(f"{variable}[{label}]")

    def naturals(self, theta: Array) -> Array:
        """Return the natural parameters of unconstrained ones, (..., P) -> (..., natural_size)."""
        values = np.empty((*theta.shape[:-1], self.natural_size))
        for block in self.blocks:
            own = theta[..., block.start : block.start + block.size]
            values[..., block.natural : block.natural + len(block.labels)] = _transformed(own, block)
        values[..., self.natural_size - len(self.known) :] = [known.value for known in self.known]
        return values

    def variables(self, theta: Array) -> dict[str, tuple[tuple[str, ...], Array]]:
        """Return every posterior variable as its labels and its values (..., labels)."""
        natural = self.naturals(theta)
        found: dict[str, tuple[tuple[str, ...], list[Array]]] = {}
        for block in self.blocks:
            labels, values = found.get(block.variable, ((), []))
            own = natural[..., block.natural : block.natural + len(block.labels)]
            found[block.variable] = ((*labels, *block.labels), [*values, own])
        joined = {name: (labels, np.concatenate(values, axis=-1)) for name, (labels, values) in found.items()}
        if RESIDUAL_CORRELATION in joined:
            pairs, partials = joined[RESIDUAL_CORRELATION]
            joined[RESIDUAL_CORRELATION] = pairs, _correlations(partials)
        return joined

    def named(self, natural: Array) -> dict[Any, Array]:
        """Return natural parameters, (..., natural_size), as `evaluate` wants them: by variable, elements beside."""
        found: dict[Any, Array] = {}
        for block in self.blocks:
            own = natural[..., block.natural : block.natural + len(block.labels)]
            before = found.get(block.variable)
            found[block.variable] = own if before is None else np.concatenate([before, own], axis=-1)
            if block.transform == "tanh":
                found[block.variable] = own = _correlations(own)
            if len(block.labels) == 1 or block.transform == "tanh":
                found |= {(block.variable, label): own[..., i] for i, label in enumerate(block.labels)}
        for response in [key[1] for key in found if isinstance(key, tuple) and key[0] == "tau"]:
            found[f"{response}{VARYING}"] = found["tau", response][..., None] * found[varying_name(response)]
        return found


def _correlations(partials: Array) -> Array:
    return np.stack(correlations_of(list(np.moveaxis(partials, -1, 0))), axis=-1)


def _transformed(own: Array, block: Block) -> Array:
    transform = block.transform
    if transform == "log":
        return np.exp(own)
    if transform == "soft":
        return block.unit * np.logaddexp(0.0, own / block.unit)
    if transform == "tanh":
        return np.tanh(0.5 * own)
    if transform == "increasing":
        steps = np.concatenate([own[..., :1], np.exp(own[..., 1:])], axis=-1)
        return np.cumsum(steps, axis=-1)
    if transform == "share":
        logits = np.concatenate([own, -own.sum(axis=-1, keepdims=True)], axis=-1)
        weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weight / weight.sum(axis=-1, keepdims=True)
    return own


def lay_out(
    framed: Sequence[Block],
    others: Sequence[Block],
    integrated: Sequence[Block] = (),
    known: Sequence[FixedParameter] = (),
) -> Parameters:
    """Give every block its places: natural ones are the unconstrained ones', but a simplex' shares come last."""
    start = 0
    natural = sum(block.size for block in (*framed, *others, *integrated))
    placed = []
    for block in (*framed, *others, *integrated):
        if block.transform == "share":
            placed.append(replace(block, start=start, natural=natural))
            natural += len(block.labels)
        else:
            placed.append(replace(block, start=start, natural=start))
        start += block.size
    count = sum(block.size for block in framed)
    return Parameters(tuple(placed), count, count + sum(block.size for block in others), tuple(known))


def equation_blocks(model: PathModel, j: int) -> list[Block]:
    """Return the blocks of equation j's own parameters: coefficients, zero part, cutpoints, shares, scales."""
    equation = model.equations[j]
    response, family = equation.response, FAMILIES[equation.family]

    def given(name: str) -> Prior:
        """Return a term's prior."""
        prior = model.prior(response, name)
        if prior is None:  # check_model reports this for specifications read from files
            raise ValueError(f'the specification "{model.name}" has no prior for {name} of {response}')
        return prior

    terms, zeros = model.terms(equation), model.zero_terms(equation)
    blocks = [Block(response, terms, "identity", tuple(given(term) for term in terms))] if terms else []
    if zeros:
        blocks.append(Block(f"{response}_zero", zeros, "identity", tuple(given(f"zero_{term}") for term in zeros)))
    if family.ordered:
        values = [model.coding(response).origin + level for level in range(model.coding(response).levels)]
        cuts = tuple(f"{low:g}|{high:g}" for low, high in pairwise(values))
        blocks.append(Block(f"{response}_cutpoint", cuts, "increasing", tuple(given("cutpoint") for _ in cuts)))
    for parent in equation.monotonic:
        coding = model.coding(parent)
        values = [coding.origin + level for level in range(coding.levels)]
        steps = tuple(f"{low:g}-{high:g}" for low, high in pairwise(values))
        blocks.append(Block(f"{response}_{parent}_simplex", steps, "share", (given("simplex"),)))
    blocks += [Block(name, (response,), "log", (given(name),)) for name in family.parameters]
    if equation.varying:
        blocks.append(Block("tau", (response,), "log", (given("tau"),)))
    if RESIDUAL_CORRELATION in model.parameters(equation):
        pairs = model.correlated_pairs
        blocks.append(Block(RESIDUAL_CORRELATION, pairs, "tanh", (given(RESIDUAL_CORRELATION),) * len(pairs)))
    return blocks


def varying_block(response: str, labels: Sequence[str]) -> Block:
    """Return the standardised intercepts of an equation's groups."""
    return Block(varying_name(response), tuple(labels), "identity", (STANDARD,) * len(labels))


def hidden_block(name: str, count: int) -> Block:
    """Return the standardised values of a variable's hidden cells."""
    return Block(hidden_name(name), tuple(str(i) for i in range(count)), "identity", (STANDARD,) * count)


def varying_name(response: str) -> str:
    """Return the name of an equation's standardised intercepts; no name of a variable holds the bar."""
    return f"{response}|varying"


def hidden_name(name: str) -> str:
    """Return the name of a variable's standardised hidden values."""
    return f"{name}|hidden"


def is_posterior(name: str) -> bool:
    """Whether a variable belongs to the posterior that is shown: standardised helpers do not."""
    return "|" not in name


def posterior_dims(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the dim of each posterior variable beside chain and draw."""
    scalars = scalar_parameters()
    endings = {"_zero": "_zero_term", "_cutpoint": "_cut", "_simplex": "_step"}
    found = {}
    for name in names:
        if name in scalars:
            found[name] = f"{name}_response"
            continue
        ending = next((e for e in endings if name.endswith(e)), "")
        found[name] = name.removesuffix(ending) + endings[ending] if ending else f"{name}_term"
    return found
