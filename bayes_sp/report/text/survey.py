"""A survey in words: its variables, and a check of it before any fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayes_sp.design.checks.result import SurveyCheck
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.codes import without_codes
from bayes_sp.records.sets import Sets
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.describe import moments_table
from bayes_sp.report.text.layout import aligned, bullets, wrapped


def variable_lines(model: PathModel, survey: Survey, least: int) -> list[str]:
    """Return the variables of a fit in lines, as its head.

    Smallest and largest values that fewer than ``least`` patients have, and counts of fewer cells, are left out.
    """
    records = without_codes(model, survey).records
    table = moments_table(records, model.columns, labels=(*model.grouping, *model.levelled), least=least)
    note = f"min and max where {least} patients have them; fewer than {least} cells are not counted."
    of = wrapped(f"Of the first of {len(survey.each)} sets of records.") if isinstance(survey, Sets) else []
    return [*moments_lines(table, least), *of, *(wrapped(note) if least > 1 else [])]


def moments_lines(table: pd.DataFrame, least: int = 1) -> list[str]:
    """Return n, missing, mean, SD, minimum and maximum of each variable as lines; a text has its number of levels.

    Where fewer than ``least`` cells are missing, or are there, it is not said how many.
    """
    rows = [["", "n", "missing", "mean", "SD", "min", "max", ""]]
    for row in table.to_dict("records"):
        n, missing = _counts(row["n"], row["missing"], least)
        count = row["levels"]
        levels = f"{count} level{'' if count == 1 else 's'}" if np.isnan(row["mean"]) and row["n"] else ""
        numbers = (short(row[key]) for key in ("mean", "sd", "minimum", "maximum"))
        rows.append([row["variable"], n, missing, *numbers, levels])
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return aligned(rows, "l" + "r" * (len(rows[0]) - 1))


def _counts(n: int, missing: int, least: int) -> tuple[str, str]:
    """Return how many cells are there and how many are missing, in words where either are few."""
    if 0 < missing < least:
        return f"> {n + missing - least:,}", f"< {least}"
    if 0 < n < least:
        return f"< {least}", f"> {n + missing - least:,}"
    return f"{n:,}", f"{missing:,}"


def short(value: float) -> str:
    """Return a number with four digits, and all of those before its point; '' for none."""
    if np.isnan(value):
        return ""
    whole = value == round(value) or abs(value) >= 1e4
    return f"{value:.0f}" if whole and abs(value) < 1e9 else f"{value:.4g}"


FEWEST = 10  # patients of a pattern that is shown by itself
MOST_CORRELATED = 20  # variables whose correlations are printed
MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
MARKED = "* p < .05, ** p < .01, *** p < .001, two-sided"


def check_text(found: SurveyCheck) -> str:
    """Return what ``check`` prints."""
    lines = wrapped(f"{found.sentence}.", margin="")
    for title, findings in (("Problems", found.problems), ("Warnings", found.warnings), ("Notes", found.notes)):
        if findings:
            lines += ["", f"{title}:", *bullets(findings)]
    for number, (title, body) in enumerate(_sections(found), start=1):
        lines += ["", f"{number}. {title}", *body]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _sections(found: SurveyCheck) -> Iterator[tuple[str, list[str]]]:
    if len(found.moments):
        yield "Variables", moments_lines(found.moments)
    if len(found.correlations):
        yield "Correlations (Pearson)", _correlations(found.correlations)
    if len(found.patterns):
        yield "Missing values by wave and pattern", _missing(found)
    if len(found.repeated):
        yield "Later waves against the first (repeated-measures analysis of variance)", _repeated(found.repeated)
    if len(found.responders):
        yield "Patients who did not come back against those who did (t tests)", _responders(found)
    if found.recovered:
        sentences = bullets(f"{sentence}." for sentence in found.recovered)
        yield "The article's own tests, from the moments that it prints", sentences


def p_words(p: float) -> str:
    """Return a p with three decimals, as articles print it."""
    return "" if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}"[1:] if p < 1 else "1"


def _correlations(table: pd.DataFrame) -> list[str]:
    names = [*dict.fromkeys([table["column"].iloc[0], *table["row"]])]
    if len(names) > MOST_CORRELATED:
        return wrapped(f"Of {len(names)} variables; not printed.")
    cells = {(row.row, row.column): row for row in table.itertuples()}
    rows = [["", *(str(k) for k in range(1, len(names)))]]
    for k, name in enumerate(names, start=1):
        own = [_r(cells.get((name, other))) for other in names[: k - 1]]
        rows.append([f"{k} {name}", *own, *[""] * (len(names) - k)][: len(names)])
    least, most = int(table["n"].min()), int(table["n"].max())
    n = f"n = {least:,}" if least == most else f"n from {least:,} to {most:,}, of records with both values"
    return [*aligned(rows, "l" + "r" * (len(names) - 1)), *wrapped(f"{n}; {MARKED}.")]


def _r(row: object) -> str:
    r, p = getattr(row, "r", np.nan), getattr(row, "p", np.nan)
    if np.isnan(r):
        return ""
    text = f"{r:z.2f}".replace("0.", ".", 1)
    return text + next((mark for limit, mark in MARKS if p < limit), "")


def _missing(found: SurveyCheck) -> list[str]:
    lines = list[str]()
    if len(found.missing) > 1:
        rows = [["wave", "columns", "all values", "some", "none"]]
        rows += [[str(cell) for cell in row] for row in found.missing.itertuples(index=False)]
        lines += [*aligned(rows, "lrrrr"), ""]
    patterns = found.patterns
    if len(patterns) == 1 and not patterns["columns"].iloc[0]:
        return [*lines, *wrapped("No value is missing.")]
    shown, pooled = _pooled(patterns)
    lines += bullets(f"{row.patients:,} patients lack {row.missing or 'nothing'}" for row in shown.itertuples())
    if len(pooled) == len(patterns):
        lines += wrapped("Patterns of so few patients are not shown one by one.")
    elif len(pooled):
        total = int(pooled["patients"].sum())
        lines += bullets([f"{total:,} patients have one of {len(pooled)} other patterns"])
    return lines


def _pooled(patterns: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the patterns that are shown and those that are pooled: rare ones, so that none can be worked out."""
    rare = int((patterns["patients"] < FEWEST).sum())
    while 0 < rare < len(patterns) and (rare == 1 or patterns["patients"].tail(rare).sum() < FEWEST):
        rare += 1
    return patterns.head(len(patterns) - rare), patterns.tail(rare) if rare else patterns.head(0)


def _repeated(table: pd.DataFrame) -> list[str]:
    rows = [["", "n", "first", "later", "change [95 %]", "F", "p", "partial eta2"]]
    for row in table.to_dict("records"):
        waves = f"{row['variable']}: {row['first']}, {row['second']}"
        first, later = (f"{row[f'mean_{w}']:.3g} ({row[f'sd_{w}']:.3g})" for w in ("first", "second"))
        change = f"{row['change']:z.2f} [{row['lower']:z.2f}, {row['upper']:z.2f}]"
        f = f"F({row['df1']}, {row['df2']}) = {row['f']:.2f}"
        rows.append(
            [waves, f"{row['n']:,}", first, later, change, f, p_words(row["p"]), f"{row['partial_eta_squared']:.3f}"]
        )
    return [*aligned(rows, "lrrrrrrr"), *wrapped("Means (SDs) of the patients with both values.")]


def _responders(found: SurveyCheck) -> list[str]:
    rows = [["", "came back", "did not", "t", "p", "p (Bonferroni)", "d"]]
    for row in found.responders.to_dict("records"):
        groups = [
            f"{row[f'mean_{who}']:.3g} ({row[f'sd_{who}']:.3g}), n = {row[f'n_{who}']:,}"
            for who in ("responders", "nonresponders")
        ]
        t = f"t({row['df']}) = {row['t']:.2f}"
        rows.append([row["variable"], *groups, t, p_words(row["p"]), p_words(row["p_bonferroni"]), f"{row['d']:z.2f}"])
    note = (
        f"Means (SDs); Student's t with a common variance; d in units of that SD. Those who did not come back: "
        f"{found.nonresponders}."
    )
    return [*aligned(rows, "lrrrrrr"), *wrapped(note)]
