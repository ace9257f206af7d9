r"""What effects compare where one number does not say it: levels of a category, one exposure of several, some together.

The exposures of such a specification enter as coded columns, as covariates do, and an effect is that of a `Move`: the
variables named in it go from one value to another, and every other exposure stays as it was observed. In a linear
predictor the columns c of what moves add

.. math:: \beta' c(\text{from}) + u \, \beta' (c(\text{to}) - c(\text{from})), \qquad u \in \{0, 1\},

so that every formula for a number u holds for a vector of indicators, and for several exposures at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Self

from bayes_sp.errors import SpecificationError, nearest
from bayes_sp.model.parts import Covariate, Equation
from bayes_sp.model.terms import products_of
from bayes_sp.names import TOTAL, TOTAL_INDIRECT, effect_name, path_name

type Pair = tuple[float, float]  # from, to


@dataclass(frozen=True)
class Exposure:
    """A variable whose effects are asked for, with the pairs of values, or of levels, that they compare."""

    name: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Move:
    """What changes between two worlds."""

    moved: tuple[tuple[str, float, float], ...]  # (variable, from, to) of each variable that changes
    label: str  # what is compared, in words: ends the names of its effects

    @property
    def names(self) -> tuple[str, ...]:
        """Variables that change."""
        return tuple(name for name, _, _ in self.moved)

    @property
    def source(self) -> str:
        """The first variable of its paths."""
        return " + ".join(self.names)


if TYPE_CHECKING:
    from bayes_sp.model.terms import Chain as Base
else:
    Base = object  # what a chain has, `PathModel` has by itself

TOGETHER = "together"  # label of the joint contrast


def moves_of(
    exposures: Sequence[Exposure], joint: Sequence[tuple[str, float, float]], words: Callable[[str, float], str]
) -> Iterator[Move]:
    """Yield every move that effects are computed for: each exposure's pairs in turn, then the joint one."""
    several = len(exposures) > 1
    for exposure in exposures:
        for u0, u1 in exposure.pairs:
            against = f"{words(exposure.name, u1)} against {words(exposure.name, u0)}"
            yield Move(((exposure.name, u0, u1),), f"{exposure.name}: {against}" if several else against)
    if joint:
        yield Move(tuple(joint), TOGETHER)


class Compared(Base):
    """What a path model compares: its exposures, their moves, and the paths along which these act."""

    name: str
    outcome: str
    contrast: tuple[float, float]
    equations: tuple[Equation, ...]
    covariates: tuple[Covariate, ...]
    exposures: tuple[Exposure, ...]
    joint: tuple[tuple[str, float, float], ...]
    move: Move | None

    if TYPE_CHECKING:

        @property
        def chain(self) -> tuple[str, ...]:
            """Exposure, mediators, outcome."""

        def words_of(self, name: str, value: float) -> str:
            """Return a value of a variable as it stands in a cell."""

    @property
    def in_products(self) -> tuple[str, ...]:
        """Covariates, and exposures that do not move, that stand in a product of any equation, in the model's order."""
        moved = self.move.names if self.move else ()
        found = {name for equation in self.equations for names in products_of(self, equation) for name in names}
        return tuple(c.name for c in self.covariates if c.name in found and c.name not in moved)

    @property
    def moderating(self) -> tuple[str, ...]:
        """Covariates that stand in a product of any equation, in the model's order."""
        exposures = [exposure.name for exposure in self.exposures]
        return tuple(name for name in self.in_products if name not in exposures)

    @property
    def moderating_together(self) -> tuple[tuple[str, str], ...]:
        """Two moderators each that stand in one product with an exposure or a mediator, in the model's order."""
        products = [set(names) for equation in self.equations for names in equation.products if len(names) > 2]
        pairs = combinations(self.moderating, 2)
        return tuple(pair for pair in pairs if any(set(pair) <= names for names in products))

    @property
    def coded_exposure(self) -> Covariate | None:
        """How the chain's exposure is coded in columns; None where it is a plain number."""
        return next((c for c in self.covariates if c.name == self.exposure), None) if self.exposures else None

    @property
    def source(self) -> str:
        """The first variable of the paths."""
        return self.move.source if self.move else self.exposure

    @property
    def categories(self) -> tuple[str, ...]:
        """Exposures that are categories, whose numbers have no order."""
        exposures = [exposure.name for exposure in self.exposures]
        return tuple(c.name for c in self.covariates if c.levels and c.name in exposures)

    @property
    def levelled(self) -> tuple[str, ...]:
        """Columns whose numbers are names, so that they have no mean: categories of three levels or more."""
        named = (one.name for one in self.covariates if one.texts or len(one.levels) > 2)
        return tuple(dict.fromkeys((*self.categories, *named)))

    @property
    def moves(self) -> tuple[Move, ...]:
        """What effects are computed for, one after the other; () where that is one number with one contrast."""
        return () if self.move else tuple(moves_of(self.exposures, self.joint, self.words_of))

    @property
    def views(self) -> tuple[Self, ...]:
        """The specification once for each move, and itself where there is none."""
        each = (replace(self, move=move) for move in self.moves)  # type: ignore[type-var] # only dataclasses are made
        return tuple(each) or (self,)

    def pairs_of(self, name: str = "") -> tuple[str, tuple[Pair, ...]]:
        """Return an exposure, the first by default, with the pairs of values that its effects compare.

        Raises SpecificationError where there is no such exposure.
        """
        known = {exposure.name: exposure.pairs for exposure in self.exposures}
        if name and name not in known:
            problem = f'"{name}" is none{nearest(name, known)}; they are {", ".join(known)}'
            raise SpecificationError(self.name, [f"exposures: {problem}"])
        name = name or next(iter(known))
        return name, known[name]

    @property
    def ends(self) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
        """Values of what moves at the numbers 0 and 1, and the two numbers that effects compare.

        A variable that is a plain number is that number, so that coefficients are for a unit of it.
        """
        if self.move is None:
            return {}, self.contrast
        plain = {c.name for c in self.covariates if not c.levels and c.transform == "identity"}
        (name, *ends), *more = self.move.moved
        if not more and name in plain:
            return {name: (0.0, 1.0)}, (ends[0], ends[1])
        return {name: (u0, u1) for name, u0, u1 in self.move.moved}, (0.0, 1.0)

    def from_exposure(self, equation: Equation) -> bool:
        """Return whether the exposure, or any variable of the move, stands in an equation."""
        names = self.move.names if self.move else (self.exposure,)
        own = {*equation.parents, *(covariate.name for covariate in self.covariates_of(equation))}
        return bool(own & set(names))

    def named_paths(self) -> tuple[tuple[str, ...], ...]:
        """Return every directed path from the exposure to the outcome as variables: direct first, then by length."""
        source = self.source
        ending: dict[str, list[tuple[str, ...]]] = {source: [(source,)]}
        for equation in self.equations:
            response = equation.response
            parents = (*((source,) if self.from_exposure(equation) else ()), *equation.parents)
            ending[response] = [(*p, response) for name in dict.fromkeys(parents) for p in ending.get(name, [])]
        position = {name: i for i, name in enumerate((source, *self.chain[1:]))}
        return tuple(sorted(ending[self.outcome], key=lambda path: (len(path), [position[v] for v in path])))

    @property
    def effect_names(self) -> tuple[str, ...]:
        """Names of the effects: every path, total indirect and total, of each move in turn; of one move without it."""
        each = (
            (
                view.move.label if view.move and self.moves else "",
                (*map(path_name, view.named_paths()), TOTAL_INDIRECT, TOTAL),
            )
            for view in self.views
        )
        return tuple(effect_name(path, label) for label, names in each for path in names)
