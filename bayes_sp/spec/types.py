"""A path model as data: an ordered chain of equations exposure -> mediators -> outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bayes_sp.families.base import Family, Kind
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.priors import Prior

Transform = Literal["identity", "log1p"]
WHOLE_MODEL = ""


@dataclass(frozen=True)
class Variable:
    """What is known of a variable before any record is seen.

    Attributes
    ----------
    name
        Column in the survey.
    label, unit
        Words for tables and figures; ``unit`` of the outcome is the unit of effects.
    kind
        ``real``, ``integer`` or ``count`` (a non-negative integer).
    minimum, maximum
        Ends of the scale, inclusive; ``None`` where there is none.
    center
        Constant subtracted where the variable is a parent, so that the intercept's prior speaks of a
        typical patient. It changes no slope and no effect.
    """

    name: str
    label: str
    unit: str = ""
    kind: Kind = "real"
    minimum: float | None = None
    maximum: float | None = None
    center: float = 0.0


@dataclass(frozen=True)
class Covariate:
    """A covariate with its fixed transform ``(f(value) - center) / scale``, or a column for each level but one."""

    name: str
    transform: Transform = "identity"
    center: float = 0.0
    scale: float = 1.0
    levels: tuple[float, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the design columns: the covariate's own, or ``name[level]``."""
        return tuple(f"{self.name}[{level:g}]" for level in self.levels[1:]) if self.levels else (self.name,)


@dataclass(frozen=True)
class Equation:
    """One likelihood term: a response, its family and its parents (earlier variables of the chain)."""

    response: str
    family: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class PublishedEffect:
    """A value that a publication reports for a path, for printing beside ours.

    ``estimate`` holds every reading of the printed number: more than one where it is misprinted.
    """

    path: str
    estimate: tuple[float, ...]
    lower: float | None
    upper: float | None
    source: str


@dataclass(frozen=True)
class PathModel:
    """A specification: everything that fitting, effects and reports need to know beside the records.

    Attributes
    ----------
    name
        Short name (the file's stem), used for run folders.
    title, question
        One line, and one paragraph on what the model is for.
    exposure, outcome
        First and last variable of the chain.
    contrast
        Exposure values (u0, u1) that effects compare.
    variables
        Known facts by variable; variables not listed are real numbers without limits.
    covariates
        In every equation, in this order.
    equations
        In the order of the chain; the last one's response is the outcome.
    priors
        (equation or '' for all, parameter or term, prior).
    published
        Values to print beside ours.
    assumptions
        Sentences on this design that are printed beside every effect, after the general ones.
    twin
        Name of the specification with normal likelihoods that the comparison sets beside this one; '' for one
        derived from this specification (same covariates, reference priors).
    folder
        Where the file stands, so that a twin is looked up there first; never part of the specification's identity.
    """

    name: str
    title: str
    exposure: str
    outcome: str
    equations: tuple[Equation, ...]
    priors: tuple[tuple[str, str, Prior], ...]
    question: str = ""
    contrast: tuple[float, float] = (0.0, 1.0)
    variables: tuple[Variable, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    published: tuple[PublishedEffect, ...] = ()
    assumptions: tuple[str, ...] = ()
    twin: str = ""
    folder: str = field(default="", compare=False)

    @property
    def mediators(self) -> tuple[str, ...]:
        """Responses of all equations but the last, in the order of the chain."""
        return tuple(equation.response for equation in self.equations[:-1])

    @property
    def chain(self) -> tuple[str, ...]:
        """Exposure, mediators, outcome."""
        return (self.exposure, *self.mediators, self.outcome)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a survey must have: the chain, then covariates not in it."""
        return (*self.chain, *(c.name for c in self.covariates if c.name not in self.chain))

    @property
    def covariate_terms(self) -> tuple[str, ...]:
        """Names of the covariates' design columns."""
        return tuple(term for covariate in self.covariates for term in covariate.terms)

    @property
    def outcome_family(self) -> Family:
        """Family of the last equation."""
        return FAMILIES[self.equations[-1].family]

    def named_paths(self) -> tuple[tuple[str, ...], ...]:
        """Return every directed path from the exposure to the outcome as variables: direct first, then by length."""
        parents = {equation.response: equation.parents for equation in self.equations}
        ending: dict[str, list[tuple[str, ...]]] = {self.exposure: [(self.exposure,)]}
        for equation in self.equations:
            response = equation.response
            ending[response] = [(*path, response) for parent in parents[response] for path in ending.get(parent, [])]
        position = {name: i for i, name in enumerate(self.chain)}
        return tuple(sorted(ending[self.outcome], key=lambda path: (len(path), [position[v] for v in path])))

    def variable(self, name: str) -> Variable:
        """Return what is known of a variable; a response's family adds that it is a count."""
        known = {variable.name: variable for variable in self.variables}
        family = next((FAMILIES[e.family] for e in self.equations if e.response == name), None)
        kind: Kind = "count" if family is not None and family.response == "count" else "real"
        return known.get(name, Variable(name, name, kind=kind))

    def terms(self, equation: Equation) -> tuple[str, ...]:
        """Return the names of an equation's coefficients: intercept, parents, covariates."""
        return ("intercept", *equation.parents, *self.covariate_terms)

    def prior(self, response: str, parameter: str) -> Prior | None:
        """Return the prior of a term or parameter of an equation, the most specific one that is given.

        The equation's own table comes first, then the whole model's, because links differ between equations. In
        each, a coefficient's prior is the term's own, else its covariate's, else ``covariate`` (for covariates), else
        ``slope``.
        """
        given = {(where, key): prior for where, key, prior in self.priors}
        names = [parameter]
        if parameter in self.covariate_terms:
            names += [parameter.partition("[")[0], "covariate", "slope"]
        elif parameter in self.chain:
            names += ["slope"]
        for where in (response, WHOLE_MODEL):
            for name in names:
                if (where, name) in given:
                    return given[where, name]
        return None
