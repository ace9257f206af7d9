"""Least squares from moments: the same regressions from a published table or from records.

It needs no more than means, SDs, correlations and the number of patients: a published table is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtr

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError, nearest
from bayes_sp.inference.likelihood.moment_checks import (
    SOURCE,
    as_numbers,
    checked_count,
    checked_names,
    in_order,
    moment_problems,
    real,
    whole_matrix,
)
from bayes_sp.inference.likelihood.normal_equations import COLLINEAR, solve_normal
from bayes_sp.shown import MOST_COLUMNS, Part, Shown


@dataclass(frozen=True, eq=False, repr=False)
class Moments(Shown):
    """Means, standard deviations and correlations of v variables in n patients; lists are taken for arrays.

    Attributes
    ----------
    names
        Names of the variables, (v,).
    mean, sd
        In each variable's unit; the SD with divisor n - 1, (v,).
    correlation
        Pearson correlations, (v, v): the whole matrix; see `from_triangle` where a table prints half of it.
    n
        Number of patients.

    Raises
    ------
    SurveyError
        With everything that no patients can have: shapes that disagree, numbers that are not finite, an SD of 0 or
        below, a matrix that is not symmetric, has no 1 on its diagonal, holds covariances, one triangle, or anything
        beyond -1 and 1, and too few patients for it. Whether correlations contradict each other is seen by
        `least_squares`, of the variables that it uses: a printed table is rounded.
    """

    names: tuple[str, ...]
    mean: Array
    sd: Array
    correlation: Array
    n: int

    def __post_init__(self) -> None:
        names, n = checked_names(self.names), checked_count(self.n)
        mean, sd = as_numbers("mean", self.mean, names), as_numbers("sd", self.sd, names)
        correlation = as_numbers("correlation", self.correlation, names, dimensions=2)
        if problems := moment_problems(names, mean, sd, correlation, n):
            raise SurveyError(SOURCE, problems)
        checked = {"names": names, "mean": mean, "sd": sd, "correlation": (correlation + correlation.T) / 2, "n": n}
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_triangle(
        cls, names: Sequence[str], mean: ArrayLike, sd: ArrayLike, triangle: Sequence[ArrayLike] | Array, n: int
    ) -> Moments:
        """Return the moments of a table that prints each correlation once.

        Parameters
        ----------
        names, mean, sd, n
            As `Moments`.
        triangle
            Rows of numbers as printed, below the diagonal (1, 2, ... numbers) or above it (..., 2, 1), with or without
            the diagonal: ``[[0.3], [0.2, 0.4]]`` for three variables. A square array with 0 or NaN in its other half
            is taken too.

        Returns
        -------
        Moments

        Raises
        ------
        SurveyError
            As `Moments`, and where the rows have other lengths.
        """
        known = checked_names(names)
        matrix = whole_matrix(in_order("triangle", triangle, known), len(known))
        return cls(known, mean, sd, matrix, n)  # type: ignore[arg-type] # made arrays

    @classmethod
    def from_records(cls, names: Sequence[str], array: ArrayLike) -> Moments:
        """Return the moments of the columns of an array of records.

        Parameters
        ----------
        names
            The variables.
        array
            Records, (n, v), no column of them constant. A table of pandas is taken by the names of its columns, and by
            their order where none of them is a name.

        Returns
        -------
        Moments

        Raises
        ------
        SurveyError
            As `Moments`; where records are no numbers, or a table has some of the columns only.
        """
        known = checked_names(names)
        columns = set(getattr(array, "columns", ()))
        lacking = [name for name in known if name not in columns]
        if lacking and len(lacking) < len(known):
            raise SurveyError(SOURCE, [f"the records have no column {name!r}" for name in lacking])
        chosen = array if lacking else array[list(known)]  # type: ignore[call-overload,index]  # a list or a frame
        values = real(f"records must be numbers in an array of shape (n, {len(known)})", chosen)
        if values.ndim != 2 or values.shape[1] != len(known):
            raise SurveyError(SOURCE, [f"records must have shape (n, {len(known)}), found {values.shape}"])
        checked_count(len(values))
        unfit = ~np.isfinite(values).all(axis=0)
        if unfit.any():
            problems = [f"the records of {known[i]!r} must be finite numbers" for i in np.flatnonzero(unfit)]
            raise SurveyError(SOURCE, [f"{problem}; leave out patients with missing cells" for problem in problems])
        largest = np.abs(values).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)  # squares stay finite in any unit
        centred = values / unit - (values / unit).mean(axis=0)
        constant = np.ptp(values, axis=0) == 0
        scale = np.where(constant, 0.0, centred.std(axis=0, ddof=1))
        scaled = centred / np.where(scale > 0, scale, 1.0)
        correlation = scaled.T @ scaled / (len(values) - 1)
        np.fill_diagonal(correlation, 1.0)
        return cls(known, (values / unit).mean(axis=0) * unit, scale * unit, correlation, len(values))

    def _shown(self) -> tuple[str, list[Part]]:
        described = pd.DataFrame({"variable": self.names, "mean": self.mean, "sd": self.sd})
        table = described.join(pd.DataFrame(self.correlation, columns=list(self.names)))
        return f"{len(self.names)} variables of {self.n} patients", [table.iloc[:, :MOST_COLUMNS]]


@dataclass(frozen=True, eq=False, repr=False)
class LeastSquares(Shown):
    """One least-squares regression.

    Attributes
    ----------
    response
        Name of the response.
    terms
        ``"intercept"`` and the predictors, (p + 1,).
    coefficients, standard_errors, t, p_values
        One for each term, (p + 1,); p values are two-sided.
    df
        Residual degrees of freedom, n - p - 1.
    r_squared
        Share of the response's variance explained.
    residual_sd
        With divisor df, in the response's unit.
    """

    response: str
    terms: tuple[str, ...]
    coefficients: Array
    standard_errors: Array
    t: Array
    p_values: Array
    df: int
    r_squared: float
    residual_sd: float

    @property
    def table(self) -> pd.DataFrame:
        """One row for each term."""
        columns = (self.terms, self.coefficients, self.standard_errors, self.t, self.p_values)
        return pd.DataFrame(dict(zip(("term", "estimate", "se", "t", "p_value"), columns, strict=True)))

    def _shown(self) -> tuple[str, list[Part]]:
        return f"least squares of {self.response}, R squared {self.r_squared:.3g}, {self.df} df", [self.table]


def least_squares(moments: Moments, response: str, predictors: Sequence[str]) -> LeastSquares:
    r"""Regress a response on predictors and an intercept.

    .. math:: \beta = D_x^{-1} R_{xx}^{-1} r_{xy} s_y, \qquad
              RSS = (n - 1) s_y^2 (1 - r_{xy}' R_{xx}^{-1} r_{xy})

    Coefficients are in units of the response per unit of the predictor.

    Raises SurveyError if a name is unknown, predictors are collinear, the correlations contradict each other, or there
    are too few patients.
    """
    y, x = _places(moments, response, predictors)
    df = moments.n - len(x) - 1
    _check_regression(moments, response, x, df)
    r_xx, r_xy = moments.correlation[np.ix_(x, x)], moments.correlation[x, y]
    solution, unexplained = solve_normal(r_xx[:, :, None], np.column_stack([r_xy, np.eye(len(x))])[:, :, None])
    _check_collinear(moments, response, x, unexplained[:, 0])
    standardised, inverse = solution[:, 0, 0], solution[:, 1:, 0]
    r_squared = float(r_xy @ standardised)
    if r_squared > 1.0 + COLLINEAR:
        contradiction = _contradiction(response, [moments.names[place] for place in x])
        raise SurveyError(f"regression of {response}", [contradiction])
    residual_sd = moments.sd[y] * np.sqrt((moments.n - 1) * max(0.0, 1.0 - r_squared) / df)
    with np.errstate(all="ignore"):  # a perfect fit has no standard error; what is beyond numbers is refused below
        scaled_mean = moments.mean[x] / moments.sd[x]
        slopes = standardised * moments.sd[y] / moments.sd[x]
        intercept_error = np.sqrt(1.0 / moments.n + scaled_mean @ inverse @ scaled_mean / (moments.n - 1))
        slope_errors = np.sqrt(np.diag(inverse) / (moments.n - 1)) / moments.sd[x]
        coefficients = np.array([moments.mean[y] - slopes @ moments.mean[x], *slopes])
        errors = residual_sd * np.array([intercept_error, *slope_errors])
        t = coefficients / errors
    if not np.isfinite([*coefficients, *errors]).all():
        beyond = "coefficients are beyond what a computer's numbers hold; give means and SDs in other units"
        raise SurveyError(f"regression of {response}", [beyond])
    return LeastSquares(
        response=response,
        terms=("intercept", *predictors),
        coefficients=coefficients,
        standard_errors=errors,
        t=t,
        p_values=2.0 * stdtr(df, -np.abs(t)),
        df=df,
        r_squared=min(r_squared, 1.0),
        residual_sd=float(residual_sd),
    )


def _places(moments: Moments, response: str, predictors: Sequence[str]) -> tuple[int, list[int]]:
    """Places of the response and the predictors among the moments' names."""
    if isinstance(predictors, str):
        raise SurveyError(f"regression of {response}", [f"predictors must be a list of names, found {predictors!r}"])
    problems = [
        f"no variable {name!r}{nearest(str(name), moments.names)}"
        for name in (response, *predictors)
        if name not in moments.names
    ]
    problems += [f"{response!r} stands among its own predictors; leave it out"] if response in predictors else []
    if problems:
        raise SurveyError(f"regression of {response}", problems)
    return moments.names.index(response), [moments.names.index(name) for name in predictors]


def _check_regression(moments: Moments, response: str, x: list[int], df: int) -> None:
    """Refuse a regression that cannot be computed, before computing it."""
    if df < 1:
        few = (
            f"{moments.n} patients are too few for an intercept and {len(x)} predictors; "
            f"remove covariates or add patients (at least {len(x) + 2})"
        )
        raise SurveyError(f"regression of {response}", [few])


def _check_collinear(moments: Moments, response: str, x: list[int], unexplained: Array) -> None:
    """Name the first predictor that the ones before it determine."""
    bad = np.flatnonzero(~(unexplained > COLLINEAR))
    if not len(bad):
        return
    names = [moments.names[place] for place in x[: bad[0] + 1]]
    if unexplained[bad[0]] < -COLLINEAR:
        raise SurveyError(f"regression of {response}", [_contradiction(names[-1], names[:-1])])
    r = moments.correlation[np.ix_(x[: bad[0]], x[: bad[0] + 1])]
    share, *_ = np.linalg.lstsq(r[:, :-1], r[:, -1], rcond=None)
    others = [repr(name) for name, part in zip(names, share, strict=False) if abs(part) > 1e-6]
    collinear = f"{names[-1]!r} is a linear combination of {', '.join(others)}; remove one of them"
    raise SurveyError(f"regression of {response}", [collinear])


def _contradiction(name: str, others: list[str]) -> str:
    """One sentence on correlations that no data can have."""
    return (
        f"no data can have these correlations of {name!r} with {', '.join(map(repr, others))} "
        "(the matrix is not positive definite); check the table, or leave a variable out"
    )
