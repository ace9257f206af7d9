"""The printed summary of an analysis, in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from bayes_sp.analysis.comparison.models import main_path
from bayes_sp.analysis.comparison.recovery import RECONSTRUCTION_NOTE, RECOVERY_NOTE, Recovered
from bayes_sp.analysis.comparison.table import BOOTSTRAP, POSTERIOR, PUBLISHED
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.pooled import Pooled
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.design.notes import survey_notes
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.people import speaking_of
from bayes_sp.names import ALONE, COEFFICIENT, DIFFERENCE, LEAST_COUNT, name_parts
from bayes_sp.records.checks import group_labels
from bayes_sp.report.document.words import answer
from bayes_sp.report.text.assumptions import (
    assumptions,
    headed,
    in_sentence,
    path_words,
    product_scale,
    unmeasured_words,
)
from bayes_sp.report.text.coefficients import coefficient_lines
from bayes_sp.report.text.conditional import conditional_lines, contrast_lines, size_lines
from bayes_sp.report.text.criticism import criticism_sections
from bayes_sp.report.text.effects import effect_lines, short_lines
from bayes_sp.report.text.layout import aligned, as_published, decimals_of, estimated, wrapped
from bayes_sp.report.text.resamples import resample_sentences, rows_used
from bayes_sp.report.text.survey import variable_lines
from bayes_sp.shown import WIDTH, page

WITHHELD = (
    "Products of coefficients are withheld: links along the paths differ, a slope is not one number, or the outcome has"
    " a zero part, so that a product would not be the effect on any one scale."
)

FEW = 200  # resamples, of which 5 lie beyond each limit


def summary_text(
    analysis: Analysis, *, keep_records: bool = False, least: int = LEAST_COUNT, whole: bool = False, width: int = WIDTH
) -> str:
    """Return what ``fit`` keeps: verdict, published against recovered, effects, comparison, assumptions.

    What goes patient by patient, names of groups, and what says something of fewer than ``least`` patients: only with
    ``keep_records``. The ends of the variables at the head, and counts of few cells, stand also in the text that is
    printed and not kept (``whole``).
    """
    with page(width), speaking_of(analysis.fit.model, [analysis.fit.survey.source]):
        lines = head_lines(analysis.fit, analysis.verdict)
        if analysis.verdict.clean:
            lines += ["", *wrapped(f"Verdict: {analysis.verdict}", margin="")]
        shown = 1 if whole or keep_records else least
        lines += ["", *variable_lines(analysis.fit.model, analysis.fit.survey, shown)]
        for number, (title, body) in enumerate(_sections(analysis, keep_records=keep_records, least=least), start=1):
            lines += ["", *wrapped(f"{number}. {title}", margin="", rest="   "), *body]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def short_text(analysis: Analysis, *, width: int = WIDTH) -> str:
    """Return what ``fit`` prints: doubts, the answer in sentences, effects, verdict."""
    fit, verdict = analysis.fit, analysis.verdict
    with page(width), speaking_of(fit.model, [fit.survey.source]):
        lines = head_lines(fit, verdict, notes=False)
        table = analysis.effects.intervals()
        for sentence in answer(fit.model, table, analysis.comparison.table):
            lines += ["", *wrapped(sentence, margin="")]
        lines += ["", *wrapped(_compared(fit.model), margin=""), *short_lines(analysis)]
        lines += ["", *wrapped(str(verdict), margin="")] if verdict.clean else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def said_above(summary: str, fit: Fit, width: int = WIDTH) -> str:
    """Return a summary for a terminal on which the warnings of `read_survey` stand: one line in place of its doubts."""
    with page(width), speaking_of(fit.model, [fit.survey.source]):
        doubts = _doubt_lines(fit)
    rest = summary.removeprefix("".join(f"{line}\n" for line in doubts))
    if rest == summary:
        return summary
    warned = "the warning" if len(fit.doubts) == 1 else f"the {len(fit.doubts)} warnings"
    return f"Look first: {warned} above on the records.\n\n{rest}"


def _doubt_lines(fit: Fit) -> list[str]:
    return [line for doubt in fit.doubts for line in [*wrapped(f"Look first: {_nameless(doubt, fit)}", margin=""), ""]]


def _nameless(doubt: str, fit: Fit) -> str:
    """Return a doubt without the names of groups of patients, which the warning above it has."""
    for column in fit.model.grouping:
        if doubt.startswith(f"{column}: "):
            for label in sorted(set(group_labels(fit.survey.records[column])), key=len, reverse=True):
                doubt = doubt.replace(repr(label), "'...'").replace(ascii(label), "'...'")
    return doubt


def head_lines(fit: Fit, verdict: Verdict, *, notes: bool = True) -> list[str]:
    """Return what every summary begins with: doubts, a verdict unless it is clean, specification, what records are."""
    lines = _doubt_lines(fit)
    lines += [] if verdict.clean else [*wrapped(str(verdict), margin=""), ""]
    lines += wrapped(f"{fit.model.name}: {fit.model.title}", margin="") + wrapped(
        f"Data: {fit.survey.mark}.", margin=""
    )
    lines += wrapped(RECONSTRUCTION_NOTE, margin="") if fit.survey.reconstructed and notes else []
    for note in () if not notes else (*unmeasured_words(fit.model), *survey_notes(fit.model, fit.survey)):
        lines += wrapped(note, margin="")
    return lines


def _sections(analysis: Analysis, *, keep_records: bool, least: int) -> Iterator[tuple[str, list[str]]]:
    if analysis.recovered:
        yield "What the article reported, and what its own Table 2 gives back", _recovery(analysis.recovered)
    model = analysis.fit.model
    yield _compared(model), effect_lines(analysis)
    if analysis.conditional is not None:
        yield "Effects at levels of the moderators", conditional_lines(analysis)
    if analysis.contrasts is not None:
        yield "Contrasts: one effect less another", contrast_lines(analysis)
    if analysis.sizes:
        yield "How large these effects are", size_lines(model, analysis.sizes)
    if analysis.coefficients is not None:
        yield "Coefficients of every equation", coefficient_lines(model, analysis.coefficients)
    yield "Bayes and bootstrap, like for like", _comparison(analysis)
    if analysis.criticism is not None:
        of = wrapped(f"Of the first set of records alone: {analysis.fit.first.survey.mark}.")
        alone = of if isinstance(analysis.fit, Pooled) else []
        for title, body in criticism_sections(model, analysis.criticism, keep_records=keep_records, least=least):
            yield title, [*alone, *body]
    yield "What these effects assume", [line for text in assumptions(model) for line in wrapped(text, "- ", "  ")]


def _compared(model: PathModel) -> str:
    """Return the title of the effects: whose they are, and what they compare."""
    if len(model.exposures) > 1:
        labels = [in_sentence(model.variable(exposure.name).label) for exposure in model.exposures]
        return f"Effects of {', '.join(labels[:-1])} and {labels[-1]}, the others of them as observed"
    exposure = model.variable(model.exposure)
    if model.moves:
        return f"Effects of {in_sentence(exposure.label)}"
    u0, u1 = model.contrast
    unit = f" ({exposure.unit})" if exposure.unit else ""
    against = f"{model.words_of(model.exposure, u1)} against {model.words_of(model.exposure, u0)}{unit}"
    return f"Effects of {in_sentence(exposure.label)}: {against}"


def _recovery(recovered: Sequence[Recovered]) -> list[str]:
    rows = [["", "published", "from Table 2", "apart"]]
    for item in recovered:
        printed = f"{item.published}" + (f" (SE {item.published_se})" if item.published_se else "")
        found = f"{item.recovered:z.3f}" + (f" (SE {item.recovered_se:z.3f})" if item.recovered_se is not None else "")
        apart = "rounds to the printed value" if item.agrees else f"{item.apart:.1f} published SEs"
        rows.append([item.name, printed, found, apart])
    return [*aligned(rows, "lrrl"), *wrapped(RECOVERY_NOTE)]


def _comparison(analysis: Analysis) -> list[str]:
    table, model = analysis.comparison.table, analysis.fit.model
    lines: list[str] = []
    for scale in (DIFFERENCE, COEFFICIENT):
        if scale == COEFFICIENT and COEFFICIENT not in set(analysis.effects.draws["scale"].to_numpy()):
            lines += [*wrapped(WITHHELD), ""]
            continue
        own = table[table["scale"] == scale]
        for head, part in (
            [(f"Difference, {analysis.effects.unit}", own)] if scale == DIFFERENCE else _products(model, own)
        ):
            lines += [*wrapped(head), *aligned(_comparison_rows(model, part), "lrrr"), ""]
    for sentence in analysis.comparison.missing:
        lines += wrapped(f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.")
    failures = analysis.comparison.bootstrap.drop_duplicates("likelihood")
    if failures.empty:
        return [*lines, *wrapped("95 % intervals: equal-tailed (posterior). There is no bootstrap.")]
    for sentence in resample_sentences(analysis.comparison.bootstrap):
        lines += wrapped(sentence)
    replicates = int(failures["replicates"].iloc[0])
    for sentence in _rubin(analysis):
        lines += wrapped(sentence)
    each = f", {replicates // len(analysis.fit.fits)} of each set" if isinstance(analysis.fit, Pooled) else ""
    note = (
        f"95 % intervals: percentile of {replicates} resamples of patients{each} (bootstrap of the maximum-likelihood "
        "fit), equal-tailed (posterior). Along a row only the inference changes, down a column only the likelihood "
        "(with the covariates' coding that belongs to it) and what a sentence above names."
    )
    if replicates < FEW:
        note = f"{replicates} resamples are too few for limits of 95 %: take 1,000 or more. {note}"
    return [*lines, *wrapped(note)]


def _products(model: PathModel, table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the products of coefficients of each likelihood, those of unlike scales apart from each other.

    In the outcome's own unit they would say the differences again.
    """
    on = product_scale(model.outcome_family)
    for likelihood in [name for name in dict.fromkeys(table["likelihood"]) if name != PUBLISHED] if on else []:
        normal = likelihood == "normal"
        words = "in the outcome's unit" if normal else on
        head = f"Product of coefficients per unit of exposure, {words} ({likelihood.replace('_', ' ')})"
        yield head, table[table["likelihood"].isin([likelihood, *([PUBLISHED] if normal else [])])]


def _rubin(analysis: Analysis) -> Iterator[str]:
    """Yield what Rubin's rules make of each likelihood's bootstrap, for the effect in question."""
    table, path = analysis.comparison.rubin, main_path(analysis.fit.model)
    if table is None:
        return
    rows = table[(table["path"] == path) & (table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]
    decimals, lack = decimals_of(rows), "not having the records"
    if isinstance(analysis.fit, Pooled):
        lack = analysis.fit.survey.lack
    found = [
        f"{row['likelihood'].replace('_', ' ')} {estimated(row, 'estimate', decimals)} "
        f"({100 * row['share']:.0f} % of the variance from {lack})"
        for _, row in rows.iterrows()
    ]
    yield (
        f"Rubin's rules in place of percentiles, for {path_words(analysis.fit.model, path)}: {'; '.join(found)}. Their "
        "intervals are symmetric, which the distribution of a product of coefficients is not. All effects: rubin.csv."
    )


def _comparison_rows(model: PathModel, table: pd.DataFrame) -> list[list[str]]:
    """Return the heads, then for each path a line with its name and a line for each likelihood."""
    likelihoods = [name for name in dict.fromkeys(table["likelihood"]) if name != PUBLISHED]
    inferences = [name for name in (PUBLISHED, BOOTSTRAP, POSTERIOR) if name in set(table["inference"])]
    cells = dict(iter(table.groupby(["path", "likelihood", "inference"])))
    decimals = decimals_of(table[table["inference"] != PUBLISHED])
    rows = [["", *(f"{name}{rows_used(table, name)}" for name in inferences)]]
    alone = len(likelihoods) == 1
    for label, path in headed(list(dict.fromkeys(table["path"]))):
        words = path_words(model, name_parts(path)[0]) if path else f"{label}:"
        if not path or not alone:
            rows.append([words, *[""] * len(inferences)])
        if not path:
            continue
        for i, likelihood in enumerate(likelihoods):
            row = [words if alone else f"   {likelihood.replace('_', ' ')}"]
            for inference in inferences:
                found = cells.get((path, PUBLISHED if inference == PUBLISHED else likelihood, inference))
                if inference == PUBLISHED:
                    row.append("" if found is None or i > 0 else as_published(found))
                elif found is not None:
                    row.append(estimated(found.iloc[0], "estimate", decimals))
                else:
                    row.append("")
            rows.append(row)
    return rows
