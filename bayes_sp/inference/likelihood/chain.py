"""The regressions of a chain by least squares, from moments or from records, and the products along its paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.formulas import ChainCoefficients, Path, enumerate_paths, path_products
from bayes_sp.inference.likelihood.least_squares import LeastSquares, Moments, least_squares


@dataclass(frozen=True)
class Chain:
    """Which variables form a chain exposure -> mediators -> outcome, and which edges it has (None: all of them)."""

    exposure: str
    mediators: tuple[str, ...]
    outcome: str
    covariates: tuple[str, ...]  # they enter every equation
    edges_exposure: tuple[bool, ...] | None = None  # whether the exposure is a parent of equation j, (K + 1,)
    # Whether mediator k is a parent of equation j, (K + 1, K).
    edges_mediators: tuple[tuple[bool, ...], ...] | None = None

    @classmethod
    def from_design(cls, design: Design) -> Chain:
        """Chain of a design, with the design's edges."""
        return cls(
            design.exposure,
            design.mediators,
            design.outcome,
            design.covariate_terms,
            tuple(bool(edge) for edge in design.edges_exposure),
            tuple(tuple(bool(edge) for edge in row) for row in design.edges_mediators),
        )

    @property
    def edges(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Edges from the exposure, (K + 1,), and from the mediators, (K + 1, K)."""
        count = len(self.mediators)
        every = np.tri(count + 1, count, -1, dtype=bool)
        return (
            np.ones(count + 1, dtype=bool) if self.edges_exposure is None else np.array(self.edges_exposure),
            every if self.edges_mediators is None else np.array(self.edges_mediators).reshape(count + 1, count) & every,
        )


@dataclass(frozen=True, eq=False)
class ChainFit:
    """Least-squares regressions of a chain and the product of coefficients along each of its paths."""

    equations: tuple[LeastSquares, ...]  # one regression for each mediator in order, then the outcome
    coefficients: ChainCoefficients  # theirs by place in the chain, with residual variances RSS / n of the mediators
    paths: tuple[Path, ...]  # every path that exists, the direct one first
    products: Array  # product of the coefficients along each path, in units of the outcome per unit of exposure, (P,)
    # total_indirect, total: sum of the products of the indirect paths, and of all paths.
    total_indirect: float
    total: float


def chain_least_squares(moments: Moments, chain: Chain) -> ChainFit:
    """Regressions of every equation of a chain, and the products of their coefficients along every path.

    ``moments`` hold every variable of the chain, published or from records. Raises as `least_squares`.
    """
    from_exposure, from_mediator = chain.edges
    responses = (*chain.mediators, chain.outcome)
    equations = []
    for j, response in enumerate(responses):
        parents = [chain.exposure] if from_exposure[j] else []
        parents += [name for name, edge in zip(chain.mediators, from_mediator[j], strict=True) if edge]
        equations.append(least_squares(moments, response, [*parents, *chain.covariates]))
    found = [dict(zip(fit.terms, fit.coefficients, strict=True)) for fit in equations]

    def by_place(names: Sequence[str]) -> Array:
        return np.array([[terms.get(name, 0.0) for name in names] for terms in found]).reshape(len(found), len(names))

    coefficients = ChainCoefficients(
        intercept=by_place(["intercept"])[:, 0],
        exposure=by_place([chain.exposure])[:, 0],
        mediators=by_place(chain.mediators),
        covariates=by_place(chain.covariates),
        variance=np.array([fit.residual_sd**2 * fit.df / moments.n for fit in equations[:-1]]),
    )
    paths = enumerate_paths(from_exposure, from_mediator)
    products = path_products(coefficients, paths)
    indirect = float(sum(value for value, path in zip(products, paths, strict=True) if path))
    return ChainFit(tuple(equations), coefficients, paths, products, indirect, float(products.sum()))
