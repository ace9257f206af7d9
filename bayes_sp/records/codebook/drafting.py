"""A first codebook for a file: what each column is likely to mean, from its own values and the file's own labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.model.parts import Code
from bayes_sp.model.reading.write import inline_key, inline_value
from bayes_sp.records.codebook.proposals import proposed_scores
from bayes_sp.records.codes import code_words, column_suspects
from bayes_sp.records.groups import IDENTIFIER, says_no_answer, says_nothing
from bayes_sp.records.guesses import KindGuess, guess_kind, plain_names
from bayes_sp.records.reading.cells import LIKE_A_CODE, MISSING, Cells
from bayes_sp.records.reading.everything import Source, read_everything, read_table
from bayes_sp.records.reading.table import Table
from bayes_sp.safe_text import one_line

MOST_TEXTS = 12  # different texts of a category that are listed as its levels
LEAST_CELLS = 5  # of each of them: a rarer one may say who somebody is
MOST_WAVES = 10
WAVE = ("t0", "t1", "t2", "t3", "pre", "post", "baseline", "followup")  # at the end of names


@dataclass(frozen=True)
class Line:
    """A variable's line in a drafted codebook."""

    # name, keys: the variable, and what is said of it.
    name: str
    keys: Mapping[str, Any]
    reason: str  # why
    # Keys in their place where what looks like a code is one, and why it looks so; both empty where nothing does.
    instead: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""

    def text(self) -> Iterator[str]:
        """Yield its lines."""
        yield f"# {one_line(self.reason)}"
        if self.doubt:
            yield f"# {one_line(self.doubt)}: if so, take this line in place of the next:"
            yield f"# {inline_key(self.name)} = {inline_value(dict(self.instead))}"
        yield f"{inline_key(self.name)} = {inline_value(dict(self.keys))}"


@dataclass(frozen=True)
class DraftedCodebook:
    """A codebook as it is drafted: its text to be edited, and how many guesses want a look."""

    source: str
    id: str
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]

    @property
    def doubtful(self) -> tuple[Line, ...]:
        """Variables with values that look like codes for missing ones."""
        return tuple(line for line in self.lines if line.doubt)

    def text(self) -> str:
        """Return the codebook as TOML, each guess under its reason."""
        lines = [
            f"# What the columns of {one_line(self.source)} mean, guessed from each column's own values: look at every",
            "# line. Nothing is computed and no value is taken out that the file itself does not declare as missing.",
            *(f"# {one_line(remark)}" for remark in self.remarks),
        ]
        if self.id:
            lines += ["", "# its cells are different in every row, and its name is that of an identifier"]
            lines += [f"id = {inline_value(self.id)}"]
        lines += ["", "[variables]", *(line for each in self.lines for line in each.text())]
        return (
            "\n".join([*lines, *proposed_scores({line.name: line.instead or line.keys for line in self.lines})]) + "\n"
        )


def draft_codebook(source: Source) -> DraftedCodebook:
    """Draft a codebook for a file or a data frame, by which it is read to the values that it has without one.

    Raises SurveyError where it cannot be read.
    """
    table = read_table(source)
    survey = read_everything(table)
    columns = [name for name in table.header if name]
    remarks = [*survey.remarks, *_proposed_waves(survey.records)]
    identifier = next((name for name in columns if _names_persons(name, survey.records[name])), "")
    kept = [name for name in columns if name != identifier] or columns
    names = plain_names(kept)
    lines = [_line(names[name], name, table, survey.records[name]) for name in kept]
    return DraftedCodebook(table.place, identifier if kept != columns else "", tuple(lines), tuple(remarks))


def _proposed_waves(records: pd.DataFrame) -> Iterator[str]:
    """Yield lines that propose a long file where identifiers stand several times, once in each wave."""
    for person in map(str, records.columns):
        ids = records[person]
        if not IDENTIFIER.fullmatch(person.strip().casefold()) or ids.isna().any() or ids.is_unique:
            continue
        for wave in map(str, records.columns):
            cells = records[wave]
            if wave == person or not 2 <= cells.nunique() <= MOST_WAVES or cells.isna().any():
                continue
            if records.duplicated([person, wave]).any():
                continue
            names = {f"{cell:g}" if isinstance(cell, int | float) else str(cell): f"t{k}"
                     for k, cell in enumerate(sorted(cells.unique().tolist()))}  # fmt: skip
            same = [str(name) for name in records if str(name) not in (person, wave)
                    and not (records.groupby(person)[name].nunique() > 1).any()]  # fmt: skip
            yield f"{person} stands several times, once for each {wave}: where that is the wave, take the # away from"
            yield f"id = {inline_value(person)}"
            yield f"long = {inline_value({'wave': wave, 'waves': names})}"
            yield f"and write constant = true to what is the same in every wave of a person: {', '.join(same) or '-'}"
            return


def _names_persons(name: str, column: pd.Series) -> bool:
    return IDENTIFIER.fullmatch(name.strip().casefold()) is not None and column.notna().all() and column.is_unique


def _line(name: str, column: str, table: Table, values: pd.Series) -> Line:
    """Return the line of one variable."""
    cells = Cells(table.cells(column))
    head: dict[str, Any] = {} if name == column else {"column": column}
    label = _folded(table.labels.get(column, ""))
    tail: dict[str, Any] = {"label": label} if label else {}
    wave = next((wave for wave in WAVE if name.casefold().endswith(f"_{wave}")), "")
    tail |= {"wave": wave} if wave else {}
    codes = _declared(column, table) | _unused(values, table.value_labels.get(column, {}))
    codes |= {cell: "no value" for cell in cells.distinct if says_nothing(cell) and cell not in MISSING}
    missing = {"missing_codes": {code_words(code): meaning for code, meaning in codes.items()}} if codes else {}
    if not pd.api.types.is_numeric_dtype(values):
        keys, reason = _text(values)
        return Line(name, head | {"kind": "category"} | keys | tail | missing, reason)
    labels = _labels(table.value_labels.get(column, {}), codes)
    number = values.to_numpy(dtype=float, na_value=np.nan)
    doubts = _doubts(number, labels)
    rest = number[np.isfinite(number) & ~np.isin(number, list(doubts))]
    words = {value: label for value, label in labels.items() if value not in doubts}
    guess = guess_kind(rest, words)
    said = head | {"kind": guess.kind} | guess.keys | tail | _labelled(words) | missing
    reason = guess.reason + _perhaps_codes(cells)
    if not doubts:
        return Line(name, said, reason)
    meanings = {code_words(code): labels.get(code, "") for code in doubts}
    instead = said | {"missing_codes": missing.get("missing_codes", {}) | meanings}
    return Line(
        name, head | tail | _labelled(labels) | missing, f"its kind waits for what follows; {_rest(guess)}", instead,
        " and ".join(f"{code_words(code)} {why}" for code, why in doubts.items()) + " and may mean a missing value",
    )  # fmt: skip


def _folded(text: str) -> str:
    """Return a text on one line."""
    return one_line(" ".join(text.split()))


def _perhaps_codes(cells: Cells) -> str:
    """Return what is said of cells that are numbers and may be codes, such as 01."""
    found = next(filter(LIKE_A_CODE.fullmatch, cells.distinct), "")
    return f"; {found!r} is read as {float(found):.15g}, and kind = 'category' keeps it as it is" if found else ""


def _rest(guess: KindGuess) -> str:
    return f"the rest: {guess.kind}, because it holds {guess.reason}"


def _declared(column: str, table: Table) -> dict[Code, str]:
    """Return the values that the file declares as missing, with its words for them."""
    words = table.value_labels.get(column, {})
    declared: list[Code] = list(table.declared.get(column, ()))
    declared += [_code(text) for at, text, _ in table.coded if at == column]
    return {code: _folded(str(words.get(code, words.get(code_words(code), "")))) for code in dict.fromkeys(declared)}


def _unused(values: pd.Series, words: Mapping[float | str, str]) -> dict[Code, str]:
    """Return labelled values that say that there is no answer and that no cell holds."""
    return {
        float(value): _folded(word) for value, word in words.items()
        if isinstance(value, int | float) and says_no_answer(word) and not (values == value).any()
    }  # fmt: skip


def _code(text: str) -> Code:
    try:
        return float(text)
    except ValueError:
        return text


def _labels(words: Mapping[float | str, str], codes: Mapping[Code, str]) -> dict[float, str]:
    """Return the file's words for values that are no codes for missing ones."""
    found = {float(value): _folded(word) for value, word in words.items()
             if isinstance(value, int | float) and value not in codes}  # fmt: skip
    return {value: word for value, word in sorted(found.items()) if word}


def _labelled(labels: Mapping[float, str]) -> dict[str, Any]:
    return {"labels": {code_words(value): label for value, label in labels.items()}} if labels else {}


def _doubts(number: np.ndarray[Any, np.dtype[np.float64]], labels: Mapping[float, str]) -> dict[float, str]:
    """Return values that may mean missing ones, and why: their labels say so, or they stand far from the rest."""
    doubts = dict[float, str]()
    for value, label in labels.items():
        if (count := int((number == value).sum())) and says_no_answer(label):
            doubts[value] = f"in {count} of {len(number)} cells is labelled {label!r}"
    rest = np.where(np.isin(number, list(doubts)), np.nan, number)
    finite = rest[np.isfinite(rest)]
    count = len(finite) > 0 and bool(np.all(finite == np.round(finite)))
    for found in column_suspects("", rest, count=count):
        if found.code not in labels or says_no_answer(labels[found.code]):
            doubts[found.code] = f"in {found.count} of {len(number)} cells stands far from the rest"
    return doubts


def _text(values: pd.Series) -> tuple[dict[str, Any], str]:
    """Return the keys of a column of text, and the reason."""
    counts = values.dropna().astype(str).value_counts()
    what = f"text with {len(counts)} different cells"
    levels: Sequence[str] = sorted(counts.index)
    clean = all(_folded(level) == level for level in levels)
    if len(counts) > MOST_TEXTS or not clean or (len(counts) and counts.min() < LEAST_CELLS):
        return {}, f"{what}; leave it out where it is free text or says who somebody is"
    number = "; labels = { 0 = ..., 1 = ... } with kind = 'binary' or 'ordered' would number them" if levels else ""
    return ({"levels": list(levels)} if levels else {}), f"{what}{number}"
