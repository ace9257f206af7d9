"""The families an equation can have: adding one is one file and one line here."""

from __future__ import annotations

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.bernoulli import BERNOULLI_LOGIT
from bayes_sp.model.families.beta import BETA
from bayes_sp.model.families.counts import NEGATIVE_BINOMIAL, POISSON
from bayes_sp.model.families.normal import LATENT_NORMAL, NORMAL, STUDENT_T
from bayes_sp.model.families.ordered import ORDERED_LOGIT, ORDERED_PROBIT
from bayes_sp.model.families.positive import GAMMA, LOGNORMAL
from bayes_sp.model.families.zeros import HURDLE_NEGATIVE_BINOMIAL, ZERO_INFLATED_NEGATIVE_BINOMIAL

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        NORMAL,
        STUDENT_T,
        LATENT_NORMAL,
        ORDERED_LOGIT,
        ORDERED_PROBIT,
        BETA,
        BERNOULLI_LOGIT,
        POISSON,
        NEGATIVE_BINOMIAL,
        ZERO_INFLATED_NEGATIVE_BINOMIAL,
        HURDLE_NEGATIVE_BINOMIAL,
        GAMMA,
        LOGNORMAL,
    )
}


def scalar_parameters() -> tuple[str, ...]:
    """Return the names of every parameter beside coefficients, cutpoints and shares: the families', and groups' SD."""
    own = (name for family in FAMILIES.values() for name in family.parameters)
    return (*dict.fromkeys(own), "tau")
