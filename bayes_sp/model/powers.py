"""A prior's density to a power: every family of priors is closed under powers, so that it is a prior again."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel


def scaled_prior(prior: Prior, alpha: float) -> Prior:
    r"""Return the prior whose density is proportional to :math:`p(x)^\alpha`, in closed form.

    With a for alpha::

        normal, half_normal    sigma' = sigma / sqrt(a)
        student_t, half_...    nu' = a (nu + 1) - 1,  nu' sigma'^2 = nu sigma^2
        laplace                b' = b / a
        exponential            scale' = scale / a
        gamma                  alpha' = a (alpha - 1) + 1,  beta' = a beta
        inverse_gamma          alpha' = a (alpha + 1) - 1,  beta' = a beta
        lognormal              sigma' = sigma / sqrt(a),  mu' = mu + (1 - a) sigma'^2
        lkj                    eta' = a (eta - 1) + 1
        dirichlet              alpha' = a (alpha - 1) + 1
        flat, half_flat        unchanged

    Raises ValueError for a power that is not above 0; SpecificationError where the power of the density has no finite
    integral.

    Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
    """
    if not 0.0 < alpha < math.inf:
        raise ValueError(f"the power of a prior must be above 0, found {alpha!r}")
    known = prior.distribution
    numbers = known.power(alpha, *prior.numbers)
    if not all(value > 0.0 for name, value in zip(known.arguments, numbers, strict=True) if name in known.positive):
        raise SpecificationError(str(prior), [f"its density to the power {alpha:g} has no finite integral"])
    return prior.with_numbers(numbers, f"{prior.why} (density to the power {alpha:g})" if alpha != 1.0 else prior.why)


def scaled_model(model: PathModel, entries: Collection[tuple[str, str]], alpha: float) -> PathModel:
    """Return the specification with the priors of these (equation or '', name) to a power.

    Raises SpecificationError naming every prior whose power has no finite integral.
    """
    priors, problems = [], []
    for where, key, prior in model.priors:
        if (where, key) in entries:
            try:
                scaled = scaled_prior(prior, alpha)
            except SpecificationError as error:
                name = f"priors.{where}.{key}" if where else f"priors.{key}"
                problems.append(f"{name}: {error}")
                continue
            priors.append((where, key, scaled))
        else:
            priors.append((where, key, prior))
    if problems:
        raise SpecificationError(model.name, problems)
    return replace(model, priors=tuple(priors))
