"""The fits of an analysis of unmeasured confounding: made in batches, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.errors import FitError
from bayes_sp.model.distributions import Prior
from bayes_sp.sensitivity.confounder.grid import Grid, Place, Surface, cell_at, margin_of, margins
from bayes_sp.sensitivity.confounder.multiples import Multiple, Statement, refined
from bayes_sp.sensitivity.confounder.pairs import with_confounder
from bayes_sp.sensitivity.target import Estimate, Target, estimate_in, estimate_of


class ConfoundedFits:
    """Fits of one specification with confounders of many strengths.

    ``plain``, the cell without confounding, is fitted first; ``target`` is the effect that margins are about.

    Raises FitError where the plain cell has no answer.
    """

    def __init__(self, plain: Cell, target: Target, runner: Runner) -> None:
        self.plain, self.target = plain, target
        self._runner = runner
        self._outcomes: dict[Place, Outcome] = {}
        self._others: list[Outcome] = []
        (found,) = runner.run([plain])
        if isinstance(found, Failure):
            raise FitError(plain.name, [found.reason])
        self.answer: Answer = found
        self.estimate = estimate_of(found.table, target, trustworthy=found.trustworthy)
        self.sign = self.estimate.sign(target.null)

    @property
    def outcomes(self) -> Mapping[Place, Outcome]:
        """What came of every place."""
        return self._outcomes

    @property
    def made(self) -> list[Outcome]:
        """What came of every fit."""
        return [self.answer, *self._outcomes.values(), *self._others]

    def run(self, places: Iterable[Place]) -> None:
        """Fit at places, those not fitted yet."""
        wanted = [place for place in dict.fromkeys(places) if place not in self._outcomes]
        cells = [cell_at(self.plain, place) for place in wanted]
        self._outcomes |= dict(zip(wanted, self._runner.run(cells), strict=True))

    def averaged(self, strengths: Mapping[str, Prior]) -> Outcome:
        """Fit with priors of the strengths."""
        model = with_confounder(self.plain.model, strengths)
        (found,) = self._runner.run([replace(self.plain, name="confounder of uncertain strength", model=model)])
        self._others.append(found)
        return found

    def margins(self, grid: Grid) -> Surface | None:
        """Return the target's margin over a grid."""
        return margins(grid, self.estimate, self._outcomes, self.target, self._side)

    def statements(self, multiples: Sequence[Multiple]) -> list[Statement]:
        """Find multiples by fits, and fit confounders as strong as their covariates."""
        found = list(multiples)
        if self.sign:
            found = refined(multiples, margin_of(self.estimate, self.target, self._side)[0], self._margins_at)
        factors = [min(1.0, multiple.most) for multiple in found]
        places = [_place(multiple, factor) for multiple, factor in zip(found, factors, strict=True)]
        self.run(places)
        estimates = [self._at(place) for place in places]
        return [Statement(*parts) for parts in zip(found, factors, estimates, strict=True)]

    @property
    def _side(self) -> int:
        """The sign of the effect; that of its median where the interval includes no effect."""
        return self.sign or (-1 if self.estimate.median < self.target.null else 1)

    def _at(self, place: Place) -> Estimate | None:
        return estimate_in(self._outcomes[place], self.target)

    def _margins_at(self, multiples: Sequence[Multiple]) -> list[tuple[float, float] | None]:
        """Margins, with their Monte Carlo standard errors, of fits at multiples."""
        places = [_place(multiple, multiple.multiple) for multiple in multiples]
        self.run(places)
        found = [self._at(place) for place in places]
        return [None if e is None else margin_of(e, self.target, self._side) for e in found]


def _place(multiple: Multiple, factor: float) -> Place:
    return (multiple.pair, *multiple.strengths(factor))
