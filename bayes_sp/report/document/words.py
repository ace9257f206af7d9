"""Sentences and paragraphs of a report: the answer, methods, results, how to cite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayes_sp.analysis.comparison.models import main_path, of_first
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import Term, predictors_of, products_of
from bayes_sp.names import ALONE, DIFFERENCE, TOTAL, TOTAL_INDIRECT, distinct, name_parts
from bayes_sp.report.folders.finished import Run
from bayes_sp.report.text.assumptions import listed, path_words
from bayes_sp.report.text.layout import as_published, estimated, interval
from bayes_sp.shown import decimals_for, in_sentence, number

ARTICLE = (
    "Kellezi B, Wakefield JRH, Stevenson C, et al. The social cure of social prescribing: a mixed-methods study on the "
    "benefits of social connectedness on quality and effectiveness of care provision. BMJ Open 2019;9:e033137. "
    "doi:10.1136/bmjopen-2019-033137"
)
PYMC = (
    "Abril-Pla O, Andreani V, Carroll C, et al. PyMC: a modern and comprehensive probabilistic programming framework "
    "in Python. PeerJ Computer Science 2023;9:e1516. doi:10.7717/peerj-cs.1516"
)
LIBRARIES = (("pymc", "PyMC"), ("nutpie", "nutpie"), ("arviz", "ArviZ"))
LINKS = {"log": "a log link", "logit": "a logit link", "probit": "a probit link"}


def rows_of(table: pd.DataFrame, scale: str = DIFFERENCE) -> pd.DataFrame:
    """Return the rows of effects on one scale, averaged over the orders of switching, by path."""
    own = table[(table["scale"] == scale) & (table["decomposition"] != ALONE)]
    return own.drop_duplicates("path").set_index("path")


def estimate(row: pd.Series, unit: str = "") -> str:
    """Return median and interval: ``-0.041 appointments (95 % interval [-0.139, -0.006])``."""
    decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
    ending = f" {'in ' if unit.startswith('probability') else ''}{unit}" if unit else ""
    return f"{number(row['median'], decimals)}{ending} ({kind(row)} {interval(row, decimals)})"


def kind(row: pd.Series) -> str:
    """Return what an interval is called: ``95 % interval``."""
    return f"{100 * float(row['ci_prob']):.3g} % interval"


def probability(value: float) -> str:
    """Return a probability with two decimals, three near 0 and 1, and no end that draws cannot show."""
    if not 0.0005 <= value <= 0.9995:
        return "below 0.001" if value < 0.5 else "above 0.999"
    return f"{value:.2f}" if 0.01 <= value <= 0.99 else f"{value:.3f}"


def _of(value: float) -> str:
    """Return a probability after its sign: ``= 0.19``, ``below 0.001``."""
    shown = probability(value)
    return f"= {shown}" if shown[0].isdigit() else shown


def answer(model: PathModel, effects: pd.DataFrame, comparison: pd.DataFrame) -> Iterator[str]:
    """Yield the answer: the effect that the specification is about, the total effect, and what others say."""
    rows, unit = rows_of(effects), model.outcome_unit
    main = main_path(model)
    total = of_first(model, TOTAL)
    if main in rows.index:
        row, words = rows.loc[main], path_words(model, name_parts(main)[0])
        yield (
            f"{words[:1].upper()}{words[1:]}: for {_moved(model)}, and if the model's assumptions hold, the effect is "
            f"{estimate(row, unit)}; the probability that it is negative is {probability(row['prob_negative'])}."
        )
    if total in rows.index and main != total:
        row = rows.loc[total]
        negative = probability(row["prob_negative"])
        yield f"The total effect is {estimate(row, unit)}, negative with probability {negative}."
    if others := _others(comparison, main):
        yield f"For the same {'effect' if name_parts(main)[0] in (TOTAL, TOTAL_INDIRECT) else 'path'} {others}."


def _moved(model: PathModel) -> str:
    """Return the exposure and its first contrast, as a sentence has them."""
    exposure = model.variable(model.exposure)
    label = in_sentence(exposure.label)
    if model.moves:
        return f"{label} at {model.moves[0].label.removeprefix(f'{model.exposure}: ')}"
    words = " rather than ".join(model.words_of(model.exposure, value) for value in reversed(model.contrast))
    if model.texts_of(model.exposure):
        return f"{words} ({label})"
    said = set((exposure.unit or "").split()) <= set(label.split())
    return f"{label} of {words}" if said else f"{label} of {words} {exposure.unit}"


def contrast(model: PathModel) -> str:
    """Return the contrast of the exposure: ``1 against 0 (groups)``; after "for"; of several moves, all."""
    if model.moves:
        return ", and for ".join(move.label for move in model.moves)
    unit = model.variable(model.exposure).unit
    words = " against ".join(model.words_of(model.exposure, value) for value in reversed(model.contrast))
    return f"{words} ({unit})" if unit else words


def _others(table: pd.DataFrame, main: str) -> str:
    """Return what bootstrap and publication say of a path's difference."""
    own = table[(table["path"] == main) & (table["scale"] == DIFFERENCE) & table["estimate"].notna()]
    found = []
    if len(rows := own[own["inference"] == "bootstrap"]):
        row = rows.iloc[-1]
        size = estimated(row, "estimate", decimals_for(float(row["upper"]) - float(row["lower"])))
        found.append(f"the percentile bootstrap gives {size} ({str(row['likelihood']).replace('_', ' ')})")
    if len(rows := own[own["inference"] == "published"]):
        found.append(f"the article reported {as_published(rows)}")
    return " and ".join(found)


def equations(model: PathModel) -> Iterator[str]:
    """Yield a sentence on each equation: response, family, link and predictors."""
    for equation in model.equations:
        family = FAMILIES[equation.family]
        link = f", {LINKS[family.link]}" if family.link in LINKS else ""
        mean = predictors_of(model, equation)[0]
        terms = ", ".join(_term_words(model, term) for term in mean.terms if term.factors)
        zero = "; a part of its own for zeros" if equation.zero_part else ""
        groups = f"; an intercept for each {_named(model, equation.varying)}" if equation.varying else ""
        yield f"{model.variable(equation.response).label}: {family.words}{link}; on {terms}{zero}{groups}."


def _term_words(model: PathModel, term: Term) -> str:
    """Return a term by the labels of its variables, with a category's level: ``age x site [2]``."""
    parts = ((factor.variable, factor.column.removeprefix(factor.variable)) for factor in term.factors)
    return " × ".join(f"{in_sentence(model.variable(name).label)} {level}".rstrip() for name, level in parts)


def methods_paragraph(run: Run, model: PathModel) -> str:
    """Return a Methods paragraph to edit: model, priors, computation, effects."""
    info: dict[str, Any] = run.info
    data = info["data"]
    families = "; ".join(
        f"{_named(model, e.response)} as {FAMILIES[e.family].words}"
        + (f" with {LINKS[FAMILIES[e.family].link]}" if FAMILIES[e.family].link in LINKS else "")
        for e in model.equations
    )
    exposures = {exposure.name for exposure in model.exposures}
    covariates = ", ".join(_named(model, c.name) for c in model.covariates if c.name not in exposures)
    missing = "records with a missing cell were left out" if model.missing == "complete" else (
        "missing cells, where there were any, were treated as unknowns of the joint model"
    )  # fmt: skip
    made = " The records were made to reproduce published moments." if data.get("origin") == "reconstruction" else ""
    if sets := len(data.get("sets", ())):
        made += f" Each of {sets} sets of such records was fitted, and the draws were pooled with equal weights."
    return (
        f"We fitted one Bayesian path model to {data['records']} records.{made} {structure_words(model)} We modelled "
        f"{families}. {f'Covariates were {covariates}. ' if covariates else ''}Priors and their reasons are in the "
        f"table of priors; {missing}. {_computation(info)} Path-specific effects are differences in "
        f"{model.outcome_unit} for {contrast(model)}, computed from each draw by the g-formula, standardised over the "
        f"observed covariates and averaged over the orders in which paths can be counted. We report posterior medians "
        f"with equal-tailed {kind(run.effects.iloc[0])}s; P(< 0) is the posterior probability that an effect is "
        "negative. Effects are causal only as far as the assumptions listed in this report hold."
    )


def _named(model: PathModel, name: str) -> str:
    return in_sentence(model.variable(name).label)


def structure_words(model: PathModel) -> str:
    """Return which variables a model goes through, which arrows it leaves out, and its products."""
    ends = f"from {_named(model, model.exposure)} to {_named(model, model.outcome)}"
    mediators = listed([_named(model, name) for name in model.mediators])
    found = [f"Its chain goes {ends} through {mediators}"]
    absent = [
        f"from {_named(model, earlier)} to {_named(model, equation.response)}"
        for place, equation in enumerate(model.equations, 1)
        for earlier in model.chain[:place]
        if earlier not in equation.parents
    ]
    if absent:
        found.append(f"There {'is no arrow' if len(absent) == 1 else 'are no arrows'} {listed(absent)}")
    elif len(model.mediators) > 1:
        found[0] += ", in this order, and each of them depends on all before it"
    products = [
        f"{' × '.join(_named(model, name) for name in names)} in the equation of {_named(model, equation.response)}"
        for equation in model.equations
        for names in products_of(model, equation)
    ]
    if products:
        found.append(f"Products of variables are {'; '.join(products)}")
    return "".join(f"{sentence}. " for sentence in found).rstrip()


def _computation(info: dict[str, Any]) -> str:
    """Return how the posterior was computed, and by which software."""
    versions, sampler = info.get("versions", {}), info.get("sampler", {})
    software = ", ".join(f"{name} {versions[key]}" for key, name in LIBRARIES if key in versions)
    drawn = (
        f"by a Laplace approximation with importance resampling ({sampler.get('draws')} draws)"
        if sampler.get("method") == "laplace"
        else f"by Hamiltonian Monte Carlo ({sampler.get('chains')} chains of {sampler.get('draws')} draws after "
        f"{sampler.get('tune')} for warm-up)"
    )
    version = info.get("bayes_sp", "")
    return f"The posterior was computed {drawn} with bayes_sp {version} ({software}; seed {info.get('seed', '')})."


def results_paragraph(run: Run, model: PathModel) -> str:
    """Return a Results paragraph to edit: diagnostics, then every effect, one contrast after the other."""
    verdict, rows = run.info.get("verdict", {}), rows_of(run.effects)
    passed = "passed" if verdict.get("trustworthy") else "FAILED"
    head = f"The fit {passed} its diagnostics"
    if {"r_hat", "ess_bulk"} <= verdict.keys():
        head += (
            f" (R-hat at most {verdict['r_hat']:.3f}, bulk effective sample sizes at least {verdict['ess_bulk']:,.0f})"
        )
    found: dict[str, list[str]] = {}
    for path, row in rows.loc[distinct(list(rows.index))].iterrows():
        name, label = name_parts(str(path))
        found.setdefault(label, []).append(
            f"{path_words(model, name)} {estimate(row)}, P(< 0) {_of(row['prob_negative'])}"
        )
    sentences = [f"{f'For {label}: ' if label else ''}{'; '.join(own)}." for label, own in found.items()]
    return (
        f"{head}. If the model's assumptions hold, the effects, in {model.outcome_unit}, are as follows. "
        f"{' '.join(sentence[:1].upper() + sentence[1:] for sentence in sentences)}"
    )


def how_to_cite(run: Run) -> Iterator[str]:
    """Yield the references of a run: the software, its libraries, the study."""
    version = run.info.get("bayes_sp", "")
    yield f"The bayes_sp developers. bayes_sp: Bayesian path models with count outcomes, version {version}."
    yield PYMC
    if run.info["data"].get("reconstructed_from_published_moments"):
        yield ARTICLE
