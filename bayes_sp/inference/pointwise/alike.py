"""Log densities of patients of whom the same is not known: what is not known is integrated out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.design.evaluate import At
from bayes_sp.design.relevance import summed_values
from bayes_sp.design.simulate import Predicted, predicted
from bayes_sp.inference.pointwise.integrals import (
    TOLERANCE,
    LogIntegrand,
    enough_nodes,
    expectation,
    find_frame,
    normal_expectation,
)
from bayes_sp.inference.pointwise.panels import by_panels, enough_in_panels, panel_edges
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

type Levels = tuple[tuple[str, float], ...]
type Rules = dict[tuple[int, Levels], Rule]


@dataclass(frozen=True)
class Rule:
    """How an integral is computed."""

    nodes: int = 0  # in each dimension, or in each panel; 0 for a closed form
    error: float = 0.0  # largest change of a logarithm by doubling them
    panels: bool = False  # whether they stand in panels, see `pointwise.panels`

    def __call__(self, log_f: LogIntegrand, dims: int, shape: tuple[int, ...]) -> Array:
        """Return log E f(z), (...)."""
        if self.panels:
            return by_panels(log_f, panel_edges(log_f, shape), self.nodes)
        if self.nodes:
            return expectation(log_f, find_frame(log_f, dims, shape), self.nodes)
        return normal_expectation(log_f, dims, shape)


def choose_rule(log_f: LogIntegrand, dims: int, shape: tuple[int, ...]) -> Rule:
    """Return Gauss-Hermite nodes about the mode where they do, panels where not and there is one dimension."""
    nodes, error = enough_nodes(log_f, find_frame(log_f, dims, shape))
    if error <= TOLERANCE or dims > 1:
        return Rule(nodes, error)
    return Rule(*enough_in_panels(log_f, panel_edges(log_f, shape)), panels=True)


@dataclass(frozen=True, eq=False, repr=False)
class _Row:
    """One equation's predictors, affine in the numbers that are not known: eta + sum of slopes * values."""

    own: Predicted
    slopes: dict[str, tuple[Array, Array]]
    y: Array

    @cached_property
    def measured(self) -> tuple[Array, Array, Array]:
        """What a value measured with error is made of: parts of eta, what is added, and parts of a standardised one."""
        sigma, missing = self.own.aux[..., :1], np.isnan(self.y)
        share = np.where(missing, 0.0, sigma**2 / (sigma**2 + self.own.aux[..., 1:2] ** 2))
        return 1.0 - share, share * np.nan_to_num(self.y), sigma * np.sqrt(1.0 - share)

    def number(self, eta: Array, z: Array) -> Array:
        """Return the value behind the response at a standardised value z, given what was measured of it."""
        family = self.own.family
        if family.latent:
            part, shift, spread = self.measured
            return np.asarray(part * eta + shift + spread * z)
        sigma = self.own.aux[..., :1]
        if family.residual_quantile is not None:
            z = family.residual_quantile(z, self.own.aux)
        return np.where(np.isnan(self.y), eta + sigma * z, self.y)


@dataclass(frozen=True, eq=False, repr=False)
class Alike:
    """Patients of whom the same is not known, with the parameters of every draw."""

    model: PathModel
    design: Design  # arrays of these patients
    at: At  # parameters by name
    unknown: tuple[str, ...]  # mediators and unmeasured confounders whose values are not known
    rows: dict[tuple[int, Levels], _Row] = field(default_factory=dict)

    def choose(self) -> Rules:
        """Return a rule for each integral, by equation and levels."""
        found: Rules = {}
        for j in range(len(self.model.equations)):
            for dims, levels in self.choices(j):
                if dims and self.is_normal(j, dims):
                    found[j, levels] = Rule()
                elif dims:
                    found[j, levels] = choose_rule(partial(self.log_factors, j, dims, levels), len(dims), self.shape)
        return found

    def densities(self, rules: Rules) -> list[Array]:
        """Return each equation's log density given the equations before, (chain, draw, n), NaN where not measured."""
        found, before = [], np.zeros(self.shape)
        for j in range(len(self.model.equations)):
            if not self.counts(j):
                found.append(np.full(self.shape, np.nan))
                continue
            parts, zeros = [], dict.fromkeys(self.unknown, np.zeros(self.shape))
            choices = self.choices(j)
            for dims, levels in choices:
                log_f = partial(self.log_factors, j, dims, levels)
                if dims:
                    parts.append(rules[j, levels](log_f, len(dims), self.shape))
                else:
                    parts.append(log_f(np.empty((0, *self.shape))))
            numbers, levels = choices[0] if choices else ((), ())
            known, own = self.walk(j, {name: zeros[name] for name in numbers}, levels)[j]
            if parts:
                total = np.logaddexp.reduce(parts)
                own, before = total - before, total
            found.append(np.where(known, own, np.nan))
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """Chains, draws, patients."""
        chains, draws = next(iter(self.at.values())).shape[:2]
        return chains, draws, self.design.n

    def choices(self, j: int) -> list[tuple[tuple[str, ...], Levels]]:
        """Return the numbers and every combination of levels that equation j and those before it need integrated.

        Empty where equation j does not depend on anything that is not known, or its response is not measured.
        """
        if not self.sources(j) or not self.counts(j):
            return []
        needed = self.needed(j)
        numbers = tuple(name for name in needed if not summed_values(self.model, name)[0])
        leveled = [name for name in needed if name not in numbers]
        combinations = product(*(summed_values(self.model, name)[0] for name in leveled))
        return [(numbers, tuple(zip(leveled, values, strict=True))) for values in combinations]

    def sources(self, j: int) -> set[str]:
        """Return what is not known and enters equation j."""
        equation = self.model.equations[j]
        acting = {c.name for c in self.model.confounders if equation.response in dict(c.strengths)}
        return (set(equation.parents) | acting) & set(self.unknown)

    def needed(self, j: int) -> list[str]:
        """Return what is not known and enters equation j, those before it, or what of these is not known itself."""
        found: set[str] = set()
        for k in reversed(range(j + 1)):
            response = self.model.equations[k].response
            if response in found or self.counts(k):
                found |= self.sources(k)
        return [name for name in self.unknown if name in found]

    def is_normal(self, j: int, numbers: tuple[str, ...]) -> bool:
        """Return whether all log densities up to equation j are quadratic in these numbers that are not known."""
        return all(
            FAMILIES[e.family].gaussian or not (e.response in numbers or (k <= j and self.sources(k) & set(numbers)))
            for k, e in enumerate(self.model.equations)
        )

    def counts(self, k: int) -> bool:
        """Return whether equation k's response is measured, so that its density counts."""
        response = self.model.equations[k].response
        return response not in self.unknown or FAMILIES[self.model.equations[k].family].latent

    def log_factors(self, j: int, numbers: tuple[str, ...], levels: Levels, z: Array) -> Array:
        """Return the sum of all log densities up to equation j that depend on what is not known, (chain, draw, n).

        ``z`` (d, ...) holds the standardised values of the ``numbers``.
        """
        chosen, found = dict(levels), np.full(self.shape, self.log_weight(levels))
        for k, (_, density) in self.walk(j, dict(zip(numbers, z, strict=True)), levels).items():
            if self.sources(k) or self.model.equations[k].response in chosen:
                found = found + density
        return found

    def log_weight(self, levels: Levels) -> float:
        """Return the logarithm of what a combination's density is multiplied with in the sum over combinations."""
        known = [(value, summed_values(self.model, name)) for name, value in levels]
        units = sum(float(np.log(self.model.coding(name).unit)) for name, _ in levels)  # densities are per unit
        return units + sum(weights[values.index(value)] for value, (values, weights) in known)

    def walk(self, j: int, numbers: dict[str, Array], levels: Levels) -> dict[int, tuple[Mask, Array]]:
        """Return which responses up to j are measured and predicted, and their log densities, 0 elsewhere.

        ``numbers`` are standardised. Equations before j that do not depend on what is not known are left out, and those
        that depend on more of it than ``numbers`` and ``levels`` say: j does not depend on it then.
        """
        model, chosen = self.model, dict(levels)
        given = {*numbers, *chosen}
        values = {c.name: numbers[c.name] for c in model.confounders if c.name in numbers}
        found: dict[int, tuple[Mask, Array]] = {}
        for k, equation in enumerate(model.equations[: j + 1]):
            response = equation.response
            inside, counts = response in numbers or response in chosen, self.counts(k) or response in chosen
            if k < j and not (inside or (counts and self.sources(k))):
                continue
            if k < j and not self.sources(k) <= given:
                continue
            row = self.row(k, levels)
            eta, zeta = row.own.eta, row.own.zeta
            for name, (slope, zero_slope) in row.slopes.items():
                eta, zeta = eta + slope * values[name], zeta + zero_slope * values[name]
            if response in numbers:
                values[response] = row.number(eta, numbers[response])
            if k < j and not ((counts and self.sources(k)) or response in chosen):
                continue
            y = np.full(len(row.y), chosen[response]) if response in chosen else row.y
            known = np.isfinite(eta) & np.isfinite(zeta) & ~np.isnan(y)
            found[k] = known, replace(row.own, eta=eta, zeta=zeta).log_density(y, known)
        return found

    def row(self, k: int, levels: Levels) -> _Row:
        """Return equation k at some levels of what is not known, computed once."""
        if (k, levels) not in self.rows:
            model, design = self.model, self.design
            fixed = {name: np.full(design.n, value) for name, value in levels}
            moving = [name for name in self.unknown if name in self.sources(k) and name not in fixed]
            fixed |= {name: np.zeros(design.n) for name in moving}
            own = predicted(model, design, k, self.at, fixed)
            slopes = {}
            for name in moving:
                at_one = predicted(model, design, k, self.at, {**fixed, name: np.ones(design.n)})
                slopes[name] = (at_one.eta - own.eta, at_one.zeta - own.zeta)
            self.rows[k, levels] = _Row(own, slopes, design.y[:, k])
        return self.rows[k, levels]
