"""The kinds of number an article prints: each keeps its printed decimals and its place in the article."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Printed:
    """A number as printed: the text carries the precision that a float loses."""

    text: str  # the printed figure with a hyphen for the minus sign, such as ``"-0.001"`` or ``"2.10"``

    def __post_init__(self) -> None:
        float(self.text)

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return len(self.text.partition(".")[2])

    @property
    def half_unit(self) -> float:
        """Half of the last printed digit: the most that rounding can have moved the number."""
        return 0.5 * 10.0**-self.decimals

    @property
    def lower(self) -> float:
        """Lowest number that rounds to the printed one."""
        return self.value - self.half_unit

    @property
    def upper(self) -> float:
        """Highest number that rounds to the printed one."""
        return self.value + self.half_unit

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Citation:
    """Where the numbers come from, and under which licence."""

    authors: tuple[str, ...]
    title: str
    journal: str
    year: int
    volume: str
    issue: str
    article: str
    published: str
    doi: str
    licence: str
    licence_url: str

    def __str__(self) -> str:
        return (
            f"{', '.join(self.authors)} ({self.year}). {self.title}. {self.journal}, {self.volume}({self.issue}): "
            f"{self.article}. https://doi.org/{self.doi} ({self.licence})"
        )


@dataclass(frozen=True)
class Sample:
    """Patients at one step of the sample's flow; ages in years."""

    name: str
    label: str
    n: int
    male: int
    female: int
    unknown: int
    age_mean: Printed
    age_sd: Printed
    place: str


@dataclass(frozen=True)
class Abstract:
    """What the abstract says of the sample."""

    participants: int
    follow_up_months: int
    place: str


@dataclass(frozen=True)
class Timing:
    """Months between the surveys, months that the appointments cover, and when patients were recruited."""

    follow_up_months: int
    window_months: int
    recruitment_months: int
    recruitment_start: str = field(metadata={"number": True})
    recruitment_end: str = field(metadata={"number": True})
    place: str


@dataclass(frozen=True)
class GroupsList:
    """The kinds of group that patients could tick: the number stated, and those listed (in neutral words)."""

    stated: int
    listed: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class Scale:
    """A measure's range, the step between possible scores, and its number of items."""

    variable: str
    minimum: Printed
    maximum: Printed
    step: Printed
    items: int
    place: str


@dataclass(frozen=True)
class Variable:
    """A row of Table 2; what the table does not print for a variable is None."""

    name: str
    label: str
    place: str
    mean: Printed | None = None
    sd: Printed | None = None
    minimum: Printed | None = None
    maximum: Printed | None = None
    alpha: Printed | None = None

    @property
    def moments(self) -> tuple[Printed, Printed]:
        """Mean and SD; LookupError where Table 2 prints none."""
        if self.mean is None or self.sd is None:
            raise LookupError(f"{self.place} prints no mean and SD of {self.name}")
        return self.mean, self.sd


@dataclass(frozen=True)
class Correlation:
    """A correlation of Table 2 with its significance mark (``""``, ``"†"``, ``"*"``, ``"**"`` or ``"***"``)."""

    row: str
    column: str
    r: Printed
    mark: str
    place: str


@dataclass(frozen=True)
class AppointmentTotals:
    """Appointments of all patients together in the three months before each survey."""

    total_t0: int
    total_t1: int
    reduction: int
    reduction_percent: Printed
    place: str


@dataclass(frozen=True)
class Anova:
    """A repeated-measures F test of T0 against T1, with the means and SDs printed beside it."""

    variable: str
    df1: int
    df2: int
    f: Printed
    p: Printed
    mean_t0: Printed
    sd_t0: Printed
    mean_t1: Printed
    sd_t1: Printed
    place: str
    partial_eta_squared: Printed | None = None


@dataclass(frozen=True)
class TTest:
    """A t test of the patients who answered at T1 against those who did not."""

    variable: str
    df: int
    t: Printed
    p: Printed
    mean_responders: Printed
    sd_responders: Printed
    mean_nonresponders: Printed
    sd_nonresponders: Printed
    place: str


@dataclass(frozen=True)
class Power:
    """The sample-size calculation."""

    design: str
    partial_eta_squared: Printed
    power: Printed
    minimum_n: int
    place: str


@dataclass(frozen=True)
class BootstrapSettings:
    """How the published intervals of indirect effects were made."""

    samples: int
    method: str
    ci_prob: Printed
    software: str
    software_version: str = field(metadata={"number": True})
    model: int
    place: str


@dataclass(frozen=True)
class Covariates:
    """Covariates of the published regressions, and those of them that Table 2 does not hold."""

    names: tuple[str, ...]
    missing_from_table2: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class Coefficient:
    """A least-squares coefficient with its 95 % interval, in units of the response per unit of the term."""

    response: str
    term: str
    estimate: Printed
    se: Printed
    t: Printed
    p: Printed
    lower: Printed
    upper: Printed
    place: str


@dataclass(frozen=True)
class Effect:
    """An effect of the exposure on the outcome, in appointments per additional group, with its 95 % interval."""

    path: str  # variables of the path joined by ``" -> "``, or ``"total"``
    model: int  # number of the PROCESS model: 6 (two mediators in series) or 4 (loneliness alone)
    printed: str = field(metadata={"number": True})  # the figure exactly as printed, misprints included
    # Every number that the printed figure can stand for; more than one where it is misprinted.
    readings: tuple[Printed, ...]
    se: Printed
    lower: Printed
    upper: Printed
    interval: str  # ``"bootstrap"`` (percentile; ``se`` is then the bootstrap's) or ``"t"``
    place: str
    t: Printed | None = None
    p: Printed | None = None

    @property
    def estimate(self) -> Printed | None:
        """The number, or None where the printed figure has more than one reading."""
        return self.readings[0] if len(self.readings) == 1 else None
