"""Do the published coefficients come back from the published Table 2? Least squares needs its moments only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.inference.likelihood.chain import Chain, ChainFit, chain_least_squares
from bayes_sp.inference.likelihood.least_squares import Moments
from bayes_sp.names import ARROW, TOTAL, path_name
from bayes_sp.records.published.article import PublishedStudy
from bayes_sp.records.published.printed import Printed

RECONSTRUCTION_NOTE = (
    "The patients' records are not public. These were made to give back the published means, SDs and correlations "
    "after rounding (the change score's three correlations, which no records can have together, within .0003); no "
    "real patient stands behind a row. The moments leave open what the counts' tails look like, and results about "
    "appointments depend on that."
)
RECOVERY_NOTE = (
    "Least squares from the printed means, SDs and correlations alone (PROCESS model 6, n = 178, every published "
    "covariate but employment, which is not in Table 2). What does not come back points to employment and to a "
    "different analysis sample."
)
CHAIN = ("group_change", "belonging_t1", "loneliness_t1", "appointments_t1")


@dataclass(frozen=True)
class Recovered:
    """A published number beside the one that Table 2 gives."""

    name: str  # ``response ~ term`` for a coefficient, a path's name, or ``total``
    # published, published_se: as printed; the standard error is None where the article prints none for a comparable
    # quantity.
    published: Printed
    published_se: Printed | None
    # recovered, recovered_se: by least squares from the printed moments; the standard error is None for products and
    # sums.
    recovered: float
    recovered_se: float | None

    @property
    def agrees(self) -> bool:
        """Whether the recovered value rounds to the printed one."""
        return bool(abs(self.recovered - self.published.value) <= self.published.half_unit)

    @property
    def apart(self) -> float:
        """Distance of the recovered value from the printed one, in published standard errors; NaN without one."""
        if self.published_se is None:
            return float("nan")
        return abs(self.recovered - self.published.value) / self.published_se.value


def table2_moments(study: PublishedStudy) -> Moments:
    """Return the moments of Table 2.

    Where the table prints no mean or SD (gender, relationship, education) 0 and 1 stand in: they change the unit of
    that variable's own slopes and the intercepts, which are not reported, and nothing else.
    """
    mean = np.where(np.isnan(study.means), 0.0, study.means)
    sd = np.where(np.isnan(study.sds), 1.0, study.sds)
    return Moments(study.names, mean, sd, study.correlations, study.n)


def published_chain(study: PublishedStudy) -> Chain:
    """Return the published chain with every published covariate that is in Table 2 (employment is not)."""
    covariates = tuple(name for name in study.covariates.names if name in study.names)
    return Chain(CHAIN[0], CHAIN[1:-1], CHAIN[-1], covariates)


def recover_published(study: PublishedStudy) -> tuple[tuple[Recovered, ...], ChainFit]:
    """Compute every published coefficient and model-6 effect from Table 2 alone, and the chain's fit to it.

    The three published coefficients come first, then the serial, direct and total effects.
    """
    fit = chain_least_squares(table2_moments(study), published_chain(study))
    found = []
    for printed in study.coefficients:
        equation = next(equation for equation in fit.equations if equation.response == printed.response)
        place = equation.terms.index(printed.term)
        value, error = float(equation.coefficients[place]), float(equation.standard_errors[place])
        found.append(Recovered(f"{printed.response} ~ {printed.term}", printed.estimate, printed.se, value, error))
    names = [path_name((CHAIN[0], *(CHAIN[1 + k] for k in path), CHAIN[-1])) for path in fit.paths]
    by_name = dict(zip(names, fit.products, strict=True))
    by_name[TOTAL] = fit.total
    for effect in study.effects:
        if effect.path in by_name and effect.model == 6:
            direct = effect.path.count(ARROW) == 1
            place = fit.equations[-1].terms.index(CHAIN[0])
            spread = float(fit.equations[-1].standard_errors[place]) if direct else None
            found.append(Recovered(effect.path, effect.readings[0], effect.se, float(by_name[effect.path]), spread))
    return tuple(found), fit
