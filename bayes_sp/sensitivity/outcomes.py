"""Outcomes of cells -> estimates of a target."""

from __future__ import annotations

from collections.abc import Sequence

from bayes_sp.analysis.batch.cell import Answer, Cell, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.errors import BayesSpError
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.sensitivity.target import Estimate, Target, estimate_of


def run_once(cells: Sequence[Cell], runner: Runner) -> list[Outcome]:
    """Run cells that differ in their specification alone, those of one specification once; in the order given."""
    digests = [specification_digest(cell.model) for cell in cells]
    first = {digest: i for i, digest in reversed(list(enumerate(digests)))}
    chosen = sorted(first.values())
    found = dict(zip(chosen, runner.run([cells[i] for i in chosen]), strict=True))
    return [found[first[digest]] for digest in digests]


def estimate_in(outcome: Outcome, target: Target) -> Estimate | None:
    """Return the target's estimate; None where there is no answer.

    Raises BayesSpError for an effect that the answer does not have.
    """
    if not isinstance(outcome, Answer):
        return None
    try:
        return estimate_of(outcome.table, target, trustworthy=outcome.trustworthy)
    except KeyError as error:
        known = dict.fromkeys(f"{path} [{scale}]" for path, scale in outcome.table[["path", "scale"]].to_numpy())
        problem = f"has no effect {target.path} [{target.scale}]; it has {', '.join(known)}"
        raise BayesSpError("target", [problem]) from error
