"""What a codebook is made of: variables, waves, derived variables. Data, never evaluated as code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from bayes_sp.model.parts import Code

Kind = Literal["count", "ordered", "continuous", "bounded", "binary", "category"]
Rule = Literal["mean", "sum", "difference", "ticks"]
KINDS: tuple[str, ...] = get_args(Kind)
RULES: tuple[str, ...] = get_args(Rule)
WHOLE = ("count", "ordered", "binary")  # kinds whose values are whole numbers


@dataclass(frozen=True)
class Described:
    """A variable and the column that it stands in.

    Attributes
    ----------
    name, column
        The variable, and the file's name for it; of a long file, the variable without its wave.
    kind
        ``count`` (whole numbers from 0), ``ordered`` (whole numbers as of answers with an order), ``continuous``,
        ``bounded`` (between two limits), ``binary`` (two values), ``category`` (without order; numbers or text); empty
        where nothing is said.
    label, unit, wave
        Words for tables; the wave that it was asked in.
    minimum, maximum
        Limits of its values.
    levels
        Its values, where others are mistakes.
    labels
        Words for its values; a cell that holds the word is read as the value.
    missing
        Codes for missing values, with their meaning.
    constant
        Of a long file: one value a person, the same in every wave.
    """

    name: str
    column: str
    kind: str = ""
    label: str = ""
    unit: str = ""
    wave: str = ""
    minimum: float | None = None
    maximum: float | None = None
    levels: tuple[Code, ...] = ()
    labels: Mapping[float, str] = field(default_factory=dict)
    missing: Mapping[Code, str] = field(default_factory=dict)
    constant: bool = False


@dataclass(frozen=True)
class Derived:
    """A variable that is computed from others.

    Attributes
    ----------
    name, label, unit
        As of `Described`.
    rule
        ``mean`` or ``sum`` of items, ``difference`` (``later`` - ``earlier``), or ``ticks`` (how many items are
        ticked).
    items
        Names of variables, in the order of the scale where there is one; of a difference (later, earlier).
    reversed
        Items that are turned round: x enters as low + high - x, low and high the ends of the answers.
    answers
        Lowest and highest answer of an item.
    answered
        Least number of items that must be answered. A mean is that of the answered items; a sum is their mean times the
        number of all items.
    ticked
        What stands in the cell of an item that is ticked.
    empty_is_unticked
        Whether an empty cell is an item that was not ticked.
    scale
        The shipped scale whose rule it is, '' where it has its own.
    """

    name: str
    rule: str
    items: tuple[str, ...]
    label: str = ""
    unit: str = ""
    reversed: tuple[str, ...] = ()
    answers: tuple[float, float] | None = None
    answered: int = 0
    ticked: float = 1.0
    empty_is_unticked: bool = False
    scale: str = ""


@dataclass(frozen=True)
class Waves:
    """How a long file says which wave a row belongs to: a column, and a name for each of its values."""

    column: str
    names: Mapping[str, str]  # what stands in a cell -> the wave's name


@dataclass(frozen=True)
class Codebook:
    """What a file's columns mean.

    Attributes
    ----------
    source
        Its file, for messages.
    variables, derived
        Those in the file, and those that are computed from them and from one another, in order.
    title
        A line on the survey.
    id
        The column that names the person of each row, '' where there is none.
    waves
        Of a long file; None for one row a person.
    missing
        Codes for missing values of every column, with their meaning.
    """

    source: str
    variables: tuple[Described, ...]
    derived: tuple[Derived, ...] = ()
    title: str = ""
    id: str = ""
    waves: Waves | None = None
    missing: Mapping[Code, str] = field(default_factory=dict)

    def described(self, name: str) -> Described | None:
        """Return what is said of a variable of the table that reading gives, None where nothing is."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def computed(self, name: str) -> Derived | None:
        """Return how a variable is computed, None where it is not."""
        return next((derived for derived in self.derived if derived.name == name), None)
