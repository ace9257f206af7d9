"""What a patient's earlier responses say of the unmeasured confounder: draws of it for the next equation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import BayesSpError
from bayes_sp.model.path_model import PathModel

NODES, HALF_WIDTH = 64, 6.0
LEAST_SD = 0.75  # in units of the grid: sums over it are then integrals to 3e-5
MOST_GRIDS = 6  # each five times as fine as the one before


@dataclass(eq=False, repr=False)
class Belief:
    r"""The distribution of one confounder given parameters and earlier responses, for S draws and n patients.

    A grid of 64 nodes u_k, 0.19 apart and moved by a random part of that for each draw and patient, weighed by
    N(u_k) p(y_1 | u_k) ... p(y_j | u_k). The sum over equidistant nodes is the integral as long as the distribution
    is no narrower than the grid, so a node drawn by its weight is a draw from p(U | y_1 ... y_j). Where it is, as after
    a response that the confounder all but determines, 64 nodes around its mean take the place of these.
    """

    # nodes, log_weight: (64, S, n).
    nodes: Array
    log_weight: Array
    part: Array  # by which part of their distance nodes are moved, (S, n)
    _known: list[Callable[[Array], Array]] = field(default_factory=list)

    @classmethod
    def before_any_response(cls, rng: np.random.Generator, draws: int, n: int) -> Belief:
        """Return N(0, 1)."""
        part = rng.random((draws, n))
        nodes = _places(part)
        return cls(nodes, -0.5 * nodes**2, part)

    def draw(self, rng: np.random.Generator) -> Array:
        """Return one value for each draw and patient, (S, n)."""
        steps = np.cumsum(np.exp(self.log_weight - self.log_weight.max(axis=0)), axis=0)
        chosen = (rng.random(steps.shape[1:]) * steps[-1] >= steps).sum(axis=0)
        return np.take_along_axis(self.nodes, np.minimum(chosen, NODES - 1)[None], axis=0)[0]

    def learn(self, log_density: Callable[[Array], Array]) -> None:
        """Take in a response: ``u -> log p(response | u)``, (S, n); where that is not known it says nothing."""
        self._known.append(log_density)
        self._add(log_density)
        for _ in range(MOST_GRIDS):
            weight = np.exp(self.log_weight - self.log_weight.max(axis=0))
            weight /= weight.sum(axis=0)
            mean = (weight * self.nodes).sum(axis=0)
            sd = np.sqrt((weight * (self.nodes - mean) ** 2).sum(axis=0))
            apart = self.nodes[1] - self.nodes[0]
            narrow = sd < LEAST_SD * apart
            if not narrow.any():
                return
            self.nodes = np.where(narrow, mean + apart * _places(self.part), self.nodes)
            self.log_weight = -0.5 * self.nodes**2
            for density in self._known:
                self._add(density)

    def _add(self, log_density: Callable[[Array], Array]) -> None:
        for k in range(NODES):
            self.log_weight[k] += np.nan_to_num(log_density(self.nodes[k]))


def _places(part: Array) -> Array:
    """Return 64 even places from -6 to 6, moved by a part of their distance, (64, S, n)."""
    return HALF_WIDTH * (2.0 * (np.arange(NODES)[:, None, None] + part) / NODES - 1.0)


def numbers_at_once(model: PathModel, n: int) -> int:
    """Return how many numbers a draw of the predictors of n patients takes."""
    return n * (NODES if model.confounders else 1)


def check_single(model: PathModel) -> None:
    """Refuse what needs an integral over several confounders of a patient.

    Raises BayesSpError where a specification has several.
    """
    if len(model.confounders) > 1:
        names = ", ".join(confounder.name for confounder in model.confounders)
        problem = f"has {len(model.confounders)} unmeasured confounders ({names}); predictions of single responses, "
        raise BayesSpError(
            model.name, [f"{problem}and with them criticism of a fit, are there for one; leave the others out of it"]
        )
