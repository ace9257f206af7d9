"""A printed figure as an exact interval: every number that the printed one can have been before it was rounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

_NUMBER = re.compile(r"(?P<sign>[<>≤≥]?)\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+))", re.ASCII)
_LONGEST = 30  # figures, which is far beyond what any article prints


@dataclass(frozen=True)
class Figure:
    """A number as printed, with the interval that it stands for.

    Both ends of the interval belong to it, so that it holds for half up, half down and half to even.

    Attributes
    ----------
    text
        The figure as printed: ``"-0.40"``, ``".05"`` or, where only a bound is printed, ``"<0.001"``. A minus sign of
        any kind is taken.
    whole
        Whether it is a count, which nobody has rounded.

    Raises
    ------
    ValueError
        If the text is no such number.
    """

    text: str
    whole: bool = False

    def __post_init__(self) -> None:
        plain = self.text.strip().replace("\u2212", "-").replace("\u2013", "-")
        if len(plain) > _LONGEST or not _NUMBER.fullmatch(plain):
            raise ValueError(f'must be a number as it is printed, such as "0.09" or "<0.001", found {self.text!r}')
        object.__setattr__(self, "text", plain)

    @cached_property
    def sign(self) -> str:
        """``"<"``, ``">"`` or their forms with equality where only a bound is printed; else ``""``."""
        found = _NUMBER.fullmatch(self.text)
        return found["sign"] if found else ""

    @cached_property
    def exact(self) -> Fraction:
        """The number itself, or the bound."""
        found = _NUMBER.fullmatch(self.text)
        return Fraction(found["number"] if found else "0")

    @cached_property
    def value(self) -> float:
        """The number itself, or the bound."""
        return float(self.exact)

    @cached_property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return len(self.text.partition(".")[2])

    @cached_property
    def half_unit(self) -> Fraction:
        """Half of the last printed digit; 0 for a count or a bound, which are not rounded."""
        return Fraction(0) if self.sign or self.whole else Fraction(1, 2 * 10**self.decimals)

    @property
    def exact_low(self) -> Fraction | None:
        """Lowest number that rounds to the printed one; None for minus infinity."""
        return None if self.sign in ("<", "≤") else self.exact - self.half_unit

    @property
    def exact_high(self) -> Fraction | None:
        """Highest number that rounds to the printed one; None for infinity."""
        return None if self.sign in (">", "≥") else self.exact + self.half_unit

    @cached_property
    def low(self) -> float:
        """Lowest number that rounds to the printed one."""
        return float("-inf") if self.exact_low is None else float(self.exact_low)

    @cached_property
    def high(self) -> float:
        """Highest number that rounds to the printed one."""
        return float("inf") if self.exact_high is None else float(self.exact_high)

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest number that rounds to the printed one."""
        return self.low, self.high

    def __str__(self) -> str:
        return self.text
