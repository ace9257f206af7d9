"""Run many cells: those that are kept are read, the others are fitted, each once, wherever there is room."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.dask import cluster
from bayes_sp.analysis.batch.processes import Processes, usable_processors
from bayes_sp.analysis.batch.progress import Tally
from bayes_sp.analysis.batch.schedule import Place, fitted_at, fitted_here
from bayes_sp.analysis.batch.store import Store
from bayes_sp.analysis.batch.work import answer_with
from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.analysis.fit import Fit
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB


@dataclass(frozen=True, repr=False)
class Runner:
    """How many cells are run: where, and where their answers are kept.

    An answer is the same to the last bit wherever its cell is fitted, and as that of a stand-alone `bayes_sp.fit`.

    Attributes
    ----------
    executor
        Any executor of `concurrent.futures`, such as a ``ThreadPoolExecutor``, a ``ProcessPoolExecutor`` or Dask's
        ``client.get_executor()``; None for processes on this machine.
    scheduler
        Address of a Dask scheduler, ``tcp://host:port``; '' for none. Needs ``bayes_sp[dask]``.
    workers
        Processes on this machine; None for one for each usable processor. With an executor, how many cells it is given
        at a time; None for all. With one process, or one cell, the cell's chains share the processors instead.
    store
        Folder in which answers are kept by content, so that a second start fits only what is missing; None to keep
        none. Failures are not kept.
    progress
        Called with a line after each cell: ``37 of 100 cells (3 taken from the store, 1 failed), about 40 s left``.
    written
        Keys of the answers that this runner has put into the store.
    known
        Answers of fits that this runner was told of (`learn`), by key.

    Raises
    ------
    ValueError
        For an executor and a scheduler at once, or a number of workers that is not a whole number of at least 1.
    """

    executor: Executor | None = None
    scheduler: str = ""
    workers: int | None = None
    store: str | Path | None = None
    progress: Callable[[str], None] | None = None
    written: list[str] = field(default_factory=list, init=False, compare=False)
    known: dict[str, Answer] = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.executor is not None and self.scheduler:
            raise ValueError("give an executor or a scheduler, not both")
        count: object = self.workers
        if count is not None and (isinstance(count, bool) or not isinstance(count, Integral) or count < 1):
            raise ValueError(f"workers must be a whole number of at least 1, found {count!r}")

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Return each cell's outcome, in the order of the cells.

        Parameters
        ----------
        cells
            Cells with the same key are fitted once.

        Returns
        -------
        list
            An `Answer` for each cell, or a `Failure` where its specification or records are wrong, where it cannot be
            fitted, or where three workers died of it.

        Raises
        ------
        RunError
            Where the store cannot be written.
        RunnerError
            Where the scheduler cannot be used, or the executor or scheduler breaks down; answers that were finished
            by then are in the store.
        """
        store = None if self.store is None else Store(self.store)
        counts = Counter(cell.key for cell in cells)
        distinct = {cell.key: cell for cell in reversed(cells)}
        found: dict[str, Outcome] = {}
        for key, cell in distinct.items():
            if key in self.known:
                found[key] = self.known[key]
            elif store is not None and (kept := store.get(cell)) is not None:
                found[key] = kept
        tally = Tally(len(cells), sum(counts[key] for key in found))
        if found:
            self._say(tally)
        todo = [distinct[key] for key in counts if key not in found]
        with self._fitted(todo) as fitted:
            for cell, outcome in fitted:
                if store is not None and isinstance(outcome, Answer):
                    store.put(cell, outcome)
                    self.written.append(cell.key)
                found[cell.key] = outcome
                tally.add(counts[cell.key], failed=isinstance(outcome, Failure))
                self._say(tally)
        return [_named(found[cell.key], cell) for cell in cells]

    def learn(self, fitted: Fit, effects: Effects | None = None, *, ci_prob: float = CI_PROB) -> Cell:
        """Remember a fit, so that its cell is not fitted again, and return the cell.

        Parameters
        ----------
        fitted
            What was fitted.
        effects
            Its effects, where they are at hand.
        ci_prob
            Probability of the intervals in the answer.
        """
        effects = effects or fitted.effects()
        cell = Cell(fitted.model.name, fitted.model, fitted.survey, fitted.seed, fitted.options, effects.kappa, ci_prob)
        if cell.key not in self.known:
            verdict = diagnose(fitted.posterior, effects.quantities())
            self.known[cell.key] = answer_with(cell, effects, verdict, 0.0)
        return cell

    @contextmanager
    def _fitted(self, cells: Sequence[Cell]) -> Iterator[Generator[tuple[Cell, Outcome]]]:
        """Yield the cells with their outcomes as they finish; whatever was started for them ends with the block."""
        processors = usable_processors()
        count = min(self.workers or processors, len(cells))
        if self.scheduler and cells:
            with cluster(self.scheduler) as place, closing(fitted_at(place, cells)) as fitted:
                yield fitted
        elif self.executor is not None:
            at_once, todo = self.workers or len(cells), "give the runner a new one"
            place = Place("the executor", self.executor.submit, lambda: at_once, todo)
            with closing(fitted_at(place, cells)) as fitted:
                yield fitted
        elif count > 1:
            with Processes(count) as processes:
                place = Place("the workers on this machine", processes.submit, lambda: count, "start again")
                with closing(fitted_at(place, cells)) as fitted:
                    yield fitted
        else:
            with closing(fitted_here(cells, processors)) as fitted:
                yield fitted

    def _say(self, tally: Tally) -> None:
        if self.progress is not None:
            self.progress(str(tally))

    def __repr__(self) -> str:
        if self.scheduler:
            where = f"the Dask cluster of {self.scheduler}"
        elif self.executor is not None:
            where = f"a {type(self.executor).__name__}"
        else:
            count = self.workers or usable_processors()
            where = f"{count} workers on this machine" if count > 1 else "in turn"
        kept = "answers are not kept" if self.store is None else f"answers kept in {os.fspath(self.store)}"
        return f"Runner({where}; {kept})"


def _named(outcome: Outcome, cell: Cell) -> Outcome:
    """Return a failure under the name of the cell; an answer has no name."""
    return replace(outcome, name=cell.name) if isinstance(outcome, Failure) else outcome
