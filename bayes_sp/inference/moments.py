"""Moments as a user has them: checked, of records or of a printed table, and the posterior straight from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bayes_sp.inference.likelihood import least_squares
from bayes_sp.inference.moment_posterior import MomentPosterior, moment_posterior, moments_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.study.results import Study


class Moments(least_squares.Moments):
    """Means, standard deviations and correlations, and the posterior of normal equations straight from them.

    Attributes, errors and what is refused are those of `bayes_sp.inference.likelihood.least_squares.Moments`.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> sp.Moments(("x", "y"), [0, 10], [1, 2], [[1, 0.5], [0.5, 1]], n=102).least_squares("y", ["x"]).df
    100
    """

    @classmethod
    def from_study(cls, study: str | Path | Study, model: PathModel | str | Path | Mapping[str, Any]) -> Moments:
        """Return the moments that a study's table prints of a specification's variables.

        Parameters
        ----------
        study
            As `audit` takes it. Where it prints no mean or SD 0 and 1 stand in: they change the unit of that variable's
            own slopes, and no other slope.
        model
            The specification, its name or its file.

        Returns
        -------
        Moments

        Raises
        ------
        SurveyError
            Where no table holds all variables, or it lacks a correlation.
        """
        return cls(**vars(moments_of(study, load_model(model))))

    def least_squares(self, response: str, predictors: Sequence[str]) -> least_squares.LeastSquares:
        """Return the least-squares regression of one variable on others; see `least_squares`.

        Parameters
        ----------
        response
            The variable that is regressed.
        predictors
            What it is regressed on, beside an intercept.

        Returns
        -------
        LeastSquares
        """
        return least_squares.least_squares(self, response, predictors)

    def posterior(
        self, model: PathModel | str | Path | Mapping[str, Any], *, seed: int = 1, draws: int = 4000
    ) -> MomentPosterior:
        """Draw from the posterior of a specification with normal equations, given these moments alone.

        Parameters
        ----------
        model
            A specification, its name, file or tables; every equation of it normal and linear.
        seed
            Of the draws.
        draws
            How many, independent of each other.

        Returns
        -------
        MomentPosterior
            See `bayes_sp.inference.moment_posterior.moment_posterior`.

        Examples
        --------
        >>> import bayes_sp as sp
        >>> len(sp.Moments.from_study("kellezi2019", "process6").posterior("process6").table())
        6
        """
        return moment_posterior(load_model(model), self, draws=draws, seed=seed)
