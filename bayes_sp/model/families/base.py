"""What a family of likelihoods is: one object with everything that the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bayes_sp.exports import np
from bayes_sp.names import RATE_RATIO, RISK_RATIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[np.float64]
    type Generator = np.random.Generator
    type Derivatives = tuple[Array, list[Array], list[list[Array]]]
    type PyMC = Any  # the module
    type Tensor = Any  # its variables, whose types say nothing that a reader needs
    type Words = tuple[str, dict[str, Tensor]]  # a distribution of PyMC, and its parameters

Kind = Literal["real", "integer", "count", "positive", "binary", "label"]
Link = Literal["identity", "log", "logit", "probit"]
MediatorRule = Literal["normal", "logit", "probit", "beta", "count"]
OutcomeRule = Literal["identity", "exp", "logit", "probit", "zero_inflated", "hurdle"]
Precision = Literal["sd", "precision", "weight", "size"]
Variance = Literal["1", "mu", "mu^2", "mu(1-mu)"]
EXPONENTIAL: tuple[OutcomeRule, ...] = ("exp", "zero_inflated", "hurdle")


@dataclass(frozen=True)
class Parameter:
    """A positive parameter of a family beside coefficients and cutpoints."""

    name: str  # name of the posterior variable and of its prior; families can share one
    words: str  # what it is, as in "the residual SD"
    start: float | None = 1.0  # where a search begins; None for the spread of what the equation leaves unexplained
    # ``(mean, SD) of the response -> start``, for a fit that has both.
    moments: Callable[[float, float], float] | None = None


@dataclass(frozen=True)
class Family:
    r"""A likelihood of one response given its linear predictor eta, and in some families a second one, zeta.

    Every function sees the *coded* response: the value itself, but the number of the level, 0 to K - 1, for an ordered
    family, and the position in (0, 1) for one on a bounded interval. ``aux`` holds the family's other parameters on
    their natural scale, in the order of ``parameters``; for an ordered family the K - 1 cutpoints; for a latent one
    also the known measurement SD, last. For arrays, y is (n,), eta and zeta (..., n), aux (..., A). An ordered family's
    ``mean`` is that of the number of the level.
    """

    name: str  # name in the specification
    link: Link  # scale of the linear predictor
    # Kind of values that the response must have; ordered families take whole numbers from a least to a greatest one.
    response: Kind
    equation: str  # the likelihood in one line, for printing
    log_density: Callable[[Array, Array, Array, Array], Array]  # ``(y, eta, zeta, aux) -> log p(y)``, (..., n)
    simulate: Callable[[Generator, Array, Array, Array], Array]  # ``(rng, eta, zeta, aux) -> y``, (..., n)
    mean: Callable[[Array, Array, Array], Array]  # ``(eta, zeta, aux) -> E y``, (..., n)
    # ``(pm, eta, zeta, aux) -> (distribution, parameters)``: the family in PyMC's own words, ``aux`` a list of scalars
    # or the vector of cutpoints. PyMC comes in as an argument, so that reading a specification does not import it.
    pymc: Callable[[PyMC, Tensor, Tensor, Tensor], Words]
    # Names that other programs give it; a specification may use them, and is shown and kept with ``name``.
    synonyms: tuple[str, ...] = ()
    # The parameters beside coefficients and cutpoints; each needs a prior on the positive numbers.
    scalars: tuple[Parameter, ...] = ()
    # How later means are averaged over the response: ``normal`` (eta plus errors of SD ``sigma``, in closed form),
    # ``logit`` and ``probit`` (a sum over levels), ``beta`` (quadrature, with ``precision``), ``count`` (a sum over 0,
    # 1, 2, ..., with ``phi`` where it has one); None for a family that cannot stand in the middle of the chain.
    mediator: MediatorRule | None = None
    # The mean given the predictors: eta, exp(eta), the inverse of a link, exp(eta) less a share of zeros (of its own
    # kind, or all of them); None for a family that cannot stand at the end.
    outcome: OutcomeRule | None = None
    # ``(y, eta, zeta, aux, table, out) -> log p(y)`` of one patient, with ``out[0]`` = d/d eta, ``out[1]`` = d/d zeta
    # (written where there is a zero part) and ``out[2 + k]`` = d/d aux[k] (parameters and cutpoints, never the
    # measurement SD). Counts leave out the constant -log y!. Plain Python and `math`, compiled by numba where it is
    # used, with `digamma` and `rising` from the module of the first name. ``table`` is (2, m) for counts: with the size
    # phi, ``table[0, k]`` = log Gamma(phi + k) - log Gamma(phi), ``table[1, k]`` its derivative with respect to phi;
    # `rising` reads both, and goes on where the table ends. None for a family that PyMC alone samples and that has no
    # maximum-likelihood fit.
    kernel: Callable[..., float] | None = None
    # ``(y, eta, t) -> value, first, second``: the log-density and its derivatives by eta and t, the logarithm of the
    # only parameter (..., 1), for one fit without compiled code; a count leaves out -log y!.
    derivatives: Callable[[Array, Array, Array], Derivatives] | None = None
    ordered: bool = False  # cutpoints in place of an intercept
    bounded: bool = False  # on the interval between the variable's least and greatest value
    # Whether there is a second linear predictor, of the probability (logit) of a zero: ``inflated`` for zeros of a kind
    # of their own, ``hurdle`` for all of them; '' for none.
    zero_part: Literal["", "inflated", "hurdle"] = ""
    sized: bool = False  # whether the kernel needs ``table``; the size is then the parameter ``phi``
    # Whether the response is the observed value of a latent variable, with known measurement error: ``aux`` is then
    # (sigma, s), and every function speaks of the observed value, whose SD is sqrt(sigma^2 + s^2). The latent value
    # given the observed one is N(eta + w (y - eta), sigma^2 (1 - w)), w = sigma^2/(sigma^2 + s^2).
    latent: bool = False
    gaussian: bool = False  # whether the response, or its logarithm, is normal around eta
    logged: bool = False  # whether the predictor is that of the response's logarithm
    # Whether missing values of a mediator have an account in the compiled engine: numbers as hidden values, levels by a
    # sum.
    missing: Literal["", "number", "levels"] = ""
    # ``(pm, name, aux, dims) -> standardised residual`` in PyMC, where that is not normal.
    residual: Callable[..., Any] | None = None
    # ``(z, aux) -> standardised residual`` at the same probability as a standard normal z.
    residual_quantile: Callable[[Array, Array], Array] | None = None
    # ``y -> (value, weight)``: what a response says on the scale of eta, and a factor of its precision there, which
    # follows from the first parameter as ``precision`` says: ``sd`` (1/sd^2), ``precision``, ``size`` (of a count),
    # ``weight`` (the factor alone). A count's is that of its logarithm. None where it is not said.
    on_link: Callable[[Array], tuple[Array, Array]] | None = None
    precision: Precision = "weight"
    # Of the mean mu, up to a constant, in a quasi-likelihood: ``mu`` stands for mu + a mu^2 with a by moments; ``1``
    # for least squares on the scale of `to_link`.
    variance: Variance = "1"
    latent_sd: float | None = None  # SD of the errors behind a link that fixes their scale
    light_tailed: bool = False  # whether the likelihood falls faster than an exponential of eta on one side
    disperses: bool = True  # whether a count beyond its mean has a spread of its own

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters beside coefficients and cutpoints."""
        return tuple(parameter.name for parameter in self.scalars)

    @property
    def words(self) -> str:
        """Name in a sentence."""
        return self.name.replace("_", " ")

    @property
    def ratio(self) -> str:
        """Word for the ratio of two of the response's means; '' for responses whose means can be 0 or negative."""
        words = {"count": "rate ratio", "binary": "risk ratio", "positive": "ratio of means"}
        return words.get(self.response, "")

    @property
    def ratio_scale(self) -> str:
        """Scale of effects on an outcome as ratios; '' for none."""
        if self.response == "binary":
            return RISK_RATIO
        return RATE_RATIO if self.outcome in EXPONENTIAL else ""

    @property
    def heavy_tailed(self) -> bool:
        """Whether exp(slope * response) has no mean, so that only linear means can follow."""
        return self.residual is not None

    @property
    def log_mean(self) -> bool:
        """Whether the logarithm of the mean is linear in the predictor."""
        return self.link == "log" or self.logged

    @property
    def predictor(self) -> str:
        """Scale of the linear predictor: ``log rate``, ``log mean``, ``log odds``, ``probit``; '' for its own."""
        if self.log_mean:
            return "log rate" if self.response == "count" else "log mean"
        return {"logit": "log odds", "probit": "probit"}.get(self.link, "")

    @property
    def has_density(self) -> bool:
        """Whether a value has a density with a spread that can go to 0; others have probabilities."""
        return self.response in ("real", "positive")

    def likelihood(
        self, pm: PyMC, name: str, eta: Tensor, zeta: Tensor, aux: Tensor, y: Tensor, dims: str | None = "patient"
    ) -> Tensor:
        """Return the PyMC variable of observed responses; those of whole numbers are integers."""
        distribution, parameters = self.pymc(pm, eta, zeta, aux)
        return getattr(pm, distribution)(name, **parameters, observed=y, dims=dims)

    def to_link(self, y: Array) -> Array:
        """Return responses whose predictor is a mean: their logarithms where it is that of these."""
        return np.log(y) if self.logged else y


SIGMA = Parameter("sigma", "the residual SD", start=None)
PHI = Parameter("phi", "the overdispersion")
NU = Parameter("nu", "the degrees of freedom", start=10.0)
PRECISION = Parameter("precision", "the precision", start=5.0)
SHAPE = Parameter("shape", "the shape", moments=lambda mean, sd: (mean / max(sd, 1e-9)) ** 2)
