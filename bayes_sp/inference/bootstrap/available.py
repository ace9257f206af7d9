"""Which specifications have a maximum-likelihood fit here, and the records that it can use."""

from __future__ import annotations

from dataclasses import replace

from bayes_sp.design.build import design_arrays
from bayes_sp.design.design import Design
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of
from bayes_sp.records.codes import without_codes
from bayes_sp.records.small_counts import share_words
from bayes_sp.records.survey import Survey

COUNTS = ("negative_binomial", "poisson")


MOST_STEPS = 6  # of monotonic effects in one equation: 2**6 sets of steps that are not 0 to choose from


def no_likelihood_fit(model: PathModel) -> tuple[str, ...]:
    """Return why a specification has no maximum-likelihood fit here, one reason for each part; () where it has one."""
    found = [
        f"{unmeasured.name}: an unmeasured confounder, whose values maximum likelihood has no place for"
        for unmeasured in model.confounders
    ]
    found += [
        f'{equation.response}: the family "{equation.family}" has no derivatives for maximum likelihood'
        for equation in model.equations
        if FAMILIES[equation.family].kernel is None
    ]
    measured = [equation.response for equation in model.equations if FAMILIES[equation.family].latent]
    if len(measured) > 1:
        found.append(f"{', '.join(measured)}: more than one response measured with error")
    for equation in model.equations:
        if set(equation.monotonic) & set(measured):
            found.append(f"{equation.response}: a monotonic effect of a response measured with error")
        if equation.varying:
            found.append(f"{equation.response}: intercepts by group")
        steps = sum(model.coding(name).levels - 1 for name in equation.monotonic)
        if steps > MOST_STEPS:
            found.append(f"{equation.response}: monotonic effects with {steps} steps, more than {MOST_STEPS}")
    return tuple(found)


def is_plain(model: PathModel) -> bool:
    """Whether a chain has normal mediators, a normal or count outcome, every covariate everywhere and nothing else."""
    every = {covariate.name for covariate in model.covariates}
    return (
        all(
            equation.family in (("normal", *COUNTS) if equation.response == model.outcome else ("normal",))
            and (equation.covariates is None or set(equation.covariates) == every)
            and not equation.varying
            and all(len(term.factors) < 2 and term.steps is None for term in predictors_of(model, equation)[0].terms)
            for equation in model.equations
        )
        and not model.confounders
        and not model.exposures
        and (not model.correlated or model.outcome_family.outcome == "identity")
    )


def complete_design(model: PathModel, survey: Survey) -> tuple[Design, str]:
    """Return the design of the records without missing cells, and a sentence on those left out ('' for none)."""
    cells = without_codes(model, survey).records.reindex(columns=list(model.columns))
    whole = cells.notna().all(axis=None)
    design = design_arrays(model if whole else replace(model, missing="complete"), survey)
    note = f"uses {share_words(design.n, len(survey))} records without missing cells" if design.dropped else ""
    return design, note
