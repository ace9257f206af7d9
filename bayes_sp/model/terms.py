"""What an equation is made of: a predictor is a sum of terms, a term a product of factors, each a coded variable."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product as combinations
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bayes_sp.exports import np
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Coding, Covariate, Equation, Unmeasured, Variable

if TYPE_CHECKING:
    from bayes_sp.arrays import Array

ZERO = "zero_"  # begins the names of priors of a zero part
INTERCEPT = "intercept"

Role = Literal["intercept", "parent", "interaction", "covariate", "confounder"]


class Chain(Protocol):
    """What is asked of a path model to make its terms."""

    @property
    def exposure(self) -> str:
        """First variable of the chain."""

    @property
    def coded_exposure(self) -> Covariate | None:
        """How the exposure is coded where it is no plain number."""

    @property
    def confounders(self) -> tuple[Unmeasured, ...]:
        """The unmeasured confounders that act on anything."""

    @property
    def predictors_made(self) -> dict[str, tuple[Equation, tuple[Predictor, ...]]]:
        """What `predictors_of` has made of each response's equation."""

    def covariates_of(self, equation: Equation) -> tuple[Covariate, ...]:
        """Return the covariates of an equation."""

    def variable(self, name: str) -> Variable:
        """Return what is known of a variable."""

    def coding(self, response: str) -> Coding:
        """Return how a response's family sees it."""


@dataclass(frozen=True)
class Number:
    """A value as a number: ``(f(value) - center) / scale``, f the identity or log(1 + value)."""

    center: float = 0.0
    scale: float = 1.0
    log1p: bool = False

    def column(self, value: Any) -> Any:  # noqa: ANN401 - an array, or a tensor where the value is not known
        """Return the coded value."""
        raw = np.log1p(value) if self.log1p else value
        moved = raw - self.center if self.center else raw
        return moved / self.scale if self.scale != 1.0 else moved


@dataclass(frozen=True)
class Level:
    """One level of a categorical variable: 1 at the level and 0 elsewhere, less 1 / ``count`` where that is not 0."""

    level: float
    count: int

    def column(self, value: Array) -> Array:
        """Return the coded value; NaN where it is missing."""
        centre = 1.0 / self.count if self.count else 0.0
        return np.asarray((value == self.level) - np.where(np.isnan(value), np.nan, centre))


@dataclass(frozen=True)
class Steps:
    """A monotonic effect: ``count`` * the sum of the shares of the steps up to the level, shares being parameters.

    Its column of numbers, which has no shares yet, is the number of the level from 0 (Bürkner & Charpentier 2020,
    doi:10.1111/bmsp.12195).
    """

    origin: float
    unit: float
    count: int
    shares: str

    def column(self, value: Array) -> Array:
        """Return the number of the level; NaN where it is missing."""
        return np.asarray(np.round((value - self.origin) / self.unit))


@dataclass(frozen=True)
class Factor:
    """A variable with a coding. Covariates are coded once, as a design is made, in the column of this name."""

    variable: str
    coding: Number | Level | Steps = Number()
    column: str = ""

    @property
    def key(self) -> str:
        """Name under which values hold it: its column's where it is coded already, else its variable's."""
        return self.column or self.variable

    def of(self, value: Any) -> Any:  # noqa: ANN401 - an array or a tensor
        """Return the factor for what values hold under its key."""
        return value if self.column else self.coding.column(value)


@dataclass(frozen=True)
class Term:
    """A product of factors, with a coefficient."""

    name: str  # of the coefficient, for people, priors and files; never taken apart
    factors: tuple[Factor, ...]  # None for the intercept
    role: Role  # what it is in its equation
    # The variables of a product as the specification writes it, under which its prior can stand; '' for others.
    product: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables of the factors."""
        return tuple(factor.variable for factor in self.factors)

    @property
    def steps(self) -> Steps | None:
        """The coding of a monotonic effect; None for a term whose column holds no parameters."""
        return next((f.coding for f in self.factors if isinstance(f.coding, Steps)), None)

    def without(self, variable: str) -> Term:
        """Return the term less its factors of a variable: what a unit of that variable is multiplied with."""
        return replace(self, factors=tuple(factor for factor in self.factors if factor.variable != variable))

    @property
    def prior_names(self) -> tuple[str, ...]:
        """Names under which the coefficient's prior can stand, the most special first."""
        if self.role == "covariate":
            return tuple(dict.fromkeys((self.name, *self.variables, "covariate", "slope")))
        general = {"parent": (*self.variables, "slope"), "interaction": ("interaction", "slope")}.get(self.role, ())
        return tuple(dict.fromkeys(name for name in (self.name, self.product, *general) if name))


@dataclass(frozen=True)
class Predictor:
    """A linear predictor: of an equation's mean, or of its zero part."""

    response: str  # of the equation
    terms: tuple[Term, ...]  # in the order of the coefficients
    zero: bool = False  # whether it is that of the zero part
    loadings: tuple[Term, ...] = ()  # unmeasured confounders in it, each with a strength for a coefficient

    @property
    def variable(self) -> str:
        """Posterior variable of the coefficients."""
        return f"{self.response}_zero" if self.zero else self.response

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return tuple(term.name for term in self.terms)

    def asked(self, term: Term) -> str:
        """Return a coefficient's name as its prior is asked for."""
        return f"{ZERO}{term.name}" if self.zero else term.name

    def prior_names(self, term: Term) -> tuple[str, ...]:
        """Return the names under which a coefficient's prior can stand, the most special first."""
        if not self.zero:
            return term.prior_names
        special = () if term.role == "intercept" else (*(ZERO + name for name in term.variables), f"{ZERO}slope")
        return tuple(dict.fromkeys((self.asked(term), *special)))


def covariate_terms(covariate: Covariate) -> tuple[Term, ...]:
    """Return a covariate's terms: one of a number, or one of each level but the first."""
    count = 0 if covariate.indicators else len(covariate.levels)
    codings: list[Number | Level] = [Level(level, count) for level in covariate.levels[1:]]
    if not covariate.levels:
        codings = [Number(covariate.center, covariate.scale, covariate.transform == "log1p")]
    return tuple(
        Term(name, (Factor(covariate.name, coding, name),), "covariate")
        for name, coding in zip(covariate.terms, codings, strict=True)
    )


def predictors_of(model: Chain, equation: Equation) -> tuple[Predictor, ...]:
    """Return an equation's predictors, the mean's first: the only place where the terms of a chain are made.

    Intercept (cutpoints stand in its place in an ordered family), parents less their fixed centres, products of two of
    these or of one with one or two covariates, covariates. The exposure stands in its own unit in a product; where it
    is coded in columns (`bayes_sp.model.exposures`) these are its terms. Parents of a zero part enter as numbers,
    monotonic ones too; it has no products. Made once for each equation of a model.
    """
    known = model.predictors_made.get(equation.response)
    if known is None or known[0] is not equation:
        known = model.predictors_made[equation.response] = equation, _predictors(model, equation)
    return known[1]


def _predictors(model: Chain, equation: Equation) -> tuple[Predictor, ...]:
    family, response = FAMILIES.get(equation.family), equation.response
    intercept = () if family is not None and family.ordered else (Term(INTERCEPT, (), "intercept"),)
    covariates = {c.name: covariate_terms(c) for c in model.covariates_of(equation)}
    coded = _coded_exposure(model)
    parents = (t for name in equation.parents for t in coded.get(name) or (_parent(model, equation, name),))
    known, products = covariates | coded, products_of(model, equation)
    interactions = (term for names in products for term in _product_terms(model, equation, names, known))
    own = (term for terms in covariates.values() for term in terms)
    mean = Predictor(response, (*intercept, *parents, *interactions, *own), loadings=_loadings(model, response))
    if not equation.zero_part:
        return (mean,)
    if equation.zero is not None:
        covariates = {c.name: covariate_terms(c) for c in model.covariates_of(replace(equation, covariates=None))}
    chosen = (*equation.parents, *covariates) if equation.zero is None else equation.zero
    named = [name for name in equation.parents if name in chosen]
    plain = (coded.get(n) or (Term(n, (_number(model, equation, n),), "parent"),) for n in named)
    numbers = (term for terms in plain for term in terms)
    others = (term for name, terms in covariates.items() if name in chosen for term in terms)
    return mean, Predictor(response, (Term(INTERCEPT, (), "intercept"), *numbers, *others), zero=True)


def _coded_exposure(model: Chain) -> dict[str, tuple[Term, ...]]:
    """Return the terms of an exposure that is coded in columns, by its name; nothing for a plain number."""
    coded = model.coded_exposure
    return {} if coded is None else {coded.name: tuple(replace(t, role="parent") for t in covariate_terms(coded))}


def products_of(model: Chain, equation: Equation) -> tuple[tuple[str, ...], ...]:
    """Return the variables of each product that stands in an equation, interactions with the exposure first."""
    return (*((model.exposure, name) for name in equation.interactions), *equation.products)


def product_text(names: Iterable[str]) -> str:
    """Return a product as a specification writes it."""
    return ":".join(names)


def _product_terms(
    model: Chain, equation: Equation, names: tuple[str, ...], covariates: Mapping[str, tuple[Term, ...]]
) -> Iterator[Term]:
    """Yield the terms of a product: one, or one for each level of a covariate but the first."""
    sides = []
    for name in names:
        if name in covariates:
            sides.append(covariates[name])
        else:
            factor = Factor(name) if name == model.exposure else _number(model, equation, name)
            sides.append((Term(name, (factor,), "parent"),))
    for chosen in combinations(*sides):
        factors = tuple(factor for term in chosen for factor in term.factors)
        yield Term(product_text(term.name for term in chosen), factors, "interaction", product_text(names))


def _number(model: Chain, equation: Equation, name: str) -> Factor:
    center = model.variable(name).center
    return Factor(name, Number(math.log1p(center), log1p=True) if name in equation.log1p else Number(center))


def _parent(model: Chain, equation: Equation, name: str) -> Term:
    if name not in equation.monotonic:
        return Term(name, (_number(model, equation, name),), "parent")
    coding = model.coding(name)
    steps = Steps(coding.origin, coding.unit, coding.levels - 1, f"{equation.response}_{name}_simplex")
    return Term(name, (Factor(name, steps),), "parent")


def _loadings(model: Chain, response: str) -> tuple[Term, ...]:
    """Return the terms of the unmeasured confounders that act on a response."""
    acting = (u.name for u in model.confounders for name, strength in u.strengths if name == response and strength)
    return tuple(Term(name, (Factor(name),), "confounder") for name in acting)
