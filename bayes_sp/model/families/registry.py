"""The families an equation can have: adding one is one file and one line here."""

from __future__ import annotations

import re

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.bernoulli import BERNOULLI_LOGIT
from bayes_sp.model.families.beta import BETA
from bayes_sp.model.families.counts import NEGATIVE_BINOMIAL, POISSON
from bayes_sp.model.families.normal import LATENT_NORMAL, NORMAL, STUDENT_T
from bayes_sp.model.families.ordered import ORDERED_LOGIT, ORDERED_PROBIT
from bayes_sp.model.families.positive import GAMMA, LOGNORMAL
from bayes_sp.model.families.zeros import HURDLE_NEGATIVE_BINOMIAL, ZERO_INFLATED_NEGATIVE_BINOMIAL
from bayes_sp.names import RESIDUAL_CORRELATION

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

SYNONYMS: dict[str, str] = {synonym: family.name for family in FAMILIES.values() for synonym in family.synonyms}


def family_name(given: str) -> str:
    """Return a family's own name for the name that it is given, in any case and with any sign between its words.

    A name that no family has is returned as it is.

    Examples
    --------
    >>> family_name("Neg. Binomial"), family_name("gaussian"), family_name("cauchy")
    ('negative_binomial', 'normal', 'cauchy')
    """
    if given in FAMILIES:
        return given
    folded = re.sub(r"[^a-z0-9]+", "_", given.casefold()).strip("_")
    return folded if folded in FAMILIES else SYNONYMS.get(folded, given)


def scalar_parameters() -> tuple[str, ...]:
    """Return names of parameters beside coefficients, cutpoints and shares: families', groups' SD, a correlation."""
    own = (name for family in FAMILIES.values() for name in family.parameters)
    return (*dict.fromkeys(own), "tau", RESIDUAL_CORRELATION)
