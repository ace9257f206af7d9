"""Rules for priors: one for every parameter, on its support, and none for a parameter that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.distributions import SHARES, Support
from bayes_sp.model.families.registry import scalar_parameters
from bayes_sp.model.path_model import WHOLE_MODEL, Equation, PathModel
from bayes_sp.model.terms import ZERO, covariate_terms
from bayes_sp.names import RESIDUAL_CORRELATION

WORDS: dict[Support, tuple[str, str]] = {
    "real": ("on the real numbers", "real"),
    "positive": ("on the positive numbers", "positive"),
    "simplex": ("on shares that add up to 1", "simplex"),
    "correlation": ("on correlations, from -1 to 1", "correlation"),
}


def prior_problems(model: PathModel) -> Iterator[str]:
    """Yield every prior that is missing, is for nothing, or has the wrong support."""
    responses = {equation.response: equation for equation in model.equations}
    incomplete = {
        name: _incomplete_names(model, name) for name in (model.exposure, *(c.name for c in model.covariates))
    }
    for where, name, prior in model.priors:
        key = f"priors.{where}.{name}" if where else f"priors.{name}"
        if where in incomplete:
            allowed = incomplete[where]
        else:
            equations = model.equations if where == WHOLE_MODEL else (responses[where],)
            allowed = {"covariate"}.union(*(_names(model, equation) for equation in equations))
        needed: Support = "simplex" if name == SHARES else "positive" if name in scalar_parameters() else "real"
        needed = "correlation" if name == RESIDUAL_CORRELATION else needed
        if name not in allowed:
            yield f"{key}: there is no such parameter{nearest(name, allowed)}"
        elif prior.support != needed:
            found, wanted = WORDS[prior.support][0], WORDS[needed][1]
            yield f"{key}.dist: {prior} is a distribution {found}; {name} needs a {wanted} one"
    for equation in model.equations:
        for parameter in prior_parameters(model, equation):
            if model.prior(equation.response, parameter) is None:
                kind = model.prior_names(parameter)[-1]
                yield f"priors.{kind}: is missing; {equation.response} needs a prior for {parameter}"


def prior_parameters(model: PathModel, equation: Equation) -> tuple[str, ...]:
    """Return every parameter of an equation, as its prior is asked for."""
    zero = (ZERO + term for term in model.zero_terms(equation))
    return (*model.terms(equation), *model.parameters(equation), *zero)


def _incomplete_names(model: PathModel, name: str) -> set[str]:
    """Return every name under which a prior can stand in the equation of a variable that is no response."""
    others = (term for c in model.covariates if c.name != name for term in covariate_terms(c))
    own = {"intercept", "slope", "covariate", "sigma", "cutpoint"}.union(*(term.prior_names for term in others))
    return own if name == model.exposure else own | {model.exposure}


def _names(model: PathModel, equation: Equation) -> set[str]:
    """Return every name under which a prior of an equation's parameters can stand."""
    return {name for parameter in prior_parameters(model, equation) for name in model.prior_names(parameter)}
