"""What a family of likelihoods is: one object with everything that the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Array = NDArray[np.float64]
    type Generator = np.random.Generator
    type PyMC = Any  # the module
    type Tensor = Any  # its variables, whose types say nothing that a reader needs

Kind = Literal["real", "integer", "count", "positive", "binary", "label"]
Link = Literal["identity", "log", "logit", "probit"]


@dataclass(frozen=True)
class Family:
    r"""A likelihood of one response given its linear predictor eta, and in some families a second one, zeta.

    Every function sees the *coded* response: the value itself, but the number of the level, 0 to K - 1, for an ordered
    family, and the position in (0, 1) for one on a bounded interval. ``aux`` holds the family's other parameters on
    their natural scale, in the order of ``parameters``; for an ordered family the K - 1 cutpoints; for a latent one
    also the known measurement SD, last. For arrays, y is (n,), eta and zeta (..., n), aux (..., A). An ordered family's
    ``mean`` is that of the number of the level.

    Attributes
    ----------
    name
        Name in the specification.
    link
        Scale of the linear predictor.
    parameters
        Names of the parameters beside coefficients and cutpoints; each needs a prior.
    response
        Kind of values that the response must have; ordered families take whole numbers from a least to a greatest one.
    mediator, outcome
        Whether effects are exact when the family stands at that place of the chain.
    equation
        The likelihood in one line, for printing.
    log_density
        ``(y, eta, zeta, aux) -> log p(y)``, (..., n).
    simulate
        ``(rng, eta, zeta, aux) -> y``, (..., n).
    mean
        ``(eta, zeta, aux) -> E y``, (..., n).
    dist
        ``(pm, eta, zeta, aux) -> pm distribution``: the family in PyMC's own words, ``aux`` a list of scalars or the
        vector of cutpoints, whole responses as integers. PyMC comes in as an argument, so that reading a
        specification does not import it.
    kernel
        ``(y, eta, zeta, aux, table, out) -> log p(y)`` of one patient, with ``out[0]`` = d/d eta, ``out[1]`` =
        d/d zeta (written where there is a zero part) and ``out[2 + k]`` = d/d aux[k] (parameters and cutpoints, never
        the measurement SD). Counts leave out the constant -log y!. Plain Python and `math`, compiled by numba where it
        is used, with `digamma` and `rising` from the module of the first name. ``table`` is (2, m) for counts: with
        the size phi, ``table[0, k]`` = log Gamma(phi + k) - log Gamma(phi), ``table[1, k]`` its derivative with respect
        to phi; `rising` reads both, and goes on where the table ends.
    ordered
        Cutpoints in place of an intercept.
    bounded
        On the interval between the variable's least and greatest value.
    zero_part
        Whether there is a second linear predictor, of the probability (logit) of a zero of its own kind.
    sized
        Whether the kernel needs ``table``; the size is then the parameter ``phi``.
    latent
        Whether the response is the observed value of a latent variable, with known measurement error: ``aux`` is then
        (sigma, s), and every function speaks of the observed value, whose SD is sqrt(sigma^2 + s^2). The latent value
        given the observed one is N(eta + w (y - eta), sigma^2 (1 - w)), w = sigma^2/(sigma^2 + s^2).
    """

    name: str
    link: Link
    parameters: tuple[str, ...]
    response: Kind
    mediator: bool
    outcome: bool
    equation: str
    log_density: Callable[[Array, Array, Array, Array], Array]
    simulate: Callable[[Generator, Array, Array, Array], Array]
    mean: Callable[[Array, Array, Array], Array]
    dist: Callable[..., Any]
    kernel: Callable[..., float]
    ordered: bool = False
    bounded: bool = False
    zero_part: bool = False
    sized: bool = False
    latent: bool = False

    @property
    def ratio(self) -> str:
        """Word for the ratio of two of the response's means; '' for responses whose means can be 0 or negative."""
        words = {"count": "rate ratio", "binary": "risk ratio", "positive": "ratio of means"}
        return words.get(self.response, "")
