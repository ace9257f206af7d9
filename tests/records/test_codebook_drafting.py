"""A drafted codebook gives its reasons, and reads the file to the values that it has without one."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyWarning
from bayes_sp.records.codebook.drafting import draft_codebook
from bayes_sp.records.codebook.load import read_codebook
from bayes_sp.records.example.survey import NAMES, write_example

sys.path.insert(0, str(Path(__file__).parent / "reference"))
import example_survey

ROWS = 60
LABELS = {1.0: "never", 2.0: "rarely", 3.0: "some", 4.0: "always", -99.0: "not answered", -88.0: "prefer not to say"}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return columns of many kinds: items, ticks, numbers, a code that nobody named, words, text, an identifier."""
    rng = np.random.default_rng(8)
    items = {f"uls{k}_t{wave}": rng.integers(1, 5, ROWS).astype(float) for wave in (0, 1) for k in range(1, 9)}
    found = pd.DataFrame(
        {
            "id": [f"p{k:03d}" for k in range(ROWS)],
            **items,
            **{f"grp{k}_t0": rng.integers(0, 2, ROWS).astype(float) for k in (1, 2, 3)},
            "age": rng.integers(20, 90, ROWS).astype(float),
            "visits": rng.poisson(3, ROWS).astype(float),
            "share": rng.uniform(0.1, 0.9, ROWS),
            "sex": rng.integers(1, 3, ROWS).astype(float),
            "site": ["north", "south of river"] * (ROWS // 2),
            "free": [f"said {k}" for k in range(ROWS)],
            "nothing": np.full(ROWS, np.nan),
        }
    )
    found.loc[:3, "uls1_t0"], found.loc[4:6, "uls2_t0"], found.loc[:4, "visits"] = -99, -88, 999
    return found


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write a file of any format."""
    kept = frame.drop(columns="nothing")
    if path.suffix in (".sav", ".dta"):
        words = {name: LABELS for name in frame if name.startswith("uls")} | {"sex": {1.0: "man", 2.0: "woman"}}
        if path.suffix == ".sav":
            declared = {name: [-99] for name in frame if name.startswith("uls")}
            pyreadstat.write_sav(kept, str(path), variable_value_labels=words, missing_ranges=declared,
                                 column_labels={"age": "Age in\nyears"})  # fmt: skip
        else:
            words = {name: {int(k): v for k, v in each.items()} for name, each in words.items()}
            pyreadstat.write_dta(kept, str(path), variable_value_labels=words)
    elif path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        odd = frame.rename(columns=lambda name: f"{name.replace('_', ' ')}?\n(all)").assign(site=frame["site"])
        odd["uls3 t0?\n(all)"] = odd["uls3 t0?\n(all)"].astype(object).where(np.arange(ROWS) != 5, "n/a")
        odd.to_csv(path, index=False, sep=";", decimal=",")
    return path


@pytest.mark.parametrize("name", ["x.sav", "x.dta", "x.xlsx", "x.parquet", "x.csv"])
def test_the_drafted_codebook_changes_no_value(tmp_path: Path, frame: pd.DataFrame, name: str):
    """As the file is read without a codebook, column by column."""
    path, book = write(frame, tmp_path / name), tmp_path / "book.toml"
    drafted = draft_codebook(path)
    book.write_text(drafted.text(), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyWarning)
        plain, coded = read_survey(path), read_survey(path, codebook=book)
    names = {v.column: v.name for v in read_codebook(book).variables}
    expected = plain.records.rename(columns=names)
    pd.testing.assert_frame_equal(coded.records[list(expected.columns)], expected)
    assert len(coded.records.columns) == len(expected.columns)
    assert {n for _, _, n in plain.coded} <= {n for _, _, n in coded.coded}


@pytest.mark.fixed_seed  # other visits may look like answers on a scale
def test_every_guess_stands_under_its_reason(tmp_path: Path, frame: pd.DataFrame):
    """Kinds from values and labels, declared codes with their meaning, what may be a code as a line to take instead."""
    drafted = draft_codebook(write(frame, tmp_path / "x.sav"))
    lines = drafted.text().splitlines()
    for at, line in enumerate(lines):
        if " = {" in line and not line.startswith("#"):
            assert lines[at - 1].startswith("# "), line
    of = {line.name: line for line in drafted.lines}
    assert of["uls4_t1"].keys["kind"] == "ordered"
    assert (of["uls4_t1"].keys["min"], of["uls4_t1"].keys["max"], of["uls4_t1"].keys["wave"]) == (1, 4, "t1")
    assert of["uls1_t0"].keys["missing_codes"] == {"-99": "not answered", "-88": "prefer not to say"}
    assert "-88 in 3 of 60 cells is labelled 'prefer not to say'" in of["uls2_t0"].doubt
    assert of["uls2_t0"].instead["missing_codes"] == {"-99": "not answered", "-88": "prefer not to say"}
    assert "999 in 5 of 60 cells stands far from the rest" in of["visits"].doubt
    assert of["visits"].instead["kind"] == "count"
    kinds = {name: of[name].keys["kind"] for name in ("age", "share", "sex", "site", "free", "grp1_t0")}
    assert kinds == {"age": "continuous", "share": "bounded", "sex": "binary", "site": "category", "free": "category",
                     "grp1_t0": "binary"}  # fmt: skip
    assert of["age"].keys["label"] == "Age in years"
    assert of["site"].keys["levels"] == ["north", "south of river"]
    assert "levels" not in of["free"].keys
    assert drafted.id == "id"


@pytest.mark.filterwarnings("ignore:.*goes against the other items")  # made-up answers may, by chance
@pytest.mark.fixed_seed  # other made-up visits may hold a code by chance
def test_the_lines_to_take_instead_are_a_codebook(tmp_path: Path, frame: pd.DataFrame):
    """With the # taken away below [derived], and the second of two lines taken out, the file is scored."""
    path = write(frame, tmp_path / "x.sav")
    lines, kept = draft_codebook(path).text().splitlines(), []
    derived = lines.index("[derived]")
    for at, line in enumerate(lines):
        before = lines[at - 1] if at else ""
        if line.startswith("# ") and " = {" in line and (at > derived or before.endswith("in place of the next:")):
            kept.append(line.removeprefix("# "))
        elif not (before.startswith("# ") and " = {" in before and at < derived):
            kept.append(line)
    book = tmp_path / "book.toml"
    book.write_text("\n".join(kept), encoding="utf-8")
    survey = read_survey(path, codebook=book)
    assert survey.records["visits"].isna().sum() == 5
    assert survey.records["uls_t1"].between(8, 32).all()
    assert survey.records["grp_t0"].equals(frame.filter(like="grp").sum(axis=1).astype(int))
    expected = survey.records["uls_t1"] - survey.records["uls_t0"]
    assert np.allclose(survey.records["uls_change"], expected, equal_nan=True)


def test_a_row_for_each_wave_is_proposed_as_such(tmp_path: Path):
    """Where identifiers stand several times, once in each wave; the lines that are proposed read the file."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"pid": np.repeat(np.arange(30), 2), "visit": np.tile([1, 2], 30), "mood": rng.integers(0, 10, 60),
         "born": np.repeat(rng.integers(1930, 2000, 30), 2)}
    )  # fmt: skip
    path, book = tmp_path / "long.csv", tmp_path / "book.toml"
    frame.to_csv(path, index=False)
    text = draft_codebook(path).text()
    assert "# and write constant = true to what is the same in every wave of a person: born" in text
    for key in ("id", "long"):
        text = text.replace(f"# {key} = ", f"{key} = ")
    text = text.replace("born = { ", "born = { constant = true, ")
    kept = [line for line in text.splitlines() if not line.startswith(("pid = ", "visit = "))]
    book.write_text("\n".join(kept), encoding="utf-8")
    found = read_survey(path, codebook=book).records
    assert list(found.columns) == ["pid", "mood_t0", "mood_t1", "born"]
    assert found["mood_t1"].tolist() == frame["mood"][1::2].tolist()


def test_the_example_is_what_its_script_makes(tmp_path: Path):
    """The shipped SPSS file and CSV hold the same answers, and the codebook reads both to the same survey."""
    write_example(tmp_path / "example")
    frame, labels, words = example_survey.make()
    sav, meta = pyreadstat.read_sav(str(tmp_path / "example" / "survey.sav"), user_missing=True)
    pd.testing.assert_frame_equal(sav, frame)
    assert meta.column_names_to_labels == labels
    assert meta.variable_value_labels == words
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "example" / "survey.csv").astype(float), frame)
    surveys = [
        read_survey(tmp_path / "example" / name, codebook=tmp_path / "example" / "codebook.toml") for name in NAMES[:2]
    ]
    assert surveys[0].digest == surveys[1].digest
    assert surveys[0].remarks == surveys[1].remarks == ()
    in_words = frame.apply(lambda column: column.map(lambda cell: words.get(column.name, {}).get(cell, cell)))
    assert read_survey(in_words, codebook=tmp_path / "example" / "codebook.toml").digest == surveys[0].digest
    assert sum((tmp_path / "example" / name).stat().st_size for name in NAMES) < 200_000


def test_the_examples_scores_are_those_of_plain_arithmetic(tmp_path: Path):
    """Loneliness, groups and their change, from the answers by hand."""
    write_example(tmp_path / "example")
    found = read_survey(tmp_path / "example" / "survey.sav", codebook=tmp_path / "example" / "codebook.toml").records
    frame = example_survey.make()[0].replace([-99.0, -88.0], np.nan)
    for wave in ("T0", "T1"):
        items = frame[[f"Q5_{k}_{wave}" for k in range(1, 9)]].to_numpy(copy=True)
        items[:, [2, 5]] = 5 - items[:, [2, 5]]
        enough = (~np.isnan(items)).sum(axis=1) >= 6
        expected = np.where(enough, pd.DataFrame(items).mean(axis=1), np.nan)
        assert np.allclose(found[f"loneliness_{wave.lower()}"], expected, equal_nan=True)
    groups = [frame[[f"Q6_{k}_{wave}" for k in range(1, 8)]].sum(axis=1, skipna=False) for wave in ("T0", "T1")]
    assert np.allclose(found["group_change"], groups[1] - groups[0], equal_nan=True)
