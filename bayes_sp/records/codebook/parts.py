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
    """A variable and the column that it stands in."""

    # name, column: the variable, and the file's name for it; of a long file, the variable without its wave.
    name: str
    column: str
    # ``count`` (whole numbers from 0), ``ordered`` (whole numbers as of answers with an order), ``continuous``,
    # ``bounded`` (between two limits), ``binary`` (two values), ``category`` (without order; numbers or text); empty
    # where nothing is said.
    kind: str = ""
    # label, unit, wave: words for tables; the wave that it was asked in.
    label: str = ""
    unit: str = ""
    wave: str = ""
    # minimum, maximum: limits of its values.
    minimum: float | None = None
    maximum: float | None = None
    levels: tuple[Code, ...] = ()  # its values, where others are mistakes
    # Words for its values; a cell that holds the word is read as the value.
    labels: Mapping[float, str] = field(default_factory=dict)
    missing: Mapping[Code, str] = field(default_factory=dict)  # codes for missing values, with their meaning
    constant: bool = False  # of a long file: one value a person, the same in every wave


@dataclass(frozen=True)
class Derived:
    """A variable that is computed from others."""

    # name, label, unit: as of `Described`.
    name: str
    # ``mean`` or ``sum`` of items, ``difference`` (``later`` - ``earlier``), or ``ticks`` (how many items are ticked).
    rule: str
    # Names of variables, in the order of the scale where there is one; of a difference (later, earlier).
    items: tuple[str, ...]
    label: str = ""
    unit: str = ""
    # Items that are turned round: x enters as low + high - x, low and high the ends of the answers.
    reversed: tuple[str, ...] = ()
    answers: tuple[float, float] | None = None  # lowest and highest answer of an item
    # Least number of items that must be answered. A mean is that of the answered items; a sum is their mean times the
    # number of all items.
    answered: int = 0
    ticked: float = 1.0  # what stands in the cell of an item that is ticked
    empty_is_unticked: bool = False  # whether an empty cell is an item that was not ticked
    scale: str = ""  # the shipped scale whose rule it is, '' where it has its own


@dataclass(frozen=True)
class Waves:
    """How a long file says which wave a row belongs to: a column, and a name for each of its values."""

    column: str
    names: Mapping[str, str]  # what stands in a cell -> the wave's name


@dataclass(frozen=True)
class Codebook:
    """What a file's columns mean."""

    source: str  # its file, for messages
    # variables, derived: those in the file, and those that are computed from them and from one another, in order.
    variables: tuple[Described, ...]
    derived: tuple[Derived, ...] = ()
    title: str = ""  # a line on the survey
    id: str = ""  # the column that names the person of each row, '' where there is none
    waves: Waves | None = None  # of a long file; None for one row a person
    # Codes for missing values of every column, with their meaning.
    missing: Mapping[Code, str] = field(default_factory=dict)

    def described(self, name: str) -> Described | None:
        """Return what is said of a variable of the table that reading gives, None where nothing is."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def computed(self, name: str) -> Derived | None:
        """Return how a variable is computed, None where it is not."""
        return next((derived for derived in self.derived if derived.name == name), None)
