"""The bootstrap's part of a comparison, or the reason why there is none."""

from __future__ import annotations

from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap.available import complete_design, no_likelihood_fit
from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult, bootstrap
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.survey import Survey


def bootstrap_of(
    model: PathModel, survey: Survey, seed: int, replicates: int, ci_prob: float
) -> tuple[BootstrapResult | None, list[str]]:
    """Return the percentile bootstrap of a specification, and sentences on what it leaves out or why there is none."""
    name = f"{model.equations[-1].family.replace('_', ' ')} bootstrap"
    if reasons := no_likelihood_fit(model):
        return None, [f"not available: {name}: there is no maximum-likelihood fit here for {'; '.join(reasons)}"]
    try:
        design, note = complete_design(model, survey)
        found = bootstrap(design, model, seed=seed, replicates=replicates, ci_prob=ci_prob)
    except SurveyError as error:  # the posterior stands without it
        return None, [f"not available: {name}: {'; '.join(error.problems)}"]
    return found, [f"the {name} {note}"] if note else []
