r"""Covariates that are nearly collinear: how much less is known of their slopes than if they were not.

The variance of a slope is inflated by VIF_j = 1 / (1 - R_j^2), with R_j^2 that of its column on the equation's other
columns; of a covariate with several columns, by the generalised factor

.. math:: \mathrm{GVIF} = \frac{\det R_{11} \det R_{22}}{\det R}, \qquad \mathrm{VIF} = \mathrm{GVIF}^{1 / p_1},

with R the correlations of all columns, R_11 those of its p_1 own ones and R_22 those of the others (Fox & Monette
1992). The condition number is the square root of the ratio of the largest to the smallest eigenvalue of R.

References
----------
Fox & Monette (1992). Generalized collinearity diagnostics. Journal of the American Statistical Association 87,
178-183. doi:10.1080/01621459.1992.10475190
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of

INFLATED = 10.0
CONDITION = 30.0
SINGULAR = 1e-10  # smallest eigenvalue of columns that follow exactly from others


@dataclass(frozen=True)
class Inflation:
    """Variance inflation in one equation: by covariate or parent, and the condition number of its columns."""

    response: str
    factors: dict[str, float]
    condition: float

    @property
    def inflated(self) -> dict[str, float]:
        """Those above 10."""
        return {name: factor for name, factor in self.factors.items() if factor > INFLATED}


def inflations(model: PathModel, design: Design) -> Iterator[Inflation]:
    """Yield the variance inflation of each equation, over records with all of its columns.

    Interactions are left out: they are close to their parts by how they are made. So is an equation of one column, and
    one of which a column is constant or follows exactly from others.
    """
    for j, equation in enumerate(model.equations):
        terms = predictors_of(model, equation)[0].terms
        kept = [k for k, term in enumerate(terms) if term.role not in ("intercept", "interaction")]
        table = equation_matrix(model, design, j)[:, kept]
        table = table[~np.isnan(table).any(axis=1)]
        if len(kept) < 2 or len(table) < len(kept) + 2:
            continue
        owners = [terms[k].variables[0] for k in kept]
        found = _inflation(table, owners)
        if found is not None:
            yield Inflation(equation.response, *found)


def _inflation(table: Array, owners: list[str]) -> tuple[dict[str, float], float] | None:
    """Return the factors by owner of columns, and the condition number; None where there is none."""
    size = np.abs(table).max(axis=0)
    centred = table / np.where(size > 0, size, 1.0)
    centred = centred - centred.mean(axis=0)
    sd = centred.std(axis=0)
    if not (sd > 0).all():
        return None
    r = (centred / sd).T @ (centred / sd) / len(centred)
    eigenvalues = np.linalg.eigvalsh(r)
    if eigenvalues[0] < SINGULAR:
        return None
    whole, factors = np.linalg.slogdet(r)[1], {}
    for owner in dict.fromkeys(owners):
        own = np.array([name == owner for name in owners])
        if own.all():
            return None
        parts = np.linalg.slogdet(r[np.ix_(own, own)])[1] + np.linalg.slogdet(r[np.ix_(~own, ~own)])[1]
        factors[owner] = float(np.exp((parts - whole) / own.sum()))
    return factors, float(np.sqrt(eigenvalues[-1] / eigenvalues[0]))


def inflated_columns(model: PathModel, design: Design) -> Iterator[str]:
    """Yield a sentence on each equation whose columns are nearly collinear; of equals, the first equation's only."""
    told = set[tuple[str, ...]]()
    for found in inflations(model, design):
        names = tuple(sorted(found.inflated))
        if (not names and found.condition <= CONDITION) or names in told:
            continue
        told.add(names)
        words = ", ".join(f"{name} ({found.factors[name]:.0f})" for name in names)
        which = f"{words} nearly follow from the others" if names else "its columns are nearly collinear"
        least = min(found.inflated.values(), default=INFLATED)
        yield (
            f"{found.response}: {which} (variance inflation factors; condition number {found.condition:.0f}): their "
            f"slopes are known at least {least**0.5:.1f} times less well than if they were not related. Leave one of "
            "them out, or join them into one, unless both are needed."
        )
