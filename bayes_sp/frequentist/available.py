"""Which specifications have a maximum-likelihood fit here, and the records that it can use."""

from __future__ import annotations

from dataclasses import replace

from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import design_arrays
from bayes_sp.survey.design import Design
from bayes_sp.survey.records import Survey


def no_likelihood_fit(model: PathModel) -> tuple[str, ...]:
    """Return why a specification has no maximum-likelihood fit here, one reason for each part; () where it has one.

    Least squares and negative binomial maximum likelihood know columns of numbers, the same covariates in every
    equation, and nothing else.
    """
    found = [
        f"{unmeasured.name}: an unmeasured confounder, whose values maximum likelihood has no place for"
        for unmeasured in model.confounders
    ]
    for equation in model.equations:
        last = equation.response == model.outcome
        if equation.family not in (("normal", "negative_binomial") if last else ("normal",)):
            found.append(f"{equation.response}: the family {equation.family}")
        if equation.covariates is not None and set(equation.covariates) != {c.name for c in model.covariates}:
            found.append(f"{equation.response}: covariates of its own")
        parts = {
            "interactions": equation.interactions,
            "monotonic effects": equation.monotonic,
            "intercepts by group": equation.varying,
            "observation windows": equation.offset,
        }
        found += [f"{equation.response}: {name}" for name, given in parts.items() if given]
    return tuple(found)


def complete_design(model: PathModel, survey: Survey) -> tuple[Design, str]:
    """Return the design of the records without missing cells, and a sentence on those left out ('' for none)."""
    design = design_arrays(replace(model, missing="complete"), survey)
    note = f"uses the {design.n} of {len(survey)} records without missing cells" if design.dropped else ""
    return design, note
