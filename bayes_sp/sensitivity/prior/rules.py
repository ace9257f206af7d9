"""The same specification under other priors: rules that apply to any specification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.terms import ZERO
from bayes_sp.sensitivity.prior.terms import (
    COEFFICIENTS,
    INTERCEPTS,
    PATHS,
    Term,
    arrow,
    centred,
    changed,
    cutpoints,
    members,
    prior_of,
    scaled,
)
from bayes_sp.shown import Part, Shown

SCEPTICAL_FACTOR = 0.5
WIDE_FACTOR = 4.0


@dataclass(frozen=True, repr=False)
class Alternative(Shown):
    """One specification under other priors.

    Attributes
    ----------
    name
        Short: ``sceptical``.
    why
        What was changed, and for what question.
    model
        The specification, complete: ``fit(alternative.model)`` needs nothing else.
    notes
        Priors that the rule could not change.
    """

    name: str
    why: str
    model: PathModel
    notes: tuple[str, ...] = ()

    def _shown(self) -> tuple[str, list[Part]]:
        priors = [f"{arrow(term)}: {prior_of(self.model, term)}" for term in members(self.model, PATHS)]
        return f"{self.name}, {self.why}", [priors, *self.notes]


def primary(model: PathModel) -> Alternative:
    """Return the specification with its own priors, as written."""
    return Alternative("primary", "the specification's own priors, as written", model)


def sceptical(model: PathModel) -> Alternative:
    """Centre every coefficient on the paths at 0 with half of its scale; everything else as written.

    Coefficients on the paths: slopes of exposure and mediators and their interactions, in zero parts too. A flat prior
    has no scale and stays, which a note says.
    """
    why = "sceptical: centred at 0 with half of the scale as written"
    terms = members(model, PATHS)
    return Alternative(
        "sceptical",
        "every coefficient on the paths centred at 0 with half of its scale; everything else as written",
        changed(model, terms, lambda prior: centred(prior, SCEPTICAL_FACTOR, why), "sceptical"),
        _without_scale(model, terms),
    )


def wide(model: PathModel) -> Alternative:
    """Make the scale of every coefficient's prior four times as wide: paths, covariates, intercepts and cutpoints.

    Zero parts too. Residual SDs, dispersions, shares and other parameters keep theirs, and so do flat priors.
    """
    why = "wide: four times the scale as written"
    terms = (*members(model, COEFFICIENTS), *cutpoints(model))
    return Alternative(
        "wide",
        "every coefficient's scale four times as wide, of covariates, intercepts and cutpoints too",
        changed(model, terms, lambda prior: scaled(prior, WIDE_FACTOR, why), "wide"),
        _without_scale(model, terms),
    )


def flat(model: PathModel) -> Alternative:
    """Give every coefficient a flat prior.

    Residual SDs, dispersions, shares and other scales keep theirs: the likelihood of a dispersion does not vanish at
    its ends (a negative binomial becomes Poisson), so that a flat prior would leave the posterior improper. For the
    same reason cutpoints (a level that nobody chose) and the intercepts of zero parts (no excess of zeros) keep
    theirs. Where the records separate yes from no, or a level, the posterior of a slope is improper too; then the fit
    fails its diagnostics or has no maximum, and is reported as such.
    """
    why = "flat: every value as plausible as any other"
    kept = {(response, f"{ZERO}intercept") for response, _ in members(model, INTERCEPTS)}
    terms = tuple(term for term in members(model, COEFFICIENTS) if term not in kept)
    return Alternative(
        "flat",
        "flat priors on all coefficients; scales, dispersions, cutpoints, shares and intercepts of zero parts keep "
        "theirs, without which the posterior would be improper",
        changed(model, terms, lambda prior: _flattened(prior, why), "flat"),
    )


RULES: dict[str, Callable[[PathModel], Alternative]] = {
    "sceptical": sceptical,
    "primary": primary,
    "wide": wide,
    "flat": flat,
}


def alternative(model: PathModel | str, name: str) -> Alternative:
    """Return a specification under the priors of a rule.

    Parameters
    ----------
    model
        A specification, or the name of a shipped one.
    name
        ``primary``, ``sceptical``, ``wide`` or ``flat``.

    Returns
    -------
    Alternative
        Its ``model`` is the specification with those priors.

    Raises
    ------
    BayesSpError
        For a rule that does not exist.
    SpecificationError
        Where the specification is wrong.
    """
    model = load_model(model)
    if name not in RULES:
        raise BayesSpError(model.name, [f'there is no rule "{name}" for priors{nearest(name, RULES)}'])
    return RULES[name](model)


def priors_in_words(model: PathModel) -> str:
    """Return the priors of the coefficients on the paths in one line."""
    return "; ".join(f"{arrow(term)}: {prior_of(model, term)}" for term in members(model, PATHS))


def _flattened(prior: Prior, why: str) -> Prior:
    return prior if prior.dist == "flat" else Prior("flat", (), f"{why}; as written: {prior}, {prior.why}")


def _without_scale(model: PathModel, terms: tuple[Term, ...]) -> tuple[str, ...]:
    found = [arrow(term) for term in terms if not prior_of(model, term).distribution.scale]
    return (f"flat priors have no scale and stay as written: {', '.join(found)}",) if found else ()
