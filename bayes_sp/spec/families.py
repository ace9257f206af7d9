"""The families an equation can have: link, extra parameters and the values a response may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["real", "integer", "count"]
Link = Literal["identity", "log"]


@dataclass(frozen=True)
class Family:
    """What the specification needs to know about a likelihood.

    Attributes
    ----------
    name
        Name in the specification.
    link
        Scale of the linear predictor.
    parameters
        Names of the parameters beside the coefficients; each needs a prior.
    response
        Kind of values that the response must have.
    mediator, outcome
        Whether effects are exact when the family stands at that place of the chain.
    equation
        The likelihood in one line, for printing.
    """

    name: str
    link: Link
    parameters: tuple[str, ...]
    response: Kind
    mediator: bool
    outcome: bool
    equation: str


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("normal", "identity", ("sigma",), "real", True, True, "y ~ Normal(eta, sigma)"),
        Family(
            "negative_binomial",
            "log",
            ("phi",),
            "count",
            False,
            True,
            "y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)",
        ),
    )
}
