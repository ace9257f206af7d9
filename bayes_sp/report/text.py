"""The printed summary of an analysis, in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from bayes_sp.analysis import Analysis
from bayes_sp.compare.table import BOOTSTRAP, POSTERIOR, PUBLISHED
from bayes_sp.names import ARROW, AVERAGE, COEFFICIENT, DIFFERENCE, RATE_RATIO, TOTAL_INDIRECT
from bayes_sp.report.criticism import criticism_sections
from bayes_sp.report.layout import aligned as _table
from bayes_sp.report.layout import decimals_of as _decimals
from bayes_sp.report.layout import interval as _interval
from bayes_sp.report.layout import number as _number
from bayes_sp.report.layout import wrapped as _wrap
from bayes_sp.report.words import assumptions, in_sentence, path_words
from bayes_sp.spec.types import PathModel
from bayes_sp.study.recovery import RECONSTRUCTION_NOTE, RECOVERY_NOTE, Recovered
from bayes_sp.survey.notes import survey_notes

PRODUCTS = (
    "Product of coefficients per unit of exposure (normal: in the outcome's unit; negative binomial: in log rates)"
)


def summary_text(analysis: Analysis) -> str:
    """Return what ``fit`` prints: verdict, published against recovered, effects, comparison, assumptions."""
    fit = analysis.fit
    lines = []
    if not analysis.verdict.trustworthy:
        lines += [*_wrap(str(analysis.verdict), margin=""), ""]
    lines += [f"{fit.model.name}: {fit.model.title}", f"Data: {fit.survey.mark}."]
    lines += _wrap(RECONSTRUCTION_NOTE, margin="") if fit.survey.reconstructed else []
    for note in survey_notes(fit.model, fit.survey):
        lines += _wrap(note, margin="")
    if analysis.verdict.trustworthy:
        lines += ["", *_wrap(f"Verdict: {analysis.verdict}", margin="")]
    number = 1
    for title, body in _sections(analysis):
        lines += ["", f"{number}. {title}", *body]
        number += 1
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _sections(analysis: Analysis) -> Iterator[tuple[str, list[str]]]:
    if analysis.recovered:
        yield "What the article reported, and what its own Table 2 gives back", _recovery(analysis.recovered)
    model = analysis.fit.model
    u0, u1 = model.contrast
    exposure = model.variable(model.exposure)
    unit = f" ({exposure.unit})" if exposure.unit else ""
    yield f"Effects of {in_sentence(exposure.label)}: {u1:g} against {u0:g}{unit}", _effects(analysis)
    yield "Bayes and bootstrap, like for like", _comparison(analysis)
    if analysis.criticism is not None:
        yield from criticism_sections(model, analysis.criticism)
    yield "What these effects assume", [line for text in assumptions(model) for line in _wrap(text, "- ", "  ")]


def _recovery(recovered: Sequence[Recovered]) -> list[str]:
    rows = [["", "published", "from Table 2", "apart"]]
    for item in recovered:
        printed = f"{item.published}" + (f" (SE {item.published_se})" if item.published_se else "")
        found = f"{item.recovered:z.3f}" + (f" (SE {item.recovered_se:z.3f})" if item.recovered_se is not None else "")
        apart = "rounds to the printed value" if item.agrees else f"{item.apart:.1f} published SEs"
        rows.append([item.name, printed, found, apart])
    return [*_table(rows, "lrrl"), *_wrap(RECOVERY_NOTE)]


def _effects(analysis: Analysis) -> list[str]:
    model, table = analysis.fit.model, analysis.effects.intervals()
    table = table[table["decomposition"].isin(["", AVERAGE])].set_index(["path", "scale"])
    has_ratio = RATE_RATIO in table.index.get_level_values("scale")
    spread = analysis.spread
    decimals = _decimals(table.xs(DIFFERENCE, level="scale"))
    rows = [["", "difference", "95 % interval", "P(< 0)"]]
    rows[0] += ["rate ratio", "95 % interval"] if has_ratio else []
    rows[0] += [] if spread is None else ["reconstructions"]
    for path in _distinct(list(table.index.get_level_values("path").unique())):
        difference = table.loc[(path, DIFFERENCE)]
        mean, negative = _number(difference["mean"], decimals), f"{difference['prob_negative']:.3f}"
        row = [path_words(model, path), mean, _interval(difference, decimals), negative]
        if has_ratio:
            ratio = table.loc[(path, RATE_RATIO)]
            digits = max(3, _decimals(table.xs(RATE_RATIO, level="scale")))
            row += [_number(ratio["mean"], digits), _interval(ratio, digits)]
        if spread is not None:
            low, high = spread.loc[path].min(), spread.loc[path].max()
            row.append(f"{_number(low, decimals)} to {_number(high, decimals)}")
        rows.append(row)
    unit = analysis.effects.unit
    note = (
        f"Differences in {unit}. Posterior means and equal-tailed intervals; P(< 0) is the posterior probability that "
        "the difference is negative. "
    )
    if has_ratio:
        note += (
            "Exact for each draw, standardised over the patients' covariates, averaged over the orders in which paths "
            "can be switched, so that the paths add up to the total. "
        )
    if spread is not None:
        note += (
            f"Reconstructions: range of the maximum-likelihood difference over {spread.shape[1]} sets of records "
            f"(seeds {spread.columns.min()} to {spread.columns.max()}) that all reproduce the published moments; the "
            "moments leave that range open, and the intervals beside it, from one set, do not contain it."
        )
    return [*_table(rows, "lrrrrrr"), *_wrap(note), *_extrapolation(analysis)]


def _extrapolation(analysis: Analysis) -> list[str]:
    """Say it where the contrast compares values of the exposure that no record comes near."""
    model = analysis.fit.model
    values = analysis.fit.survey.records[model.exposure]
    low, high = float(values.min()), float(values.max())
    if all(low <= u <= high for u in model.contrast):
        return []
    u0, u1 = model.contrast
    return _wrap(
        f"EXTRAPOLATED: the contrast {u0:g} to {u1:g} leaves the exposures in the data ({low:g} to {high:g}). Set "
        "`contrast` in the specification to values that occur."
    )


def _distinct(paths: list[str]) -> list[str]:
    """Leave the total indirect effect out where one indirect path is all of it."""
    indirect = [path for path in paths if path.count(ARROW) > 1]
    return [path for path in paths if path != TOTAL_INDIRECT or len(indirect) > 1]


def _comparison(analysis: Analysis) -> list[str]:
    table = analysis.comparison.table
    lines: list[str] = []
    for scale in (DIFFERENCE, COEFFICIENT):
        if scale == COEFFICIENT and RATE_RATIO not in set(table["scale"]):
            continue  # with an identity link it says the same again
        head = f"Difference, {analysis.effects.unit}" if scale == DIFFERENCE else PRODUCTS
        rows = _comparison_rows(analysis.fit.model, table[table["scale"] == scale])
        lines += [f"   {head}", *_table(rows, "lrrr"), ""]
    for sentence in analysis.comparison.missing:
        lines += _wrap(f"Not available: {sentence}.")
    failures = analysis.comparison.bootstrap.drop_duplicates("likelihood")
    if failures.empty:
        return [*lines, *_wrap("95 % intervals: equal-tailed (posterior). There is no bootstrap.")]
    for row in failures[failures["failed"] > 0].itertuples():
        family = str(row.likelihood).replace("_", " ")
        failed = f"{row.failed} of {row.replicates} bootstrap samples failed ({row.reasons}); they enter no interval."
        lines += _wrap(f"{family}: {failed}")
    replicates = int(failures["replicates"].iloc[0])
    note = (
        f"95 % intervals: percentile of {replicates} resamples of patients (bootstrap of the maximum-likelihood fit), "
        "equal-tailed (posterior). Along a row only the inference changes, down a column only the likelihood "
        "(with the covariates' coding that belongs to it)."
    )
    return [*lines, *_wrap(note)]


def _comparison_rows(model: PathModel, table: pd.DataFrame) -> list[list[str]]:
    """Return the heads, then for each path a line with its name and a line for each likelihood."""
    likelihoods = [name for name in dict.fromkeys(table["likelihood"]) if name != PUBLISHED]
    inferences = [name for name in (PUBLISHED, BOOTSTRAP, POSTERIOR) if name in set(table["inference"])]
    cells = dict(iter(table.groupby(["path", "likelihood", "inference"])))
    decimals = _decimals(table[table["inference"] != PUBLISHED])
    rows = [["", *inferences]]
    for path in _distinct(list(dict.fromkeys(table["path"]))):
        rows.append([path_words(model, path), *[""] * len(inferences)])
        for i, likelihood in enumerate(likelihoods):
            row = [f"   {likelihood.replace('_', ' ')}"]
            for inference in inferences:
                found = cells.get((path, PUBLISHED if inference == PUBLISHED else likelihood, inference))
                if inference == PUBLISHED:
                    row.append("" if found is None or i > 0 else _published(found))
                elif found is not None:
                    one = found.iloc[0]
                    row.append(f"{_number(one['estimate'], decimals)} {_interval(one, decimals)}")
                else:
                    row.append("")
            rows.append(row)
    return rows


def _published(rows: pd.DataFrame) -> str:
    """Return every reading of a published estimate, as printed, with its interval."""
    estimates = " or ".join(f"{value:g}" for value in rows["estimate"])
    lower, upper = rows["lower"].iloc[0], rows["upper"].iloc[0]
    return estimates if pd.isna(lower) else f"{estimates} [{lower:g}, {upper:g}]"
