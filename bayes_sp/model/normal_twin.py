"""The normal twin of a specification: what changes when only the likelihood does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import WHOLE_MODEL, Equation, PathModel
from bayes_sp.model.reading.load import find_model, load_model
from bayes_sp.model.shifts import POINTS, shift_scale

REFERENCE = "flat reference prior of the derived normal twin"
# What of an equation least squares has no place for, and its name in a note on the twin; all else the twin has too.
LEFT_OUT = {
    "interactions": "interactions",
    "log1p": "log1p of counts",
    "monotonic": "monotonic steps",
    "varying": "intercepts by group",
    "zero": "the zero part",
    "reliability": "measurement error",
    "observed_sd": "",
    "offset": "",
    "offset_reference": "",
}


def twin_of(model: PathModel) -> PathModel:
    """Return the specification with normal likelihoods that the comparison sets beside a model.

    A model whose equations are all normal is its own twin. Otherwise it is the specification that ``twin`` names,
    or, where none is named, the model itself with every family normal and flat priors on coefficients and residual
    SDs, so that its posterior is the one that corresponds to least squares. What least squares has no place for is
    left out: interactions, log1p of counts, monotonic steps, groups, windows, zero parts, measurement error and
    unmeasured confounders; and shifts of missing values that are not in the response's own unit.

    Raises SpecificationError where the named twin cannot be read, has another chain, other paths, other columns or
    another contrast, or an equation that is not normal.
    """
    if all(equation.family == "normal" for equation in model.equations):
        return model
    if not model.twin:
        flat, half_flat = Prior("flat", (), REFERENCE), Prior("half_flat", (), REFERENCE)
        dropped: dict[str, Any] = {name: getattr(Equation, name) for name in LEFT_OUT}
        equations = tuple(replace(e, family="normal", residual_correlations=(), **dropped) for e in model.equations)
        plain = replace(model, equations=equations)
        used = {covariate.name for equation in equations for covariate in plain.covariates_of(equation)}
        used |= {exposure.name for exposure in model.exposures}
        plain = replace(plain, covariates=tuple(c for c in model.covariates if c.name in used))
        return replace(
            plain,
            unmeasured=(),
            name=f"{model.name} (normal twin)",
            missing_shift=tuple(shift for shift in model.missing_shift if shift_scale(model, shift[0])[0] == POINTS),
            variables=tuple(variable for variable in model.variables if variable.name in plain.columns),
            priors=((WHOLE_MODEL, "intercept", flat), (WHOLE_MODEL, "slope", flat), (WHOLE_MODEL, "sigma", half_flat)),
        )
    try:
        twin = load_model(find_model(model.twin, model.folder))
    except SpecificationError as error:
        problems = [f"twin: {error.source}: {problem}" for problem in error.problems]
        raise SpecificationError(model.name, problems) from error
    problems = []
    if twin.chain != model.chain:
        problems.append(f"twin: {twin.name} has the chain {', '.join(twin.chain)}; it must be {', '.join(model.chain)}")
    elif twin.named_paths() != model.named_paths():
        problems.append(f"twin: {twin.name} has other paths; its equations must have the parents of {model.name}'s")
    if other := [name for name in twin.columns if name not in model.columns]:
        problems.append(f"twin: {twin.name} needs {', '.join(other)}; every column must be one of {model.name}")
    if (twin.exposures, twin.joint) != (model.exposures, model.joint):
        problems.append(f"twin: {twin.name} has other [exposures]; it must compare what {model.name} compares")
    elif twin.contrast != model.contrast:
        problems.append(f"twin: {twin.name} has the contrast {list(twin.contrast)}; it must be {list(model.contrast)}")
    problems += [
        f'twin: in {twin.name} the family of {equation.response} is "{equation.family}"; it must be "normal"'
        for equation in twin.equations
        if equation.family != "normal"
    ]
    if twin.confounders:
        problems.append(f"twin: {twin.name} has unmeasured confounders, of which least squares knows nothing")
    if problems:
        raise SpecificationError(model.name, problems)
    return twin


def likelihoods(model: PathModel) -> tuple[PathModel, ...]:
    """Return what posterior and bootstrap are compared for: the normal twin, where there is another, and the model."""
    twin = twin_of(model)
    return (model,) if twin == model or model.windows else (twin, model)


def twin_notes(model: PathModel) -> list[str]:
    """Return sentences on what the normal twin leaves out of a model, or why there is none."""
    if model.windows:
        return ["no normal twin: outcomes over windows of different lengths have no place in least squares"]
    named = ", ".join(confounder.name for confounder in model.confounders)
    has_twin = any(equation.family != "normal" for equation in model.equations)
    assumed = [f"the normal twin takes nothing to be unmeasured: it has no {named}"] if named and has_twin else []
    if model.twin:
        shifted = [f"the normal twin {model.twin} has its own missing_shift, not this model's"]
        return [*assumed, *(shifted if model.missing_shift else [])]
    parts = {word: any(getattr(e, name) for e in model.equations) for name, word in LEFT_OUT.items() if word}
    parts |= {
        "the zero part": any(model.zero_terms(equation) for equation in model.equations),
        "shifts of missing values on other scales": any(
            shift_scale(model, name)[0] != POINTS for name, _ in model.missing_shift
        ),
    }
    left = [name for name, given in parts.items() if given]
    return [*assumed, *([f"the normal twin leaves out {', '.join(left)}"] if left else [])]
