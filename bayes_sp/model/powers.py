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
        dirichlet              alpha' = a (alpha - 1) + 1
        flat, half_flat        unchanged

    Parameters
    ----------
    prior
        Any prior of a specification.
    alpha
        The power, above 0: below 1 it weakens the prior, above 1 it strengthens it.

    Raises
    ------
    ValueError
        For a power that is not above 0.
    SpecificationError
        Where the power of the density has no finite integral.

    References
    ----------
    Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
    """
    if not 0.0 < alpha < math.inf:
        raise ValueError(f"the power of a prior must be above 0, found {alpha!r}")
    constants = _constants(prior, alpha)
    names = ("nu",) if prior.dist in ("student_t", "half_student_t") else ("alpha",)
    if any(constants.get(name, 1.0) <= 0.0 for name in names):
        raise SpecificationError(str(prior), [f"its density to the power {alpha:g} has no finite integral"])
    if "nu" in constants:
        values = prior.values
        constants["sigma"] = values["sigma"] * math.sqrt(values["nu"] / constants["nu"])
    why = f"{prior.why} (density to the power {alpha:g})" if alpha != 1.0 else prior.why
    return replace(prior, constants=tuple((name, constants[name]) for name, _ in prior.constants), why=why)


def _constants(prior: Prior, alpha: float) -> dict[str, float]:
    """Return the constants of the power by name; of a Student t, all but the scale."""
    values = prior.values
    if prior.dist in ("normal", "half_normal"):
        return {**values, "sigma": values["sigma"] / math.sqrt(alpha)}
    if prior.dist in ("student_t", "half_student_t"):
        return {**values, "nu": alpha * (values["nu"] + 1.0) - 1.0}
    if prior.dist == "laplace":
        return {**values, "b": values["b"] / alpha}
    if prior.dist == "exponential":
        return {"scale": values["scale"] / alpha}
    if prior.dist == "gamma":
        return {"alpha": alpha * (values["alpha"] - 1.0) + 1.0, "beta": alpha * values["beta"]}
    if prior.dist == "inverse_gamma":
        return {"alpha": alpha * (values["alpha"] + 1.0) - 1.0, "beta": alpha * values["beta"]}
    if prior.dist == "lognormal":
        sigma = values["sigma"] / math.sqrt(alpha)
        return {"mu": values["mu"] + (1.0 - alpha) * sigma**2, "sigma": sigma}
    if prior.dist == "dirichlet":
        return {"alpha": alpha * (values["alpha"] - 1.0) + 1.0}
    return values


def scaled_model(model: PathModel, entries: Collection[tuple[str, str]], alpha: float) -> PathModel:
    """Return the specification with the priors of these (equation or '', name) to a power.

    Raises
    ------
    SpecificationError
        Naming every prior whose power has no finite integral.
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
