"""A printed figure as an exact interval, and formulas of a study's arithmetic, evaluated on such intervals."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

type Interval = tuple[float, float]

_DEEPEST = 50
_INFINITE: Interval = (-math.inf, math.inf)


def formula_problem(formula: str, names: Sequence[str]) -> str:
    """Return what is wrong with a formula of these names; ``""`` where it can be evaluated."""
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"must be written with names, numbers, + - * / ** sqrt( ) and brackets, found {formula!r}"
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"sqrt"}
    if unknown := sorted(used - set(names)):
        return f"names what values do not hold: {', '.join(unknown)}"
    try:
        evaluate(formula, dict.fromkeys(names, (1.0, 1.0)))
    except ValueError as found:
        return str(found)
    return ""


def evaluate(formula: str, values: Mapping[str, Interval]) -> Interval:
    """Return an interval that holds every value of a formula whose names lie in intervals.

    The arithmetic of intervals: it never leaves out a value, and may hold more where a name stands more than once.

    Raises ValueError if the formula holds anything else.
    """
    return _value(ast.parse(formula, mode="eval").body, values, 0)


def _value(node: ast.expr, values: Mapping[str, Interval], depth: int) -> Interval:
    """Return the interval of one node."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deeply")
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value), float(node.value)
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        low, high = _value(node.operand, values, depth + 1)
        return (-high, -low) if isinstance(node.op, ast.USub) else (low, high)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "sqrt"
        and len(node.args) == 1
    ):
        low, high = _value(node.args[0], values, depth + 1)
        return math.sqrt(max(low, 0.0)), math.sqrt(high) if high >= 0 else math.inf
    if isinstance(node, ast.BinOp):
        return _binary(node, values, depth)
    raise ValueError("may hold names, numbers, + - * / ** sqrt( ) and brackets only")


def _binary(node: ast.BinOp, values: Mapping[str, Interval], depth: int) -> Interval:
    """Return the interval of two operands."""
    a = _value(node.left, values, depth + 1)
    if isinstance(node.op, ast.Pow):
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        if not isinstance(power, int) or power not in (2, 3, 4):
            raise ValueError("takes the powers 2, 3 and 4 only")
        ends = sorted(end**power for end in a)
        return (0.0 if power % 2 == 0 and a[0] <= 0 <= a[1] else ends[0]), ends[1]
    b = _value(node.right, values, depth + 1)
    if isinstance(node.op, ast.Add):
        return a[0] + b[0], a[1] + b[1]
    if isinstance(node.op, ast.Sub):
        return a[0] - b[1], a[1] - b[0]
    if isinstance(node.op, ast.Mult):
        return product(a, b)
    if isinstance(node.op, ast.Div):
        return _INFINITE if b[0] <= 0 <= b[1] else product(a, (1 / b[1], 1 / b[0]))
    raise ValueError("may hold + - * / and ** only")


def product(*factors: Interval) -> Interval:
    """Return the exact interval of a product whose factors lie in intervals: its ends are products of ends."""
    low, high = 1.0, 1.0
    for a, b in factors:
        ends = [low * a, low * b, high * a, high * b]
        low, high = min(ends), max(ends)
    return low, high


_NUMBER = re.compile(r"(?P<sign>[<>≤≥]?)\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+))", re.ASCII)
_LONGEST = 30  # figures, which is far beyond what any article prints


@dataclass(frozen=True)
class Figure:
    """A number as printed, with the interval that it stands for; ValueError for a text that is no such number.

    Both ends of the interval belong to it, so that it holds for half up, half down and half to even.
    """

    text: str  # ``"-0.40"``, ``".05"`` or, of a bound, ``"<0.001"``; a minus sign of any kind is taken
    whole: bool = False  # whether it is a count, which nobody has rounded

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
