r"""A first specification for a survey, drafted from each column's own values and never from how columns go together.

Priors are weakly informative on the scale of the data, after Gelman et al. (2008) and Gabry and Goodrich (2020, prior
distributions of rstanarm): with m and s a response's mean and SD, rounded, and t the SD of a parent,

- identity link: intercept N(m, s), a parent's slope N(0, s / 2t), a covariate's N(0, s / 2), residual SD
  half-normal(s);
- log link: intercept N(log m, 1), slope N(0, 0.3 / t), covariate N(0, 0.5): rates change less than 1.8-fold in an SD of
  a parent with probability 0.95;
- a count that is a mediator enters as log(1 + count), whose SD is then t;
- logit link: intercept N(logit, 1.5) or cutpoints N(0, 2), slope N(0, 1 / t), covariate N(0, 1).

References
----------
Gelman, Jakulin, Pittau, Su (2008). A weakly informative default prior distribution for logistic and other regression
models. Annals of Applied Statistics 2(4), 1360-1383. doi:10.1214/08-AOAS191
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.drafting.arrows import Moderators, moderated_arrows, moderator_names, without_arrows
from bayes_sp.design.drafting.exposures import compared, with_further
from bayes_sp.design.drafting.guesses import (
    Guess,
    column_values,
    guess_covariate,
    guess_response,
    without_suspected_codes,
)
from bayes_sp.design.drafting.priors import drafted_priors
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import editable_text
from bayes_sp.model.terms import product_text
from bayes_sp.records.codebook.derived import Latent, kind_and_ends, measured_with_error, score_reliability, unit_of
from bayes_sp.records.guesses import plain_names, rounded
from bayes_sp.records.reading.everything import Source, read_everything
from bayes_sp.records.survey import Survey

MOST_WITH_LEVELS = 2  # mediators, where one is not normal
DRAFTED = (
    "Families, constants and priors were drafted from each column's own values, never from how columns go together; "
    "they are guesses to be looked at."
)
type Priors = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Draft:
    """A drafted specification as tables, and for each column the reason for what was guessed."""

    tables: Mapping[str, Any]
    reasons: Mapping[str, str]

    @property
    def model(self) -> PathModel:
        """The specification."""
        return load_model(self.tables, name="draft")

    def text(self) -> str:
        """Return the specification as TOML to be edited, the reasons as comments above it."""
        return editable_text(self.tables, [f"{name}: {reason}" for name, reason in self.reasons.items()])


def draft(
    data: Survey | Source,
    *,
    exposure: str | Sequence[str],
    mediators: Sequence[str],
    outcome: str,
    covariates: Sequence[str] = (),
    parallel: bool = False,
    without: Sequence[str] = (),
    latent: Latent = (),
    moderators: Moderators | None = None,
) -> PathModel:
    """Draft a specification for a survey: families, constants and weakly informative priors, each with its reason.

    Parameters
    ----------
    data
        A survey, or what `read_survey` reads.
    exposure, mediators, outcome, covariates
        Names of its columns; mediators in the order of the chain. Of several exposures each has effects of its own,
        with the others as observed.
    parallel
        Mediators side by side: none is a parent of another.
    without
        Arrows that are left out, such as ``["mood -> sleep"]``.
    latent
        Mediators that are taken as measured with error: names of scores that a codebook computes, whose reliability is
        then their alpha, or a mapping of names to reliabilities.
    moderators
        Column -> arrows that may depend on it, such as ``{"gender": ["groups -> mood"]}``, or ``"all"``; two columns,
        ``"gender:age"``, for arrows that depend on their product too. A column that is not among the covariates enters
        the equations of these arrows alone, as a moderator does in PROCESS.

    Returns
    -------
    PathModel
        To look at, and to change with ``dataclasses.replace``; ``python -m bayes_sp draft`` writes it as a file.

    Raises
    ------
    SurveyError
        With every column that is missing, holds texts without an order or one value only, and every
        score without reliability.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> survey = sp.reconstruct(seed=1)
    >>> model = sp.draft(survey, exposure="group_change", mediators=["loneliness_t1"], outcome="appointments_t1")
    >>> [equation.family for equation in model.equations]
    ['normal', 'negative_binomial']
    """
    roles = {"exposure": exposure, "mediators": mediators, "outcome": outcome, "covariates": covariates}
    found = draft_with_reasons(data, **roles, parallel=parallel, without=without, latent=latent, moderators=moderators)  # type: ignore[arg-type] # as they came
    return found.model


def draft_with_reasons(
    data: Survey | Source,
    *,
    exposure: str | Sequence[str],
    mediators: Sequence[str],
    outcome: str,
    covariates: Sequence[str] = (),
    parallel: bool = False,
    without: Sequence[str] = (),
    latent: Latent = (),
    moderators: Moderators | None = None,
) -> Draft:
    """Draft as `draft` does, and keep the reason of each guess."""
    if isinstance(mediators, str) or isinstance(covariates, str):
        raise SurveyError("draft", ["mediators and covariates are lists of names, such as mediators=['mood']"])
    survey = data if isinstance(data, Survey) else read_everything(data)
    exposure, *further = [exposure] if isinstance(exposure, str) else list(exposure)
    covariates = list(dict.fromkeys([*further, *covariates]))
    chain = [exposure, *mediators, outcome]
    earlier = {r: [exposure] if parallel and r != outcome else chain[:k] for k, r in enumerate(chain) if k}
    parents_of = without_arrows(earlier, without)
    columns = list(survey.records)
    products = moderated_arrows(moderators or {}, parents_of, columns)
    moderating = [name for key in moderators or {} for name in moderator_names(key, columns)]
    everywhere, covariates = list(covariates), list(dict.fromkeys([*covariates, *moderating]))
    survey, codes = without_suspected_codes(survey, [*chain, *covariates])
    values, texts = column_values(survey, [*chain, *covariates], ordered=chain[1:])
    names = plain_names([*chain, *covariates])
    reasons: dict[str, str] = {}
    comparison, reasons[exposure] = compared(survey, exposure, names[exposure], values, texts)
    guesses = _responses(survey, values, list(mediators), outcome, texts)
    measured = measured_with_error(survey, mediators, latent)
    guesses |= {
        name: replace(guesses[name], family="latent_normal", reason=why, keys=_center(values[name]))
        for name, (_, why) in measured.items()
    }
    reasons |= {name: f"{guess.family}, because {guess.reason}" for name, guess in guesses.items()}
    reasons |= {n: f"{reasons[n]}; numbered 0 and 1: {', '.join(texts[n])}" for n in chain if n in texts}
    own = {name: words for name, words in texts.items() if name in chain}  # a covariate's stand with its levels
    variables = _variables(survey, values, names, guesses, own, (exposure, outcome))
    kinds = {name: kind_and_ends(survey.codebook, name)[0] for name in covariates}
    drafted = {name: guess_covariate(values[name], kind, texts.get(name, [])) for name, kind in kinds.items()}
    comparison, told = with_further(comparison, exposure, further, names, values, drafted)
    reasons |= {name: f"covariate; {reason}" for name, (_, reason) in drafted.items()} | told
    for name, found in codes.items():
        reasons[name] += f"; {found.reason}"
        variables[names[name]]["missing_codes"] = found.codes
    equations, priors = [], {}
    for response, parents in parents_of.items():
        equations.append(
            {"response": names[response], "family": guesses[response].family, "parents": [names[p] for p in parents]}
            | ({"reliability": measured[response][0]} if response in measured else {})
            | _moderation(products.get(response, []), everywhere, covariates, names)
            | _logged(logged := [p for p in parents if p != exposure and guesses[p].kind == "count"], names)
        )
        priors[names[response]] = drafted_priors(
            guesses[response].family, values | {p: np.log1p(values[p]) for p in logged}, response, parents, names,
            covariates=bool(covariates), products=products.get(response, ()),
            limits=(guesses[response].keys.get("min", 0.0), guesses[response].keys.get("max", 1.0)),
        )  # fmt: skip
    tables = {
        "title": _title([exposure, *further, *mediators], outcome),
        "exposure": names[exposure],
        "outcome": names[outcome],
        **comparison,
        "assumptions": [DRAFTED],
        "variables": variables,
        "covariates": {names[name]: keys for name, (keys, _) in drafted.items()},
        "equation": equations,
        "priors": priors,
    }
    return Draft({key: value for key, value in tables.items() if value}, _with_reliability(survey, reasons, measured))


def _title(names: Sequence[str], outcome: str) -> str:
    """Return the names of columns in a line, apart by semicolons where one of them has a comma."""
    return f"{('; ' if any(',' in name for name in names) else ', ').join(names)} and {outcome}"


def _with_reliability(survey: Survey, reasons: Mapping[str, str], told: Collection[str]) -> dict[str, str]:
    """Return reasons with the reliability of each score, where it is not ``told`` already."""
    said = {name: None if name in told else score_reliability(survey, name) for name in reasons}
    return {
        name: f"{reason}; {found.sentence()}" if (found := said[name]) else reason for name, reason in reasons.items()
    }


def _responses(
    survey: Survey, values: Mapping[str, Array], mediators: list[str], outcome: str, texts: Collection[str]
) -> dict[str, Guess]:
    """Return the guess of each response; mediators have levels where the effects through them stay exact."""
    few, found, problems = len(mediators) <= MOST_WITH_LEVELS, dict[str, Guess](), list[str]()
    for name in [*mediators, outcome]:
        kind, ends = ("", (None, None)) if name in texts else kind_and_ends(survey.codebook, name)
        if kind == "category":
            rule = "is a category in the codebook, and a response needs two values (binary) or an order (ordered)"
            problems.append(f'column "{name}": {rule}')
        mediator = name != outcome
        counts = few and not survey.records[name].isna().any()  # missing cells of a count need its largest value
        found[name] = guess_response(
            values[name], mediator=mediator, levels=few or not mediator, counts=counts, kind=kind, ends=ends
        )
    if problems:
        raise SurveyError(survey.source, problems)
    return found


def _moderation(
    products: Sequence[tuple[str, ...]], everywhere: Sequence[str], covariates: Sequence[str], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return an equation's products, and its covariates where a moderator belongs to other equations alone."""
    own = [name for name in covariates if name in everywhere or any(name in product for product in products)]
    found: dict[str, Any] = {} if own == list(covariates) else {"covariates": [names[name] for name in own]}
    return found | ({"products": [product_text(names[n] for n in product) for product in products]} if products else {})


def _logged(counts: Sequence[str], names: Mapping[str, str]) -> dict[str, Any]:
    return {"log1p": [names[name] for name in counts]} if counts else {}


def _center(values: Array) -> dict[str, Any]:
    return {"center": rounded(values.mean(), values.std())}


def _variables(
    survey: Survey,
    values: Mapping[str, Array],
    names: Mapping[str, str],
    guesses: Mapping[str, Guess],
    texts: Mapping[str, Sequence[str]],
    ends: tuple[str, str],
) -> dict[str, dict[str, Any]]:
    """Return the table of each variable; centres are for parents, among them an exposure of many values."""
    exposure, outcome = ends
    found = {
        names[name]: _variable(survey, name, names[name], guesses.get(name), texts.get(name, [])) for name in values
    }
    if len(np.unique(values[exposure])) > 2:
        found[names[exposure]]["center"] = rounded(values[exposure].mean(), values[exposure].std())
    found[names[outcome]].pop("center", None)
    return found


def _variable(survey: Survey, column: str, name: str, guess: Guess | None, texts: Sequence[str]) -> dict[str, Any]:
    keys = dict(guess.keys) if guess else {}
    if texts:
        keys = {key: value for key, value in keys.items() if key == "center"} | {"levels": list(texts)}
    unit = unit_of(survey.codebook, column)
    return (
        {"label": survey.labels.get(column, column)}
        | ({"unit": unit} if unit else {})
        | ({"column": column} if name != column else {})
        | keys
    )
