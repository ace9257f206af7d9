"""What speaks against taking records as they are, before anything is fitted to them: each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayes_sp.design.build import complete_cases, unchecked_design
from bayes_sp.design.checks.dose import RARE, departures, exposure_levels
from bayes_sp.design.checks.far_priors import far_priors
from bayes_sp.design.checks.identified import FEWEST_AT_LEVEL, level_counts, thin_groups
from bayes_sp.design.checks.inflated import inflated_columns
from bayes_sp.design.checks.separation import only_ones, scarce, separations, without_zeros
from bayes_sp.design.checks.strong_confounders import strong_confounders
from bayes_sp.design.design import Design
from bayes_sp.errors import SurveyWarning, warn
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.people import speaking_of
from bayes_sp.names import LEAST_COUNT
from bayes_sp.records.checks import group_labels
from bayes_sp.records.codes import Suspect, code_words, group_suspects, suspects
from bayes_sp.records.groups import long_columns, look_alikes
from bayes_sp.records.sets import Sets
from bayes_sp.records.small_counts import ends_shown, share_words
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.oddities import alike_rows
from bayes_sp.shown import worded

VERY_RARE = 0.01  # alike rows of a model's few columns


def survey_doubts(model: PathModel, survey: Survey) -> tuple[str, ...]:
    """Return a sentence on everything in the records that a reader of results must know first; () where all is well.

    Those of `record_doubts` and `equation_doubts`, and rows that are alike. The records must fit the specification. Of
    several sets of records those of any; reconstructions differ in nothing that is doubted.
    """
    if isinstance(survey, Sets):
        sets = survey.each[:1] if survey.reconstructed else survey.each
        return tuple(dict.fromkeys(doubt for one in sets for doubt in survey_doubts(model, one)))
    alike = _alike(model, complete_cases(model, survey).records)
    return (*record_doubts(model, survey), *alike, *equation_doubts(model, survey))


def record_doubts(model: PathModel, survey: Survey) -> tuple[str, ...]:
    """Return a sentence on everything that is odd about cells, whether or not equations can be estimated.

    Remarks of reading; rows of one person; usual codes for missing values that enter as numbers; names of groups that
    look alike.
    """
    used = complete_cases(model, survey).records
    return (*survey.remarks, *_persons(model, survey), *_codes(model, used), *_groups(model, used))


def equation_doubts(model: PathModel, survey: Survey) -> tuple[str, ...]:
    """Return a sentence on everything that the equations will make little of.

    Groups of which most hold one record; levels of an exposure that few records have; an exposure of few levels whose
    means do not lie on a line; coefficients of which the records say nothing, because the response is separated or no
    count is above 1; columns that are nearly collinear; priors far from the records; confounders that
    make up more than is unexplained.
    """
    design = unchecked_design(model, survey)
    fitted = [
        *thin_groups(model, design),
        *_few_at_levels(model, design),
        *_bent(model, design),
        *_unbounded(model, design),
    ]
    return (*fitted, *inflated_columns(model, design), *_far(model, design), *_strong(model, design))


def warn_of_doubts(model: PathModel, survey: Survey) -> None:
    """Warn of every doubt, each in a `SurveyWarning` of its own."""
    with speaking_of(model, [survey.source]):
        doubts = [worded(f"{survey.source}: {doubt}") for doubt in survey_doubts(model, survey)]
    for doubt in doubts:
        warn(doubt, SurveyWarning)


def _persons(model: PathModel, survey: Survey) -> Iterator[str]:
    """Yield what looks like identifiers with repeats in a table from memory; reading a file has looked at its own."""
    if survey.origin == "memory":
        others = [name for name in survey.records if str(name) not in (*model.columns, model.id)]
        cells = ((str(name), survey.records[name]) for name in others if isinstance(survey.records[name], pd.Series))
        yield from long_columns((name, ["" if pd.isna(c) else str(c) for c in column]) for name, column in cells)


def _alike(model: PathModel, records: pd.DataFrame) -> Iterator[str]:
    groups = alike_rows(records[list(model.columns)], VERY_RARE)
    if groups:
        yield (
            f"{sum(map(len, groups))} rows are alike with another in all {len(model.columns)} columns, which chance "
            "does not explain. Where a patient was entered twice, keep one row; python -m bayes_sp check names them."
        )


def _codes(model: PathModel, records: pd.DataFrame) -> Iterator[str]:
    found: dict[str, list[Suspect]] = {}
    for suspect in suspects(model, records):
        found.setdefault(suspect.column, []).append(suspect)
    for name, codes in found.items():
        numbers = ", ".join(code_words(suspect.code) for suspect in codes)
        count = sum(suspect.count for suspect in codes)
        values = records[name].to_numpy(dtype=float, na_value=np.nan)
        low, high = ends_shown(values[~np.isin(values, [suspect.code for suspect in codes])])
        others = "" if np.isnan(low) else f" (most lie from {low:g} to {high:g})"
        what = "usual codes for missing values" if len(codes) > 1 else "a usual code for a missing value"
        verb = "enter" if len(codes) > 1 else "enters"
        yield (
            f"{name}: {numbers} in {share_words(count, codes[0].total)} cells is {what}, far from the other "
            f"values{others}, and {verb} as a number. Where it means a missing value, write "
            f"missing_codes = [{numbers}] into the specification; where it is a value, give {name} a min and a max."
        )


def _groups(model: PathModel, records: pd.DataFrame) -> Iterator[str]:
    for name in model.grouping:
        cells = group_labels(records[name])
        for labels in look_alikes(cells):
            words = ", ".join(repr(label) if label.isascii() else ascii(label) for label in labels)
            yield f"{name}: the groups {words} look like one, and are taken as {len(labels)}; write them alike."
        for code in group_suspects(cells):
            yield (
                f"{name}: {code} in {share_words(cells.count(code), len(cells))} cells is a usual code for a missing "
                f"value, and is taken as the name of a group. Every row needs a group: where it means a missing one, "
                f"leave the row out."
            )


def _few_at_levels(model: PathModel, design: Design) -> Iterator[str]:
    for name, level, count in level_counts(model, design):
        if FEWEST_AT_LEVEL <= count < LEAST_COUNT:  # fewer are refused
            yield (
                f"{name}: fewer than {LEAST_COUNT} records with a response have the level {level}. Effects against it "
                "rest on these patients and on the prior, and say something of each of them; put the level together "
                "with another before results leave your hands."
            )


def _bent(model: PathModel, design: Design) -> Iterator[str]:
    levels = exposure_levels(design)
    u0, u1 = design.contrast
    for bent in departures(model, design):
        if bent.tail < RARE:
            yield (
                f"{model.exposure} enters as a number, and the means of {bent.response} at its {len(levels)} levels do "
                f"not lie on a line: chance alone gives such a departure in less than 1 of {1 / RARE:.0f} samples "
                f"(F = {bent.f:.1f} on {bent.q} and {bent.df} degrees of freedom). One slope then describes no step "
                f"of it, and {u1:g} against {u0:g} is not the difference between these two levels; if levels are "
                f"names of groups, name them as levels under [exposures]."
            )


def _far(model: PathModel, design: Design) -> Iterator[str]:
    for response, what in far_priors(model, design):
        yield (
            f"{response}: its priors lie far from what the records say by least squares, {', '.join(what)}: results "
            "are what the priors leave of them. Look at the units of the columns, and write priors in these units."
        )


def _strong(model: PathModel, design: Design) -> Iterator[str]:
    for name, response, found, taken in strong_confounders(model, design):
        yield (
            f"{response}: an unmeasured confounder as strong as {name} makes up a variance of {taken:.3g}, and the "
            f"records leave {found:.3g} unexplained. So strong a confounder is impossible with these records, and "
            "effects given it are of no use; give it less strength."
        )


def _unbounded(model: PathModel, design: Design) -> Iterator[str]:
    for response, terms, what in separations(model, design):
        words, one = ", ".join(terms), len(terms) == 1
        tell, slope = ("tells", f"slope of {words} has no finite maximum-likelihood value") if one else (
            "tell", f"slopes of {words} have no finite maximum-likelihood values")  # fmt: skip
        yield (
            f"{response}: {words} {tell} {what} without exception in a part of the records (separation), so that the "
            f"{slope}, and only the prior{'' if one else 's'} bound{'s' if one else ''} what follows. Give "
            f"{'it a prior' if one else 'them priors'} that you can defend: under a wide one results are the prior's, "
            "and sampling may fail."
        )
    for response, hurdle in only_ones(model, design):
        what = "how many there are above the hurdle" if hurdle else "zeros of two kinds"
        yield (
            f"{response}: no count is above 1, so that the records say nothing of {what}: the priors of its mean and "
            f'of phi alone speak of them. Use the family "bernoulli_logit", which asks whether there is any.'
        )
    for response, rare, count, total, size in scarce(model, design):
        yield (
            f"{response}: {share_words(count, total)} records have {rare}, for {size} coefficients that rest on them: "
            "what the priors allow is most of what results say, and under wide ones that is nearly everything. Use "
            "fewer covariates, or priors that you can defend."
        )
    for response in without_zeros(model, design):
        yield (
            f"{response}: no record has 0, so that the zero part has no finite maximum-likelihood value and its priors "
            f'alone bound it. Use the family "negative_binomial", or give the zero part priors that you can defend.'
        )
