"""Priors as data: a named distribution with checked constants and the reason for it. Never evaluated as code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Support = Literal["real", "positive", "simplex"]


@dataclass(frozen=True)
class Distribution:
    """Names of the constants of a prior distribution, which of them must be > 0, and where it puts mass."""

    arguments: tuple[str, ...]
    positive: tuple[str, ...]
    support: Support
    display: str


DISTRIBUTIONS: dict[str, Distribution] = {
    "normal": Distribution(("mu", "sigma"), ("sigma",), "real", "Normal"),
    "student_t": Distribution(("nu", "mu", "sigma"), ("nu", "sigma"), "real", "StudentT"),
    "laplace": Distribution(("mu", "b"), ("b",), "real", "Laplace"),
    "flat": Distribution((), (), "real", "Flat"),
    "half_flat": Distribution((), (), "positive", "HalfFlat"),
    "half_normal": Distribution(("sigma",), ("sigma",), "positive", "HalfNormal"),
    "half_student_t": Distribution(("nu", "sigma"), ("nu", "sigma"), "positive", "HalfStudentT"),
    "exponential": Distribution(("scale",), ("scale",), "positive", "Exponential"),
    "gamma": Distribution(("alpha", "beta"), ("alpha", "beta"), "positive", "Gamma"),
    "inverse_gamma": Distribution(("alpha", "beta"), ("alpha", "beta"), "positive", "InverseGamma"),
    "lognormal": Distribution(("mu", "sigma"), ("sigma",), "positive", "LogNormal"),
    "dirichlet": Distribution(("alpha",), ("alpha",), "simplex", "Dirichlet"),
}

PARAMETER_SUPPORT: dict[str, Support] = {
    "intercept": "real",
    "slope": "real",
    "covariate": "real",
    "interaction": "real",
    "cutpoint": "real",
    "zero_intercept": "real",
    "zero_slope": "real",
    "sigma": "positive",
    "phi": "positive",
    "nu": "positive",
    "precision": "positive",
    "shape": "positive",
    "tau": "positive",
    "simplex": "simplex",
}


@dataclass(frozen=True)
class Prior:
    """A prior distribution with its constants and its reason.

    Attributes
    ----------
    dist
        Name in ``DISTRIBUTIONS``.
    constants
        (name, value) in the order of the distribution's arguments.
    why
        The reason, printed in reports.

    Examples
    --------
    >>> from bayes_sp import Prior
    >>> print(Prior("normal", (("mu", 0.0), ("sigma", 0.5)), why="small"))
    Normal(mu=0, sigma=0.5)
    """

    dist: str
    constants: tuple[tuple[str, float], ...]
    why: str

    @property
    def values(self) -> dict[str, float]:
        """Constants by name."""
        return dict(self.constants)

    @property
    def support(self) -> Support:
        """Where the distribution puts mass."""
        return DISTRIBUTIONS[self.dist].support

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={value:g}" for name, value in self.constants)
        return f"{DISTRIBUTIONS[self.dist].display}({inner})"
