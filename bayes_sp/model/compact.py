"""The same joint model written for speed: sufficient statistics instead of records, data and priors as inputs.

`build_model` is the model a reader should read. This one has the same log-density (a test holds value and gradient
equal) in a form that compiles in a fraction of the time and costs less for each gradient:

- A normal equation sees its records through the QR factor of its columns and response: with [X, y] = Q [R, r],
  |y - X beta|^2 = |r - R beta|^2, so p + 1 rows stand for n. At 178 patients a gradient costs 9 us instead of 30,
  at 200,000 patients 4,200 instead of 48,000.
- A negative binomial needs no log-gamma: log Gamma(y + phi) - log Gamma(phi) = sum_{k < y} log(phi + k), summed over
  patients with the counts N_k = #{y > k}.
- Data and the priors' constants are inputs, so other records and other priors of the same structure need no compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy.special import gammaln

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model.priors import PYMC, Tensor, priors_of
from bayes_sp.spec.priors import DISTRIBUTIONS
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import equation_matrix
from bayes_sp.survey.design import Array, Design

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Block:
    """Parameters of one posterior variable that share a prior distribution.

    Attributes
    ----------
    variable
        Name in the posterior: a response (its coefficients), ``sigma`` or ``phi``.
    dist
        Name of their distribution.
    places
        Their places in the variable's vector.
    """

    variable: str
    dist: str
    places: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the block's variable in the compact model."""
        return f"{self.variable}|{self.dist}"  # no name of a variable holds the bar

    @property
    def positive(self) -> bool:
        """Whether the sampler sees the logarithm."""
        return DISTRIBUTIONS[self.dist].support == "positive"


@dataclass(frozen=True)
class Structure:
    """All that compiling depends on: equations, their numbers of columns, and which distribution each prior has.

    Attributes
    ----------
    equations
        (response, family, number of columns) in the order of the chain.
    labels
        (posterior variable, names of its elements).
    blocks
        The parameters by variable and distribution, in the order of the unconstrained vector.
    """

    equations: tuple[tuple[str, str, int], ...]
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(len(block.places) for block in self.blocks)


def structure_of(model: PathModel) -> Structure:
    """Return what compiling a specification depends on."""
    labels = {equation.response: model.terms(equation) for equation in model.equations}
    for name in sorted({p for equation in model.equations for p in FAMILIES[equation.family].parameters}):
        labels[name] = tuple(e.response for e in model.equations if name in FAMILIES[e.family].parameters)
    blocks = []
    for variable, names in labels.items():
        dists = [prior.dist for prior in priors_of(model, variable, names)]
        blocks += [
            Block(variable, dist, tuple(i for i, other in enumerate(dists) if other == dist))
            for dist in dict.fromkeys(dists)
        ]
    equations = tuple((e.response, e.family, len(model.terms(e))) for e in model.equations)
    return Structure(equations, tuple(labels.items()), tuple(blocks))


def prior_inputs(model: PathModel, structure: Structure) -> dict[str, Array]:
    """Return the priors' constants by input name."""
    labels = dict(structure.labels)
    inputs = {}
    for block in structure.blocks:
        priors = priors_of(model, block.variable, labels[block.variable])
        for constant in DISTRIBUTIONS[block.dist].arguments:
            inputs[f"{block.name}|{constant}"] = np.array([priors[i].values[constant] for i in block.places])
    return inputs


def data_inputs(model: PathModel, design: Design) -> dict[str, Array]:
    """Return what each equation's likelihood needs of the records, by input name."""
    inputs: dict[str, Array] = {}
    for j, equation in enumerate(model.equations):
        x, y = equation_matrix(model, design, j), design.y[:, j]
        for name, value in STATISTICS[equation.family](x, y).items():
            inputs[f"{equation.response}|{name}"] = value
    return inputs


def start_of(model: PathModel, design: Design, structure: Structure) -> Array:
    """Return unconstrained parameters near the likelihood's maximum, (size,), from which a search can begin.

    Coefficients are those of least squares (for a log link of log(y + 1/2)), sigma the residual SD, phi 1.
    """
    vectors = {variable: np.zeros(len(names)) for variable, names in structure.labels}
    for j, equation in enumerate(model.equations):
        x, y = equation_matrix(model, design, j), design.y[:, j]
        family = FAMILIES[equation.family]
        target = np.log(y + 0.5) if family.link == "log" else y
        beta = np.linalg.lstsq(x, target)[0]
        vectors[equation.response] = beta
        if family.parameters == ("sigma",):
            place = dict(structure.labels)["sigma"].index(equation.response)
            vectors["sigma"][place] = np.log(np.std(target - x @ beta) + 1e-12)
    return np.concatenate([vectors[block.variable][list(block.places)] for block in structure.blocks])


def build_compact(structure: Structure) -> pm.Model:
    """Return the compact PyMC model of a structure; its data are placeholders to be replaced at each call."""
    with pm.Model() as built:
        free = {block.name: _prior_block(block) for block in structure.blocks}
        vectors = {variable: _assemble(variable, structure, free) for variable, _ in structure.labels}
        labels = dict(structure.labels)
        for response, family, columns in structure.equations:
            (parameter,) = FAMILIES[family].parameters
            value = vectors[parameter][labels[parameter].index(response)]
            likelihood = LOG_LIKELIHOODS[family](response, columns, vectors[response], value)
            pm.Potential(f"{response}|log_likelihood", likelihood)
    return built


def _prior_block(block: Block) -> Tensor:
    make, arguments = PYMC[block.dist]
    count = len(block.places)
    names = DISTRIBUTIONS[block.dist].arguments
    constants = {arguments[c]: pm.Data(f"{block.name}|{c}", np.ones(count), shape=(count,)) for c in names}
    return make(block.name, **constants, shape=count)


def _assemble(variable: str, structure: Structure, free: dict[str, Tensor]) -> Tensor:
    """Put the blocks of a variable back into the order of its elements."""
    blocks = [block for block in structure.blocks if block.variable == variable]
    if len(blocks) == 1:
        return free[blocks[0].name]
    order = np.argsort([place for block in blocks for place in block.places])
    return pt.concatenate([free[block.name] for block in blocks])[order]


def _vector(name: str) -> Tensor:
    return pm.Data(name, np.ones(1), shape=(None,))


def _matrix(name: str, columns: int) -> Tensor:
    return pm.Data(name, np.ones((1, columns)), shape=(None, columns))


def _normal_statistics(x: Array, y: Array) -> dict[str, Array]:
    factor = np.linalg.qr(np.column_stack([x, y]), mode="r")
    return {
        "R": np.ascontiguousarray(factor[:, :-1]),
        "r": np.ascontiguousarray(factor[:, -1]),
        "n": np.array([float(len(y))]),
    }


def _normal(response: str, columns: int, beta: Tensor, sigma: Tensor) -> Tensor:
    """Log p(y) = -|r - R beta|^2 / (2 sigma^2) - n log sigma - n log(2 pi) / 2."""
    r, big_r, n = _vector(f"{response}|r"), _matrix(f"{response}|R", columns), _vector(f"{response}|n")[0]
    residual = r - (big_r * beta).sum(axis=-1)
    return -0.5 * (residual**2).sum() / sigma**2 - n * (pt.log(sigma) + 0.5 * LOG_2PI)


def _negative_binomial_statistics(x: Array, y: Array) -> dict[str, Array]:
    above = len(y) - np.cumsum(np.bincount(y.astype(np.intp)))[:-1]  # N_k = #{y > k}
    return {
        "X": np.ascontiguousarray(x),
        "y": np.ascontiguousarray(y),
        "N": above.astype(float),
        "constant": np.array([-gammaln(y + 1).sum()]),
    }


def _negative_binomial(response: str, columns: int, beta: Tensor, phi: Tensor) -> Tensor:
    """Log p(y) = sum_k N_k log(phi + k) + sum_i [y_i eta_i + phi log phi - (y_i + phi) log(phi + mu_i)] - log y!."""
    x, y, above = _matrix(f"{response}|X", columns), _vector(f"{response}|y"), _vector(f"{response}|N")
    eta = (x * beta).sum(axis=-1)
    gamma_ratio = (above * pt.log(phi + pt.arange(above.shape[0]))).sum()
    each = y * eta - (y + phi) * pt.log(phi + pt.exp(eta))
    constant = _vector(f"{response}|constant")[0]
    return gamma_ratio + each.sum() + y.shape[0] * phi * pt.log(phi) + constant


STATISTICS: dict[str, Callable[[Array, Array], dict[str, Array]]] = {
    "normal": _normal_statistics,
    "negative_binomial": _negative_binomial_statistics,
}
LOG_LIKELIHOODS: dict[str, Callable[[str, int, Tensor, Tensor], Tensor]] = {
    "normal": _normal,
    "negative_binomial": _negative_binomial,
}
