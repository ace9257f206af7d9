"""How to sample: the options that change draws or time, without importing a sampler."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Integral
from typing import Any, Literal, get_args

from bayes_sp.errors import FitWarning, warn

Method = Literal["nuts", "laplace", "pymc"]
PARETO_K_LIMIT = 0.7  # above it importance resampling does not give the posterior
LEAST_LAPLACE_DRAWS = 1000  # they are to be worth half as many independent ones, and 400 are needed
METHODS: tuple[str, ...] = get_args(Method)
TARGET_ACCEPT, TARGET_OF_MANY, TARGET_GROUPED, TARGET_INTEGRATED = 0.8, 0.65, 0.9, 0.95
LEAST_RELIABILITY = 0.5  # of a measurement that says enough of a true value
R_HAT_LIMIT = 1.01
ESS_LIMIT = 400  # draws that independent ones would have to be worth, for every parameter and effect
LEAST_TUNE = 10  # warm-up draws in which a step size near the mode's settles
LEAST_ACCEPT = 0.5  # of a mean acceptance to tune to: below it steps are so long that chains stand still


def shortfall(chains: int, draws: int, needed: int = ESS_LIMIT) -> str:
    """Return why so many chains of so many draws cannot pass the diagnostics, whatever they say; '' where they can."""
    if chains < 2:
        return "R-hat compares chains, and there is one; use at least 2 (4 are better)"
    if chains * draws < needed:
        return f"{chains} chains of {draws} draws are fewer than the {needed} effective draws that are needed"
    return ""


def warn_of_options(options: SamplerOptions, needed: int = ESS_LIMIT) -> None:
    """Warn, before sampling, of options whose draws will not be usable (`FitWarning`)."""
    if options.method == "laplace":
        return
    short = shortfall(options.chains, options.draws, needed)
    if not short and options.tune < LEAST_TUNE:
        short = f"in {options.tune} warm-up draws no step size is found; at least {LEAST_TUNE} are needed"
    if not short and options.target_accept is not None and options.target_accept < LEAST_ACCEPT:
        short = f"with target_accept {options.target_accept:g} chains stand still; use {LEAST_ACCEPT} to 0.99"
    if short:
        warn(f"these results will not be usable: {short}", FitWarning)


@dataclass(frozen=True)
class SamplerOptions:
    """How to sample.

    Attributes
    ----------
    draws, tune, chains
        Kept draws and warm-up draws of each chain, number of chains. Chains start near the posterior's mode and move
        on the scale of its curvature, so 300 warm-up draws are enough to tune the step size.
    most_draws
        Draws of each chain that are taken instead where ``draws`` are too few and nothing else is wrong: R-hat or
        effective sample sizes of the parameters miss their limits, and so many draws should reach them. None: ``draws``
        as they are. A fit to which no options are given takes up to 4000. Only with the method ``"nuts"``.
    cores
        Chains run at the same time; it changes the time, never the draws.
    target_accept
        Mean acceptance that the step size is tuned to. None is 0.8; 0.65, the most efficient one for many
        numbers of like scale (Beskos et al. 2013, doi:10.3150/12-BEJ414), where more hidden values of single patients
        than parameters are sampled and no reliability is below 0.5; 0.9 with groups, whose SD may have a wide
        posterior; and 0.95 where hidden values are integrated out, which leaves few parameters and, with a low
        reliability, narrow bends.
    method
        ``"nuts"``, or ``"laplace"``: the normal approximation at the mode with Pareto-smoothed importance resampling,
        for surveys too large for NUTS; then ``draws`` are independent draws in all (in four equal groups in
        place of chains), and warm-up, chains and target_accept do not apply; or ``"pymc"``: `pm.sample` on the plain
        PyMC model, compiled for the purpose, for those who want to see that it says the same.

    Raises
    ------
    ValueError
        For values that nothing can be sampled with.

    Examples
    --------
    >>> from bayes_sp import SamplerOptions
    >>> SamplerOptions(draws=2000, chains=2).draws
    2000
    """

    draws: int = 1000
    tune: int = 300
    chains: int = 4
    cores: int = 2
    target_accept: float | None = None
    method: Method = "nuts"
    most_draws: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1), ("cores", 1), ("most_draws", 4)):
            value = getattr(self, name)
            if name == "most_draws" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, found {value!r}")
        if self.method == "laplace" and self.draws < LEAST_LAPLACE_DRAWS:
            raise ValueError(f"laplace needs draws of at least {LEAST_LAPLACE_DRAWS}, found {self.draws}")
        if self.target_accept is not None and not 0 < self.target_accept < 1:
            raise ValueError(f"target_accept must be between 0 and 1, found {self.target_accept!r}")
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, found {self.method!r}")

    def chosen(self) -> dict[str, Any]:
        """Return the options as a table, without those that are left to the model."""
        return {name: value for name, value in asdict(self).items() if value is not None}


MOST_DRAWS = 4000  # of each chain, where those of the default are too few
MANY = 10  # sets of records from which on each needs fewer draws than a fit on its own
EACH = SamplerOptions(draws=500, tune=200, chains=2)  # then


def usual_options(sets: int = 1) -> SamplerOptions:
    """Return the options of a fit, or of each of several, where none are given."""
    return EACH if sets >= MANY else SamplerOptions(most_draws=MOST_DRAWS)
