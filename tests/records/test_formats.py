"""Files of other programs are read as the same records, and what was recognised is said."""

from __future__ import annotations

import sys

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError, SurveyWarning
from bayes_sp.model.reading.load import load_model

ROWS = 40


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return records of the small specification, with a missing cell and no whole-number mood."""
    rng = np.random.default_rng(5)
    mood = np.round(rng.uniform(1, 9, ROWS), 2)
    mood[3] = np.nan
    return pd.DataFrame(
        {
            "walks": rng.integers(0, 7, ROWS),
            "mood": mood,
            "visits": rng.poisson(2, ROWS),
            "age": rng.integers(20, 90, ROWS),
            "visits_before": rng.poisson(2, ROWS),
            "housing": np.arange(ROWS) % 3 + 1,
        }
    )


def text(frame: pd.DataFrame, separator: str, decimal: str, encoding: str = "utf-8", above: str = "") -> bytes:
    return (above + frame.to_csv(index=False, sep=separator, decimal=decimal)).encode(encoding)


@pytest.mark.parametrize(
    ("separator", "decimal", "encoding", "above", "words"),
    [
        (",", ".", "utf-8-sig", "", ()),
        (";", ",", "utf-8", "", ("separated by semicolons", "decimal commas were read as points")),
        (";", ".", "utf-16", "", ("encoded in UTF-16", "separated by semicolons")),
        ("\t", ",", "utf-16-le", "", ("encoded in UTF-16", "separated by tabs", "decimal commas")),
        (",", ".", "utf-16-be", "", ("encoded in UTF-16",)),
        (",", ".", "utf-32", "", ("encoded in UTF-32",)),
        ("\t", ",", "utf-8", "sep=\t\n", ("separated by tabs", "decimal commas")),
        (",", ".", "utf-8", "A clinic's survey,,,,,\n\n", ("names stand in row 3",)),
        (
            "|",
            ".",
            "cp1252",
            "Gespr\u00e4che und Gr\u00f6\u00dfen\n",
            ("Windows-1252", "names stand in row 2", "vertical bars"),
        ),
    ],
)
def test_text_files_are_recognised_and_it_is_said(
    tmp_path, small_model, frame, separator, decimal, encoding, above, words
):
    """Separator, decimal mark, encoding and heading never change a value."""
    path = tmp_path / "clinic.csv"
    path.write_bytes(text(frame, separator, decimal, encoding, above))
    survey = read_survey(path, small_model)
    assert survey.digest == read_survey(frame, small_model).digest
    assert len(survey.read_as) == len(words)
    assert all(any(word in told for told in survey.read_as) for word in words)


@pytest.mark.parametrize("mark", ["\u200b", "\u2060", "\ufeff"])
def test_characters_of_no_width_are_no_part_of_names_and_numbers(tmp_path, small_model, frame, mark):
    """As web pages leave them in what is copied: nobody sees why a column would be missing."""
    path = tmp_path / "clinic.csv"
    path.write_bytes((mark + text(frame, ",", ".").decode().replace("\n", f"{mark}\n")).encode())
    assert read_survey(path, small_model).digest == read_survey(frame, small_model).digest


def test_rows_of_words_below_the_names_are_left_out(tmp_path, small_model, frame):
    """Exports with questions and identifiers below the names; rows are counted as they stand in the file."""
    lines = text(frame, ",", ".").decode().split("\n")
    questions = ",".join(f"How about {name}?" for name in frame)
    path = tmp_path / "export.csv"
    path.write_text("\n".join([lines[0], questions, ",".join(["{ImportId: q}"] * 6), *lines[1:]]), encoding="utf-8")
    survey = read_survey(path, small_model)
    assert survey.digest == read_survey(frame, small_model).digest
    assert [told[:5] for told in survey.read_as] == ["row 2", "row 3"]
    lines[2] = "x" + lines[2]
    path.write_text("\n".join([lines[0], questions, *lines[1:]]), encoding="utf-8")
    with pytest.raises(SurveyError, match="row 4"):
        read_survey(path, small_model)


def test_commas_that_may_be_thousands_are_refused(tmp_path, small_model, frame):
    """1,250 is twelve hundred to one reader and one and a quarter to another."""
    content = text(frame.assign(age=1250).fillna(5), ";", ".").decode().replace("1250", "1,250").replace(".", "")
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    with pytest.raises(SurveyError, match="'1,250'"):
        read_survey(tmp_path / "a.csv", small_model)


@pytest.mark.parametrize(("dose", "doubtful"), [("1.250", True), ("1.251", False), ("1.25", False)])
def test_points_that_may_be_thousands_are_said(tmp_path, frame, dose, doubtful):
    """1.250 beside 980 may be twelve hundred: programs leave a zero at the end of a decimal number out."""
    content = text(frame.assign(age=[dose, *[980] * (len(frame) - 1)]), ",", ".")
    (tmp_path / "a.csv").write_bytes(content)
    told = read_survey(tmp_path / "a.csv").read_as
    assert told == (("age: '1.250' is read as the number 1.25",) if doubtful else ())


def test_what_looks_like_a_code_is_said(tmp_path, small_model, frame):
    """01 is the number 1, and 1e1 is 10, in columns of numbers."""
    content = text(frame, ",", ".").decode().replace("\n", "\n0", 1)
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    (told,) = read_survey(tmp_path / "a.csv", small_model).read_as
    assert told.startswith("walks: '0")


def test_a_file_of_spss_keeps_labels_and_declared_missing_values(tmp_path, small_model, frame):
    """Declared codes become missing and are counted; a label that says so of an undeclared one is a warning."""
    path, coded = tmp_path / "clinic.sav", frame.assign(age=frame["age"].where(frame.index != 7, -99))
    labels = {"age": {-99.0: "refused"}, "housing": {1.0: "own", 2.0: "rented", 3.0: "other"}}
    pyreadstat.write_sav(
        coded, str(path), column_labels={"mood": "Mood this week"}, variable_value_labels=labels,
        missing_ranges={"age": [-99]},
    )  # fmt: skip
    survey = read_survey(path, small_model)
    assert survey.digest == read_survey(frame.assign(age=frame["age"].where(frame.index != 7)), small_model).digest
    assert survey.coded == (("age", "-99", 1),)
    assert survey.labels == {"mood": "Mood this week"}
    assert survey.value_labels["housing"] == labels["housing"]
    undeclared = frame.assign(age=frame["age"].where(frame.index != 7, 91))
    pyreadstat.write_sav(undeclared, str(path), variable_value_labels={"age": {91.0: "Prefer not to say"}})
    with pytest.warns(SurveyWarning, match=r"age: 91 in 1 of 40 cells is labelled 'Prefer not to say'"):
        read_survey(path, small_model)
    pyreadstat.write_sav(frame.assign(walks=-3), str(path))
    with pytest.raises(SurveyError, match=r"walks.*case 1"):
        read_survey(path, load_model(small_model))


def test_a_file_of_stata_and_its_letters(tmp_path, small_model, frame):
    """.a to .z are missing values of their own, and are counted."""
    path = tmp_path / "clinic.dta"
    column = frame["age"].astype(object)
    column[5] = "b"
    pyreadstat.write_dta(frame.assign(age=column), str(path), missing_user_values={"age": ["b"]})
    survey = read_survey(path, small_model)
    assert survey.digest == read_survey(frame.assign(age=frame["age"].where(frame.index != 5)), small_model).digest
    assert survey.coded == (("age", ".b", 1),)


def test_spreadsheets_say_which_sheet_and_which_numbers_are_text(tmp_path, small_model, frame):
    """The first sheet that holds anything; titles above it; rows as the program counts them."""
    path = tmp_path / "clinic.xlsx"
    column = frame["visits"].astype(object)
    column[2] = str(column[2])
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        pd.DataFrame().to_excel(book, sheet_name="empty")
        frame.assign(visits=column).to_excel(book, sheet_name="data", index=False, startrow=2)
        frame.to_excel(book, sheet_name="copy", index=False)
        book.sheets["data"]["A1"] = "Survey of a clinic"
    survey = read_survey(path, small_model)
    assert survey.digest == read_survey(frame, small_model).digest
    assert "sheet 'data' was read, and not 'copy'" in survey.read_as[0]
    assert "row 3" in survey.read_as[1]
    assert survey.read_as[2].startswith("visits: 1 of its numbers")
    (tmp_path / "no.xlsx").write_text("x", encoding="utf-8")
    with pytest.raises(SurveyError, match="is no spreadsheet"):
        read_survey(tmp_path / "no.xlsx", small_model)


def test_parquet_and_frames_of_other_libraries(tmp_path, small_model, frame):
    """The same records, whoever holds them."""
    frame.to_parquet(tmp_path / "clinic.parquet")
    digest = read_survey(frame, small_model).digest
    assert read_survey(tmp_path / "clinic.parquet", small_model).digest == digest
    assert read_survey(pa.Table.from_pandas(frame), small_model).digest == digest
    assert read_survey(nw.from_native(frame), small_model).digest == digest
    (tmp_path / "no.parquet").write_text("x", encoding="utf-8")
    with pytest.raises(SurveyError, match="is no Parquet file"):
        read_survey(tmp_path / "no.parquet", small_model)
    with pytest.raises(SurveyError, match="found dict"):
        read_survey({"walks": [1]}, small_model)


def test_a_reader_that_is_not_installed_says_what_to_install(tmp_path, small_model, monkeypatch):
    """Nothing but the missing extra is named."""
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SurveyError, match=r"pip install 'bayes_sp\[spss\]'"):
        read_survey(tmp_path / "clinic.sav", small_model)


def test_any_column_name_is_usable(tmp_path, small_tables, frame):
    """A variable may stand in a column of another name, which a mistake is named by."""
    small_tables["variables"]["mood"]["column"] = "Q3: How are you?"
    model = load_model(small_tables)
    renamed = frame.rename(columns={"mood": "Q3: How are you?"})
    assert list(read_survey(renamed, model).records) == list(frame)
    with pytest.raises(SurveyError, match=r'column "Q3: How are you\?" is missing'):
        read_survey(frame, model)
