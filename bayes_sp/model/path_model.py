"""A path model as data: an ordered chain of equations exposure -> mediators -> outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from bayes_sp.model.distributions import DEFAULT_CORRELATION, Prior
from bayes_sp.model.exposures import Compared, Exposure, Move
from bayes_sp.model.families.base import Family, Kind
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import (
    Arrows,
    Code,
    Coding,
    Covariate,
    Equation,
    OwnTexts,
    PracticalRegion,
    PublishedEffect,
    Unmeasured,
    Variable,
)  # fmt: skip
from bayes_sp.model.terms import Predictor, predictors_of
from bayes_sp.names import RESIDUAL_CORRELATION
from bayes_sp.shown import PATIENTS, Part, Shown

Missing = Literal["model", "complete"]
WHOLE_MODEL = ""
SIZES = ("standardised", "proportion_mediated")


@dataclass(frozen=True, repr=False)
class PathModel(Shown, Compared, Arrows, OwnTexts):
    """A specification: everything that fitting, effects and reports need to know beside the records.

    Attributes
    ----------
    name
        Short name (the file's stem), used for run folders.
    title, question, exposure, outcome
        One line; one paragraph on what the model is for; first and last variable of the chain.
    contrast
        Exposure values (u0, u1) that effects compare.
    variables
        Known facts by variable; variables not listed are real numbers without limits.
    covariates
        In every equation, in this order; last an exposure that is coded in columns (see ``exposures``).
    equations
        In the order of the chain; the last one's response is the outcome.
    priors
        (equation or '' for all, parameter or term, prior).
    moderators
        (covariate in a product, values at which effects are computed); a covariate that is not listed has each of its
        categories, or the 16th, 50th and 84th percentile of its values.
    exposures, joint
        Those whose effects are asked for, the chain's own first; (exposure, from, to) of those that move together. ()
        for one number with one contrast.
    contrasts
        (name, (effect, other effect)): effects that are compared with each other (`bayes_sp.model.named_effects`).
    practical, sizes
        Differences that do not matter, if any are stated; what else a run tells of sizes, some of `SIZES`.
    move
        The one that effects are computed for (see `moving`); None for a specification as it is fitted.
    published
        Values to print beside ours.
    assumptions
        Sentences on this design that are printed beside every effect, after the general ones.
    twin
        Name of the specification with normal likelihoods that the comparison sets beside this one; '' for one
        derived from this specification (same covariates, reference priors).
    unmeasured
        Confounders that nobody measured, of stated strength.
    missing_shift
        (response, delta): a missing value of the response follows the same equation as an observed one with delta added
        to its mean's linear predictor: points for an identity link, log rate for counts, log odds or probits for
        levels; a zero part is not shifted. Responses that are not listed are missing at random (pattern-mixture model
        with a delta adjustment; van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., section 9.2).
    missing
        ``model``: patients with missing cells stay, and the cells are unknowns of the model. ``complete``: only
        patients without missing cells are used.
    missing_codes
        What stands in cells where a value is missing, beside empty cells and NA, unless the variable has its own.
    id, people
        Column that names each record's person, '' for none; what one and what several of them are called.
    folder
        Where the file stands, so that a twin is looked up there first; never part of the specification's identity.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> sp.load_model("primary").chain
    ('group_change', 'belonging_t1', 'loneliness_t1', 'appointments_t1')
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
    moderators: tuple[tuple[str, tuple[float, ...]], ...] = ()
    exposures: tuple[Exposure, ...] = ()
    joint: tuple[tuple[str, float, float], ...] = ()
    contrasts: tuple[tuple[str, tuple[str, str]], ...] = ()
    practical: PracticalRegion | None = None
    sizes: tuple[str, ...] = ()
    move: Move | None = None
    published: tuple[PublishedEffect, ...] = ()
    assumptions: tuple[str, ...] = ()
    twin: str = ""
    unmeasured: tuple[Unmeasured, ...] = ()
    missing_shift: tuple[tuple[str, float], ...] = ()
    missing: Missing = "model"
    missing_codes: tuple[Code, ...] = ()
    id: str = ""
    people: tuple[str, str] = PATIENTS
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
        """Every column a survey must have: the chain, covariates, grouping columns, windows."""
        covariates = (covariate.name for covariate in self.covariates)
        return tuple(dict.fromkeys((*self.chain, *covariates, *self.grouping, *self.windows)))

    @property
    def confounders(self) -> tuple[Unmeasured, ...]:
        """The unmeasured confounders that act on anything; one whose strengths are all 0 is no part of the model."""
        return tuple(unmeasured for unmeasured in self.unmeasured if unmeasured.acts)

    @property
    def outcome_unit(self) -> str:
        """Unit of differences: the outcome's own, or what its mean is where none is given."""
        variable, family = self.variable(self.outcome), self.outcome_family
        what = "probability of " if family.response == "binary" else "mean level of " if family.ordered else ""
        return variable.unit or f"{what}{variable.label}"

    @property
    def covariate_terms(self) -> tuple[str, ...]:
        """Names of the covariates' design columns."""
        return tuple(term for covariate in self.covariates for term in covariate.terms)

    @property
    def outcome_family(self) -> Family:
        """Family of the last equation."""
        return FAMILIES[self.equations[-1].family]

    def _shown(self) -> tuple[str, list[Part]]:
        equations = [f"{e.response} ({e.family}): {', '.join(self.terms(e))}" for e in self.equations]
        chain = self.chain[0]  # with a comma between mediators side by side
        for before, equation in zip(self.chain, self.equations, strict=False):
            chain += f"{' -> ' if before in (self.chain[0], *equation.parents) else ', '}{equation.response}"
        return f"{self.name}. {self.title}. {chain}", [equations, f"{len(self.priors)} priors."]

    def variable(self, name: str) -> Variable:
        """Return what is known of a variable; where nothing is said, its place in the model says its kind."""
        return self._known_variables.get(name) or Variable(name, name, kind=self.kind(name))

    @cached_property
    def _known_variables(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def predictors_made(self) -> dict[str, tuple[Equation, tuple[Predictor, ...]]]:
        """What `bayes_sp.model.terms.predictors_of` has made of each response's equation."""
        return {}

    def column_of(self, name: str) -> str:
        """Return the name of the file's column in which a variable stands: its own, where nothing else is said."""
        return self.variable(name).column or name

    def texts_of(self, name: str) -> tuple[str, ...]:
        """Return the texts that stand in a variable's cells, numbered from 0 in this order; () for numbers."""
        covariate = next((c for c in self.covariates if c.name == name), None)
        return covariate.texts if covariate is not None and covariate.texts else self.variable(name).texts

    def words_of(self, name: str, value: float) -> str:
        """Return a value of a variable as it stands in a cell: a number, or the text that it numbers."""
        texts = self.texts_of(name)
        numbered = texts and value == round(value) and 0 <= value < len(texts)
        return texts[round(value)] if numbered else f"{value:g}"

    def missing_codes_of(self, name: str) -> tuple[Code, ...]:
        """Return what stands in a column's cells where a value is missing, beside empty cells and NA."""
        own = self.variable(name).missing_codes
        return self.missing_codes if own is None else own

    def kind(self, name: str) -> Kind:
        """Return the kind that a variable must have, or has where nothing is said."""
        for equation in self.equations:
            if equation.response == name and equation.family in FAMILIES:
                return FAMILIES[equation.family].response
        if name in self.chain:
            return "real"
        return "label" if name in self.grouping else "positive" if name in self.windows else "real"

    def coding(self, response: str) -> Coding:
        """Return how a response's family sees it: levels from 0, positions in (0, 1), or the value itself."""
        variable = self.variable(response)
        low, high = variable.minimum, variable.maximum
        family = FAMILIES.get(next((e.family for e in self.equations if e.response == response), ""))
        if family is not None and family.response == "binary":
            return Coding(low or 0.0, 1.0, 2)
        if family is None or low is None or high is None or not (family.ordered or family.bounded):
            return Coding()
        if family.ordered:
            return Coding(low, 1.0, round(high - low) + 1)
        return Coding(low - variable.step / 2, high - low + variable.step)

    def levels(self, name: str) -> tuple[float, ...]:
        """Return the values that a column can take where they are few enough to be summed over, else ()."""
        covariate = next((c for c in self.covariates if c.name == name), None)
        if covariate and covariate.levels:
            return covariate.levels
        variable, coding = self.variable(name), self.coding(name)
        low, high = variable.minimum, variable.maximum
        if coding.levels:
            return tuple(coding.origin + level for level in range(coding.levels))
        if name == self.exposure or name in self.windows or name in self.grouping:
            return ()
        if variable.kind == "binary":
            return (low or 0.0, (low or 0.0) + 1.0)
        if covariate is not None and variable.kind in ("integer", "count") and None not in (low, high):
            return (low, high) if high - low == 1 else ()  # type: ignore[operator, return-value] # neither is None
        return ()

    def covariates_of(self, equation: Equation) -> tuple[Covariate, ...]:
        """Return the covariates of an equation, in the model's order."""
        chosen = self.columns if equation.covariates is None else equation.covariates
        return tuple(c for c in self.covariates if c.name != self.exposure and c.name in chosen)

    def terms(self, equation: Equation) -> tuple[str, ...]:
        """Return the names of an equation's coefficients: intercept, parents, interactions, covariates.

        An ordered family has cutpoints in place of the intercept.
        """
        return predictors_of(self, equation)[0].names

    def zero_terms(self, equation: Equation) -> tuple[str, ...]:
        """Return the names of a zero part's coefficients, intercept first; () where there is no such part."""
        return next((predictor.names for predictor in predictors_of(self, equation)[1:]), ())

    def parameters(self, equation: Equation) -> tuple[str, ...]:
        """Return the names, as priors have them, of an equation's parameters beside its coefficients."""
        family = FAMILIES[equation.family]
        return (
            *family.parameters,
            *(("cutpoint",) if family.ordered else ()),
            *(("simplex",) if equation.monotonic else ()),
            *(("tau",) if equation.varying else ()),
            *((RESIDUAL_CORRELATION,) if self.correlated[-1:] == (equation.response,) else ()),
        )

    def prior(self, response: str, parameter: str) -> Prior | None:
        """Return the prior of a term or parameter of an equation, the most specific one that is given.

        The equation's own table comes first, then the whole model's, because links differ between equations. In
        each, a coefficient's prior is the term's own, else its covariate's, else ``covariate`` (for covariates) or
        ``interaction`` (for interactions), else ``slope``. A coefficient of a zero part is asked for as
        ``zero_<term>``: its own, else ``zero_<covariate>``, else ``zero_slope``.
        """
        if place := self.prior_place(response, parameter):
            return {(where, key): prior for where, key, prior in self.priors}[place]
        return DEFAULT_CORRELATION if parameter == RESIDUAL_CORRELATION else None

    def prior_place(self, response: str, parameter: str) -> tuple[str, str] | None:
        """Return where the prior of a term or parameter of an equation stands: (equation or '' for all, name)."""
        given = {(where, key) for where, key, _ in self.priors}
        places = ((where, name) for where in (response, WHOLE_MODEL) for name in self.prior_names(parameter))
        return next((place for place in places if place in given), None)

    def prior_names(self, parameter: str) -> tuple[str, ...]:
        """Return the names under which a parameter's prior can stand, the most special first."""
        return self._names_of_priors.get(parameter, (parameter,))

    @cached_property
    def _names_of_priors(self) -> dict[str, tuple[str, ...]]:
        return {
            predictor.asked(term): predictor.prior_names(term)
            for equation in self.equations
            for predictor in predictors_of(self, equation)
            for term in predictor.terms
        }
