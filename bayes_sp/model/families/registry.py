"""The families an equation can have: adding one is one file and one line here."""

from __future__ import annotations

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.bernoulli_logit import BERNOULLI_LOGIT
from bayes_sp.model.families.beta import BETA
from bayes_sp.model.families.gamma import GAMMA
from bayes_sp.model.families.hurdle_negative_binomial import HURDLE_NEGATIVE_BINOMIAL
from bayes_sp.model.families.latent_normal import LATENT_NORMAL
from bayes_sp.model.families.lognormal import LOGNORMAL
from bayes_sp.model.families.negative_binomial import NEGATIVE_BINOMIAL
from bayes_sp.model.families.normal import NORMAL
from bayes_sp.model.families.ordered_logit import ORDERED_LOGIT
from bayes_sp.model.families.ordered_probit import ORDERED_PROBIT
from bayes_sp.model.families.poisson import POISSON
from bayes_sp.model.families.student_t import STUDENT_T
from bayes_sp.model.families.zero_inflated_negative_binomial import ZERO_INFLATED_NEGATIVE_BINOMIAL

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
