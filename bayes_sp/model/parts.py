"""What a path model is made of: variables, covariates, equations, published values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.base import Kind
from bayes_sp.model.families.registry import FAMILIES, family_name

Transform = Literal["identity", "log1p"]
type Code = float | str  # stands in a cell where a value is missing


@dataclass(frozen=True)
class Variable:
    """What is known of a variable before any record is seen."""

    name: str  # its name in the specification, in results and in the records
    # label, unit: words for tables and figures; ``unit`` of the outcome is the unit of effects.
    label: str
    unit: str = ""
    # ``real``, ``integer``, ``count`` (a non-negative integer), ``positive``, ``binary`` (two neighbouring whole
    # numbers, 0 and 1 unless ``minimum`` says otherwise) or ``label`` (a group's name or number).
    kind: Kind = "real"
    # minimum, maximum: ends of the scale, inclusive; ``None`` where there is none.
    minimum: float | None = None
    maximum: float | None = None
    # Constant subtracted where the variable is a parent, so that the intercept's prior speaks of a typical patient. It
    # changes no slope and no effect.
    center: float = 0.0
    # Distance between neighbouring values of a bounded scale, 0 where it is continuous: 0.125 for a mean of eight
    # items.
    step: float = 0.0
    # What stands in this column's cells where a value is missing; ``None`` for the model's own.
    missing_codes: tuple[Code, ...] | None = None
    column: str = ""  # name of its column in files and data frames; '' where that is ``name``
    # Texts that stand in its cells, numbered from 0 in this order; () where its cells hold numbers.
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coding:
    """How a family sees a response: value = ``origin`` + ``unit`` * coded.

    ``levels`` is the number of levels, coded 0 to ``levels`` - 1, of an ordered or binary response, else 0.
    """

    origin: float = 0.0
    unit: float = 1.0
    levels: int = 0

    def coded(self, values: Any) -> Any:  # noqa: ANN401 - an array or a number
        """Return values as the family sees them: positions in the unit, or the numbers of levels."""
        coded = (values - self.origin) / self.unit
        return coded.round() if self.levels else coded

    def value(self, coded: Any) -> Any:  # noqa: ANN401 - an array or a tensor
        """Return what the family sees on the response's own scale."""
        return self.origin + self.unit * coded


@dataclass(frozen=True)
class Covariate:
    """A covariate with its fixed transform ``(f(value) - center) / scale``, or a column for each level but one.

    ``texts`` are what stands in the cells of one whose levels are texts, numbered from 0 in ``levels``. The columns of
    an exposure are plain ``indicators`` of its levels, those of other covariates less 1 / number of levels.
    """

    name: str
    transform: Transform = "identity"
    center: float = 0.0
    scale: float = 1.0
    levels: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    indicators: bool = False

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels: their texts, or numbers."""
        return self.texts or tuple(f"{level:g}" for level in self.levels)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the design columns: the covariate's own, or ``name[level]``."""
        return tuple(f"{self.name}[{level}]" for level in self.level_names[1:]) if self.levels else (self.name,)


@dataclass(frozen=True)
class Equation:
    """One likelihood term: a response, its family and what its linear predictor is made of."""

    # response, family, parents: the variable, the name of its likelihood (a synonym is replaced by the family's own
    # name), and earlier variables of the chain on the right-hand side.
    response: str
    family: str
    parents: tuple[str, ...]
    # Names of the covariates in this equation; ``None`` for all of the model's.
    covariates: tuple[str, ...] | None = None
    # Mediators whose slope in this equation depends on the exposure: a term ``exposure:mediator`` each.
    interactions: tuple[str, ...] = ()
    # Parents with ordered levels whose steps have shares of their own, all in one direction.
    monotonic: tuple[str, ...] = ()
    varying: str = ""  # grouping column whose groups have intercepts of their own; '' for none
    # offset, offset_reference: column of observation windows: log(window / reference) is added to the linear predictor;
    # '' for none.
    offset: str = ""
    offset_reference: float = 1.0
    # Parents and covariates in the zero part, beside its intercept; ``None`` for all of the equation's.
    zero: tuple[str, ...] | None = None
    # reliability, observed_sd: of a response measured with error, whose SD is observed_sd * sqrt(1 - reliability); an
    # ``observed_sd`` of ``None`` is the SD of the column.
    reliability: float | None = None
    observed_sd: float | None = None
    # Variables of this equation whose product has a coefficient: a covariate with the exposure or a mediator, the
    # exposure with a mediator, two mediators; two covariates with the exposure or a mediator, beside the products of
    # each two of these three. A term ``first:second`` each, or one for each level of a covariate but the first.
    products: tuple[tuple[str, ...], ...] = ()
    log1p: tuple[str, ...] = ()  # count mediators among the parents that enter as log(1 + value)
    # Earlier mediators whose errors may go with this one's; ``None`` for those where the model has an account
    # (`PathModel.correlated`), () for none.
    residual_correlations: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", family_name(self.family))

    @property
    def zero_part(self) -> bool:
        """Whether the family has a second linear predictor, of the probability of a zero of its own kind."""
        return self.family in FAMILIES and bool(FAMILIES[self.family].zero_part)


@dataclass(frozen=True)
class Unmeasured:
    """A confounder that nobody measured: U ~ N(0, 1) for each patient, independent of exposure and covariates."""

    name: str  # its name; no column of the survey
    # (response, what one SD of U adds to the linear predictor of that response's mean): a number that is taken as
    # known, or a prior.
    strengths: tuple[tuple[str, float | Prior], ...]

    @property
    def acts(self) -> bool:
        """Whether any strength is other than a known 0."""
        return any(isinstance(strength, Prior) or strength != 0.0 for _, strength in self.strengths)

    @property
    def estimated(self) -> tuple[tuple[str, Prior], ...]:
        """The strengths that are parameters, with their priors."""
        return tuple((response, s) for response, s in self.strengths if isinstance(s, Prior))


@dataclass(frozen=True)
class PracticalRegion:
    """Differences in the outcome's unit that do not matter, around 0, and why."""

    lower: float
    upper: float
    why: str


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


class Arrows:
    """What follows from the equations of a path model, which is one of these."""

    equations: tuple[Equation, ...]
    unmeasured: tuple[Unmeasured, ...]

    @property
    def correlated(self) -> tuple[str, ...]:
        """The mediators where their errors may correlate: two or more, all normal, no arrow between them; or ()."""
        mediators = self.equations[:-1]
        names = [equation.response for equation in mediators]
        parallel = all(e.family == "normal" and not set(names) & set(e.parents) for e in mediators)
        asked = all(
            e.residual_correlations is None or set(e.residual_correlations) == set(names[:i])
            for i, e in enumerate(mediators)
        )
        if len(names) < 2 or not parallel or not asked or any(one.acts for one in self.unmeasured):
            return ()
        return tuple(names)

    @property
    def correlated_pairs(self) -> tuple[str, ...]:
        """Names of the correlations between errors, ``first ~ second``: each mediator's with all before it, in turn."""
        names = self.correlated
        return tuple(f"{first} ~ {second}" for i, second in enumerate(names) for first in names[:i])

    @property
    def grouping(self) -> tuple[str, ...]:
        """Columns whose groups have intercepts of their own."""
        return tuple(dict.fromkeys(equation.varying for equation in self.equations if equation.varying))

    @property
    def windows(self) -> tuple[str, ...]:
        """Columns of observation windows."""
        return tuple(dict.fromkeys(equation.offset for equation in self.equations if equation.offset))


class OwnTexts:
    """The texts of a path model, which is one of these."""

    name: str
    title: str
    question: str
    people: tuple[str, str]
    variables: tuple[Variable, ...]
    assumptions: tuple[str, ...]
    published: tuple[PublishedEffect, ...]
    priors: tuple[tuple[str, str, Prior], ...]

    @property
    def own_texts(self) -> dict[str, str]:
        """Every text that a user wrote into a specification, by its key."""
        texts = {"name": self.name, "title": self.title, "question": self.question}
        texts |= {f"people[{i}]": text for i, text in enumerate(self.people, start=1)}
        for variable in self.variables:
            texts |= {f"variables.{variable.name}.{key}": getattr(variable, key) for key in ("label", "unit")}
            texts |= {f"variables.{variable.name}.texts[{i}]": text for i, text in enumerate(variable.texts, start=1)}
        texts |= {f"assumptions[{i}]": text for i, text in enumerate(self.assumptions, start=1)}
        texts |= {f"published[{i}].source": effect.source for i, effect in enumerate(self.published, start=1)}
        return texts | {f"priors.{where}.{name}": prior.why for where, name, prior in self.priors}
