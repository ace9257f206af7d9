"""Draws from a specification's priors, in NumPy: no model is compiled to see what the priors say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.sequence import correlations_of, jacobian_powers
from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import ZERO
from bayes_sp.names import RESIDUAL_CORRELATION


@dataclass
class _Drawn:
    """Draws so far, and the priors from which nothing can be drawn."""

    model: PathModel
    count: int
    rng: np.random.Generator
    variables: dict[str, tuple[str, list[str], list[Array]]] = field(default_factory=dict)
    improper: list[str] = field(default_factory=list)

    def prior(self, response: str, name: str) -> Prior:
        """Return a prior; a check of the specification reports the lack of one for those read from files."""
        prior = self.model.prior(response, name)
        if prior is None:
            raise SpecificationError(self.model.name, [f"there is no prior for {name} in the equation of {response}"])
        if prior.improper:
            what = f"the prior {prior} of {name} in the equation of {response} is improper"
            self.improper.append(f"{what}; nothing can be drawn from it")
        return prior

    def sample(self, response: str, names: Sequence[str]) -> Array:
        """Draw each named parameter from its prior, (count, names)."""
        columns = [np.zeros(self.count)] * 0
        for prior in [self.prior(response, name) for name in names]:
            draw = prior.distribution.draw
            columns.append(np.zeros(self.count) if draw is None else draw(self.rng, self.count, *prior.numbers))
        return np.column_stack(columns) if columns else np.empty((self.count, 0))

    def keep(self, variable: str, dim: str, labels: Sequence[str], values: Array) -> None:
        """Add elements to a variable; scalars of several equations, such as ``sigma``, share one."""
        known = self.variables.setdefault(variable, (dim, [], []))
        known[1].extend(labels)
        known[2].append(values)


def draw_priors(model: PathModel, design: Design, *, draws: int, seed: int) -> xr.Dataset:
    """Draw every parameter from its prior.

    Cutpoints have the prior's density wherever they increase: as many draws from it, sorted. The intercepts of groups
    are normal with a standard deviation drawn from the prior of ``tau``.

    The dataset is like a posterior with one chain.

    Raises SpecificationError naming every improper prior: nothing can be drawn from it.
    """
    drawn = _Drawn(model, draws, np.random.default_rng(seed))
    for equation in model.equations:
        _draw_equation(drawn, equation, design)
    for confounder in model.confounders:
        for response, prior in confounder.estimated:
            if prior.distribution.draw is not None:  # a check of the specification refuses improper strengths
                values = prior.distribution.draw(drawn.rng, draws, *prior.numbers)[:, None]
                drawn.keep(confounder.name, f"{confounder.name}_term", [response], values)
    if drawn.improper:
        raise SpecificationError(model.name, drawn.improper)
    coords: dict[str, object] = {"chain": [0], "draw": np.arange(draws)}
    coords |= {dim: labels for dim, labels, _ in drawn.variables.values()}
    found = {
        name: (("chain", "draw", dim), np.concatenate(values, axis=-1)[None])
        for name, (dim, _, values) in drawn.variables.items()
    }
    return xr.Dataset(found, coords=coords)


def _draw_equation(drawn: _Drawn, equation: Equation, design: Design) -> None:
    model, response, family = drawn.model, equation.response, FAMILIES[equation.family]
    terms, zeros = model.terms(equation), model.zero_terms(equation)
    if terms:
        drawn.keep(response, f"{response}_term", terms, drawn.sample(response, terms))
    if zeros:
        values = drawn.sample(response, [f"{ZERO}{term}" for term in zeros])
        drawn.keep(f"{response}_zero", f"{response}_zero_term", zeros, values)
    if family.ordered:
        cuts = _between(model, response, "|")
        values = np.sort(drawn.sample(response, ["cutpoint"] * len(cuts)), axis=1)
        drawn.keep(f"{response}_cutpoint", f"{response}_cut", cuts, values)
    for parent in equation.monotonic:
        steps = _between(model, parent, "-")
        alpha = drawn.prior(response, "simplex").values["alpha"]
        shares = drawn.rng.dirichlet([alpha] * len(steps), drawn.count)
        drawn.keep(f"{response}_{parent}_simplex", f"{response}_{parent}_step", steps, shares)
    for name in family.parameters:
        drawn.keep(name, f"{name}_response", [response], drawn.sample(response, [name]))
    if equation.varying:
        labels, tau = design.groups[equation.varying][1], drawn.sample(response, ["tau"])
        drawn.keep("tau", "tau_response", [response], tau)
        values = tau * drawn.rng.standard_normal((drawn.count, len(labels)))
        drawn.keep(f"{response}_varying", equation.varying, labels, values)
    if RESIDUAL_CORRELATION in model.parameters(equation):
        eta, pairs = drawn.prior(response, RESIDUAL_CORRELATION).values["eta"], list(model.correlated_pairs)
        partials = [2.0 * drawn.rng.beta(eta + p, eta + p, drawn.count) - 1.0 for p in jacobian_powers(len(pairs))]
        values = np.stack(correlations_of(partials), axis=-1)
        drawn.keep(RESIDUAL_CORRELATION, f"{RESIDUAL_CORRELATION}_response", pairs, values)


def _between(model: PathModel, variable: str, mark: str) -> list[str]:
    """Return a label for each pair of neighbouring levels of an ordered variable, such as ``1|2``."""
    coding = model.coding(variable)
    values = [coding.value(level) for level in range(coding.levels)]
    return [f"{low:g}{mark}{high:g}" for low, high in pairwise(values)]
