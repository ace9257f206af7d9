"""Broken codebooks and broken files: never a traceback, never a wrong acceptance, every message names its place."""

from __future__ import annotations

import copy
import math
import re
import tomllib
import warnings
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayes_sp.design.read import read_survey
from bayes_sp.errors import BayesSpError, CodebookError, SurveyError
from bayes_sp.records.codebook.load import read_codebook
from bayes_sp.records.codebook.rules import widened

WIDE = tomllib.loads("""
id = "who"
missing_codes = { -99 = "not answered" }
[variables]
a = { column = "Q 1", kind = "ordered", min = 1, max = 4, labels = { 1 = "never", 4 = "always" } }
b = { column = "Q 2", kind = "ordered", min = 1, max = 4, missing_codes = ["refused"] }
n = { kind = "count", max = 50 }
x = { kind = "continuous", label = "Height", unit = "cm" }
s = { kind = "binary", levels = [0, 1], labels = { 0 = "no", 1 = "yes" } }
site = { kind = "category", levels = ["01", "1", "north"] }
[derived]
m = { rule = "mean", items = ["a", "b"], reversed = ["b"], answered = 1 }
d = { rule = "difference", later = "m", earlier = "x" }
t = { rule = "ticks", items = ["s"], empty = "unticked" }
""")
LONG = tomllib.loads("""
id = "who"
long = { wave = "n", waves = { 0 = "t0", 1 = "t1" } }
[variables]
a = { column = "Q 1", kind = "ordered", min = 1, max = 4, labels = { 1 = "never", 4 = "always" } }
b = { column = "Q 2", kind = "ordered", min = 1, max = 4, missing_codes = ["refused", -99] }
site = { kind = "category", constant = true }
[derived]
m = { rule = "sum", items = ["a", "b"] }
d = { rule = "difference", later = "m_t1", earlier = "m_t0" }
""")
HEADER = ["who", "Q 1", "Q 2", "n", "x", "s", "site"]
ROWS = [
    ["p1", "1", "4", "0", "160.5", "0", "01"], ["p1", "never", "2", "1", "-0.25", "yes", "01"],
    ["p2", "3", "refused", "0", "1e2", "1", "north"], ["p2", "4", "-99", "1", "", "no", "north"],
    ["p3", "always", "1", "0", "171", "", "1"],
]  # fmt: skip
NUMBERS = ["", "2", "3", "12", "165.5", "1", "north"]  # of which so many follow that no row above passes for a heading
WIDE_ROWS = [[f"w{k}", *row[1:]] for k, row in enumerate([*ROWS, *[NUMBERS] * 10])]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5),
    st.sampled_from([10**30, -(10**400), 0.1, math.nan, math.inf, 1e-320]),
    st.sampled_from(["", "a", "b", "m", "mean", "uls8", "ticks", "count", "never", "t0", "\x1b[31m", "a\nb", "01"]),
    st.text(max_size=4), st.lists(st.sampled_from(["a", "b", 1, 2.5, "m", "s"]), max_size=3),
    st.dictionaries(
        st.sampled_from(["1", "x", "-99", "kind", "min", "2.5", "1e-400"]), st.sampled_from(["q", 1, {}]), max_size=2
    ),
)  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(["", "NA", "-99", "-99.0", "refused", "never", "yes", "01", "1e5", "1,5", "5", "0", "2.5", "nan"]),
    st.sampled_from(["p1", ".", "-", "=1+1", "1e400", "9007199254740993", "1e-400", " 2 ", "\u0663", "1_0", "0x1"]),
    st.sampled_from(["None", "north"]),
    st.text(st.characters(exclude_characters='\0\r\n"', exclude_categories=["Cs"]), max_size=5),
    st.integers(-(10**4), 10**4).map(str), st.floats(allow_nan=False).map(repr),
)  # fmt: skip
SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
PLACE = re.compile(r"(variables|derived|long|id|title|missing_codes)\b|unknown key")


def changed_once(tables: dict[str, Any], data: st.DataObject) -> None:
    """Change, remove or add a key of one of the tables, anywhere."""
    inner = [tables]
    for table in inner:
        inner += [value for value in table.values() if isinstance(value, dict)]
    table = data.draw(st.sampled_from(inner))
    known = [
        "kind",
        "min",
        "max",
        "levels",
        "labels",
        "column",
        "items",
        "rule",
        "reversed",
        "scale",
        "answers",
        "waves",
    ]
    key = data.draw(st.sampled_from([*table, *known, "wrong"]))
    if key in table and data.draw(st.integers(0, 3)) == 0:
        del table[key]
    else:
        table[key] = copy.deepcopy(data.draw(JUNK))  # what is drawn may be shared


def read_quietly(path: Path, book: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_survey(path, codebook=book)


def written(path: Path, rows: list[list[str]]) -> Path:
    quoted = [",".join(f'"{cell}"' for cell in row) for row in [HEADER, *rows]]
    path.write_text("\n".join(quoted) + "\n", encoding="utf-8")
    return path


def holds_what_it_says(survey: Any) -> None:
    """Look at every value of a survey that was accepted: of its kind, within its limits, one of its levels."""
    for variable in survey.codebook.variables:
        values = [v for v in survey.records[variable.name] if v is not None and v == v]
        for value in values:
            if variable.levels:
                assert value in variable.levels
            if isinstance(value, str):
                assert variable.kind == "category"
                continue
            assert math.isfinite(value)
            assert variable.minimum is None or value >= variable.minimum
            assert variable.maximum is None or value <= variable.maximum
            assert variable.kind not in ("count", "ordered", "binary") or value == round(value)
            assert variable.kind != "count" or value >= 0
        assert variable.kind != "binary" or len(set(values)) <= 2


def broken_codebooks(examples: int) -> Any:
    """Return a test of so many broken codebooks."""

    @settings(SETTINGS, max_examples=examples)
    @given(st.data())
    def run(folder: Path, data: st.DataObject) -> None:
        tables = copy.deepcopy(data.draw(st.sampled_from([WIDE, LONG])))
        for _ in range(data.draw(st.integers(1, 3))):
            changed_once(tables, data)
        path = folder / ("long.csv" if "long" in tables else "wide.csv")
        try:
            book = read_codebook(tables)
        except CodebookError as error:
            for problem in error.problems:
                assert PLACE.search(problem), problem
            return
        assert all(variable.name.isidentifier() for variable in widened(book).variables)
        try:
            survey = read_quietly(path, book)
        except SurveyError as error:
            for problem in error.problems:
                assert re.search(r'column ".*"|row \d', problem, re.DOTALL), problem
            return
        holds_what_it_says(survey)

    return run


def number_of(text: str) -> float | None:
    """Return the number that a cell writes, by Python's exact arithmetic; None where it writes none."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        return None
    try:
        return float(Decimal(text))
    except (InvalidOperation, OverflowError):
        return None


def meant(column: str, cell: str) -> object:
    """Return what a cell of the wide file means: a number, a text, None for a missing value; Ellipsis for a mistake."""
    text, number = cell.strip(), number_of(cell.strip())
    labels = {"Q 1": {"never": 1.0, "always": 4.0}, "s": {"no": 0.0, "yes": 1.0}}.get(column, {})
    if text in ("", "NA") or number == -99 or (column == "Q 2" and text == "refused"):
        return None
    if column == "site":
        return text if text in ("01", "1", "north") else ...
    number = labels.get(text, number)
    if number is None or not math.isfinite(number):
        return ...
    whole = number == round(number)
    fine = {
        "Q 1": whole and 1 <= number <= 4, "Q 2": whole and 1 <= number <= 4, "n": whole and 0 <= number <= 50,
        "x": True, "s": number in (0, 1),
    }  # fmt: skip
    if text not in labels and re.fullmatch(r"[+-]?\d+", text) and Decimal(text) != Decimal(number):
        return ...
    if text not in labels and Decimal(text) != 0 and abs(number) < 2.2250738585072014e-308:
        return ...
    return number if fine[column] else ...


def broken_cells(examples: int) -> Any:
    """Return a test of so many files with broken cells, against what each cell means."""

    @settings(SETTINGS, max_examples=examples)
    @given(st.data())
    def run(folder: Path, data: st.DataObject) -> None:
        rows = copy.deepcopy(WIDE_ROWS)
        for _ in range(data.draw(st.integers(1, 3))):
            place, cell_place = data.draw(st.integers(0, len(ROWS) - 1)), data.draw(st.integers(1, len(HEADER) - 1))
            rows[place][cell_place] = data.draw(CELLS)
        path = written(folder / "broken.csv", rows)
        wrong = {(r, HEADER[c]) for r, row in enumerate(rows) for c, cell in enumerate(row[1:], 1)
                 if meant(HEADER[c], cell) is ...}  # fmt: skip
        try:
            survey = read_quietly(path, WIDE)
        except SurveyError as error:
            told = "\n".join(error.problems)
            for number, column in wrong:
                assert f'column "{column}"' in told, (number, column, told)
                assert f"row {number + 2} " in told, (number, column, told)
            assert wrong, told
            return
        assert not wrong
        names = {"Q 1": "a", "Q 2": "b"}
        for r, row in enumerate(rows):
            for c, cell in enumerate(row[1:], 1):
                found, expected = survey.records[names.get(HEADER[c], HEADER[c])].iloc[r], meant(HEADER[c], cell)
                if expected is None:
                    assert found is None or found != found, (HEADER[c], cell)
                else:
                    assert found == expected, (HEADER[c], cell)
        holds_what_it_says(survey)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "wide.csv", WIDE_ROWS)
    written(tmp_path / "long.csv", ROWS)
    return tmp_path


def test_the_files_are_sound(folder: Path):
    """What is broken below is read without a word before."""
    assert len(read_quietly(folder / "wide.csv", WIDE)) == 15
    assert len(read_quietly(folder / "long.csv", LONG)) == 3


def test_broken_codebooks(folder: Path):
    """A few hundred."""
    broken_codebooks(200)(folder)


def test_broken_cells(folder: Path):
    """A few hundred."""
    broken_cells(200)(folder)


MANY = [pytest.param(500, marks=pytest.mark.slow), pytest.param(10_000, marks=pytest.mark.exhaustive)]


@pytest.mark.parametrize("many", MANY)
def test_many_broken_codebooks(folder: Path, many: int):
    """Each is refused in words or means what it says."""
    broken_codebooks(many)(folder)


@pytest.mark.parametrize("many", MANY)
def test_many_broken_cells(folder: Path, many: int):
    """Each is refused in words or read as what it means."""
    broken_cells(many)(folder)


@pytest.mark.parametrize(
    "text",
    ["", "a = 1,5", "[variables]\na = { kind = “count” }", "\x00", "[" * 50, "variables = 3", "[variables]\na = 3"],
)
def test_files_that_are_no_codebook_are_named(tmp_path: Path, text: str):
    """Empty, decimal commas, curly quotation marks, no text: one error with the file's name."""
    path = tmp_path / "book.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BayesSpError, match=r"book\.toml"):
        read_codebook(path)
