"""Codes for missing values: named ones become missing, usual ones that pass for data are told, other data are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.design.notes import survey_notes
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SpecificationError, SurveyError, SurveyWarning
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables
from bayes_sp.records.codes import suspects
from bayes_sp.records.survey import Survey

NORMAL = {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"}
POSITIVE = {"dist": "lognormal", "mu": 0, "sigma": 2, "why": "wide"}
TABLES: dict[str, Any] = {
    "title": "x, m, y",
    "exposure": "x",
    "outcome": "y",
    "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "negative_binomial"}],
    "priors": {"intercept": NORMAL, "slope": NORMAL, "sigma": POSITIVE, "phi": POSITIVE},
}
MODEL = load_model(TABLES)
CODED = load_model(TABLES | {"missing_codes": [-99, 999]})


def records(seed: int = 29, n: int = 200) -> pd.DataFrame:
    """Return an exposure of five levels, a mediator and a count."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, n)
    m = (2 + 0.3 * x + rng.normal(size=n)).round(2)
    y = rng.negative_binomial(2, 2 / (2 + np.exp(1 + 0.05 * x - 0.3 * (m - 2))))
    return pd.DataFrame({"x": x, "m": m, "y": y})


def with_codes() -> pd.DataFrame:
    """Return the same with four -99 and two 999."""
    frame = records()
    frame.loc[[3, 50, 51, 120], "m"] = -99
    frame.loc[[7, 90], "y"] = 999
    return frame


def survey_of(frame: pd.DataFrame) -> Survey:
    """Return a survey of a table."""
    return Survey(frame, "memory", "a table")


def test_usual_codes_far_from_the_rest_are_told_and_named_ones_are_missing(tmp_path) -> None:
    """Reading warns in a line each; named codes give the records that empty cells give, and a note of how many."""
    path = tmp_path / "coded.csv"
    with_codes().to_csv(path, index=False)
    with pytest.warns(SurveyWarning) as caught:
        read_survey(path, MODEL)
    first, second = (str(warning.message) for warning in caught)
    assert first.startswith(
        "coded.csv: m: -99 in fewer than 10 of 200 cells is a usual code for a missing value, far from"
    )
    assert "missing_codes = [-99]" in first
    assert second.startswith("coded.csv: y: 999 in fewer than 10 of 200 cells")
    found = read_survey(path, CODED)
    frame = with_codes().astype(object).replace({"m": {-99: ""}, "y": {999: ""}})
    frame.to_csv(tmp_path / "blank.csv", index=False)
    assert found.digest == read_survey(tmp_path / "blank.csv", MODEL).digest
    assert found.coded == (("m", "-99", 4), ("y", "999", 2))
    assert survey_notes(CODED, found)[:2] == (
        "m: fewer than 10 cells hold -99 and are missing (missing_codes).",
        "y: fewer than 10 cells hold 999 and are missing (missing_codes).",
    )


def test_codes_in_a_table_from_memory_are_missing_too() -> None:
    """The design of a table with codes is that of the table with NaN."""
    frame = with_codes()
    blank = frame.astype(float).replace({"m": {-99.0: np.nan}, "y": {999.0: np.nan}})
    one, two = design_arrays(CODED, survey_of(frame)), design_arrays(MODEL, survey_of(blank))
    np.testing.assert_array_equal(one.y, two.y)
    assert (one.missing["m"].sum(), one.missing["y"].sum()) == (4, 2)
    assert len(survey_doubts(MODEL, survey_of(frame))) == 2
    assert survey_doubts(CODED, survey_of(frame)) == ()


def test_text_codes_and_codes_of_one_variable(tmp_path) -> None:
    """A text is a code where it is named; a variable's own codes stand in place of the model's."""
    model = load_model(
        TABLES | {"missing_codes": ["n/a", "-99"], "variables": {"y": {"kind": "count", "missing_codes": []}}}
    )
    path = tmp_path / "texts.csv"
    lines = records().to_csv(index=False).splitlines()
    lines[1] = lines[1].split(",")[0] + ",n/a,3"
    lines[2] = lines[2].split(",")[0] + ",-99.0,3"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_survey(path, model)
    assert found.coded == (("m", "n/a", 1), ("m", "-99", 1))
    assert found.records["m"].isna().to_numpy().nonzero()[0].tolist() == [0, 1]
    lines[3] = lines[3].split(",")[0] + ",2,-99"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SurveyError, match=r'column "y": must be a count of at least 0; found at row 4 \(-99\)'):
        read_survey(path, model)
    assert load_model(specification_tables(model), name=model.name) == model


def test_a_code_on_the_scale_is_refused() -> None:
    """A code that an answer could be is a contradiction in the specification."""
    tables = TABLES | {"missing_codes": [9], "variables": {"m": {"min": 0, "max": 10}}}
    with pytest.raises(SpecificationError, match=r"missing_codes: 9 is on the scale of m \(0 to 10\)"):
        load_model(tables)
    load_model(tables | {"variables": {"m": {"min": 0, "max": 10, "missing_codes": []}}})
    with pytest.raises(SpecificationError, match="missing_codes: must be a list"):
        load_model(TABLES | {"missing_codes": 9})


def suspected(values) -> list[float]:
    """Return the suspected codes of a mediator with these values."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=len(values)), "m": values, "y": rng.poisson(3.0, len(values))})
    return [suspect.code for suspect in suspects(MODEL, frame)]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (lambda rng: rng.integers(1, 8, 200), [9.0] * 12),
        (lambda rng: rng.integers(1, 8, 200), [-9.0]),
        (lambda rng: rng.normal(70, 12, 200).round().clip(30, 95), [999.0]),
        (lambda rng: rng.normal(70, 12, 200).round().clip(30, 95), [-1.0, -1.0]),
        (lambda rng: rng.normal(0, 2, 200).round(1), [-99.0]),
        (lambda rng: rng.normal(0, 2, 200).round(1), [-99.0, -98.0, 999.0]),
        (lambda rng: rng.poisson(1.0, 200), [99.0]),
        (lambda rng: rng.negative_binomial(1, 0.2, 200), [999.0, 999.0]),
        (lambda rng: rng.integers(0, 2, 200), [99.0]),
        (lambda rng: rng.integers(0, 2, 200), [9.0]),
        (lambda rng: rng.integers(1, 3, 200), [8.0, 9.0]),
        (lambda rng: np.exp(rng.normal(10, 1, 200)).round(), [-9999.0]),
        (lambda rng: rng.negative_binomial(2, 0.4, 200), [998.0]),
        (lambda rng: rng.integers(1, 6, 200), [98.0]),
        (lambda rng: rng.normal(60, 12, 200).round(), [998.0]),
        (lambda rng: rng.integers(0, 21, 200), [-1.0]),
        (lambda rng: rng.integers(1, 6, 200), [-1.0]),
        (lambda rng: rng.negative_binomial(2, 0.4, 200), [-1.0]),
        (lambda rng: np.abs(rng.normal(2, 1, 200)).round(2), [-1.0]),
        (lambda rng: rng.normal(5, 1, 200), [-66.0, -77.0, -88.0, -97.0, -98.0, -99.0]),
        (lambda rng: rng.normal(5, 1, 200), [999999999.0]),
        (lambda rng: rng.normal(5, 1, 200), [-1.7976931348623157e308, 1e20]),
        (lambda rng: rng.integers(1, 6, 200), [-1.0, -2.0, -5.0, -8.0]),
        (lambda rng: rng.integers(1, 6, 200), [-3.0] * 8),
        (lambda rng: rng.integers(1, 6, 200), [7.0, 8.0, 9.0] * 3),
        (lambda rng: rng.integers(0, 2, 200), [8.0] * 4),
    ],
)
def test_a_code_is_seen_in_any_usual_column(values, codes) -> None:
    """Codes beyond either end of scales, ages, scores, counts and incomes are told, and nothing else is."""
    column = np.asarray(values(np.random.default_rng(5)), dtype=float)
    column[: len(codes)] = codes
    assert set(suspected(column)) == set(codes)


@pytest.mark.parametrize(
    "values",
    [
        lambda rng: rng.normal(70, 15, 200).round().clip(18, 99),
        lambda rng: rng.binomial(100, 0.9, 200),
        lambda rng: rng.integers(0, 11, 200),
        lambda rng: rng.integers(1, 10, 200) * 11,
        lambda rng: rng.poisson(5.0, 200),
        lambda rng: rng.negative_binomial(0.5, 0.5 / 20.5, 200),
        lambda rng: np.exp(rng.normal(2.0, 1.0, 200)).round(),
        lambda rng: np.floor(2 * rng.pareto(1.5, 200)),
        lambda rng: (2 * rng.standard_t(3, 200)).round(),
        lambda rng: rng.choice([-2, -1, 0, 1, 2, 7], 200),
        lambda rng: rng.choice([0, 4, 8], 200),
        lambda rng: rng.choice([-1, 0, 1], 200),
        lambda rng: rng.choice([-1, 1], 200),
        lambda rng: rng.choice([-3, -2, -1, 1, 2, 3], 200),
        lambda rng: rng.choice([0, 1, 7], 200),
        lambda rng: rng.choice([-1, 0, 1, 2], 200),
        lambda rng: rng.normal(3, 1.5, 200).round(),
        lambda rng: rng.binomial(4, 0.6, 200) - rng.binomial(1, 0.2, 200),
        lambda rng: rng.negative_binomial(0.3, 0.1, 200),
    ],
)
def test_ordinary_columns_are_not_suspected(values) -> None:
    """In 100 columns of a kind, heavy tails with 99 in them included, at most three are suspected."""
    rng = np.random.default_rng(11)
    assert sum(bool(suspected(values(rng))) for _ in range(100)) <= 3


@pytest.mark.parametrize("cell", ["NaN", "None", "nan", "n/a", "#NULL!", "#DIV/0!", ".", ".a", "--"])
def test_what_says_nothing_is_never_a_group_nor_a_number(tmp_path, cell) -> None:
    """Such a cell is refused by column and row, with how to write a missing value."""
    model = load_model(
        TABLES | {"equation": [TABLES["equation"][0], TABLES["equation"][1] | {"varying": "site"}],
                  "priors": TABLES["priors"] | {"tau": POSITIVE}}
    )  # fmt: skip
    frame = records(n=12).assign(site=["A", "B", "C"] * 4)
    frame["m"] = frame["m"].astype(object)
    frame.loc[2, "site"] = frame.loc[3, "m"] = cell
    path = tmp_path / "clinic.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(SurveyError) as caught:
        read_survey(path, model)
    number, group = sorted(caught.value.problems)
    assert f"must be a number; found at row 5 ({cell!r}); write a missing value as an empty cell or NA" in number
    assert '"site": cannot name a group' in group
    assert f"found at row 4 ({cell!r})" in group


def test_groups_that_look_like_one_are_told() -> None:
    """Numbers written differently, accents, spaces inside and cases are told, and stay what they are."""
    model = load_model(
        TABLES | {"equation": [TABLES["equation"][0], TABLES["equation"][1] | {"varying": "site"}],
                  "priors": TABLES["priors"] | {"tau": POSITIVE}}
    )  # fmt: skip
    apart = ["1234567", "1234568"]
    sites = [
        *apart,
        "1",
        "1.0",
        "01",
        "1e0",
        "2",
        "Caf\u00e9",
        "Cafe\u0301",
        "St Ann",
        "St\u00a0Ann",
        "a",
        "A",
        "B-1",
        "B\u20131",
        "B-2",
    ]
    doubts = survey_doubts(model, survey_of(records(n=5 * len(sites)).assign(site=sites * 5)))
    told = [doubt for doubt in doubts if doubt.startswith("site: the groups")]
    assert [doubt.split(" look")[0].removeprefix("site: the groups ") for doubt in told] == [
        "'1', '1.0', '01', '1e0'", "'Caf\\xe9', 'Cafe\\u0301'", "'St Ann', 'St\\xa0Ann'", "'a', 'A'",
        "'B-1', 'B\\u20131'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sites", "codes"),
    [(["A", "B", "C", "-99", "999", "7"], ["-99", "999"]), (["1", "2", "3", "4", "5", "-9"], ["-9"]),
     (["101", "102", "103", "104", "105", "999"], ["999"]), (["1", "2", "3", "4", "8", "9"], [])],
)  # fmt: skip
def test_a_code_that_names_a_group_is_told(sites, codes) -> None:
    """Usual codes among words, and numbers far from the others, are told; a group's number among others is not."""
    model = load_model(
        TABLES | {"equation": [TABLES["equation"][0], TABLES["equation"][1] | {"varying": "site"}],
                  "priors": TABLES["priors"] | {"tau": POSITIVE}}
    )  # fmt: skip
    doubts = survey_doubts(model, survey_of(records(n=60).assign(site=sites * 10)))
    assert [doubt.split()[1] for doubt in doubts if "name of a group" in doubt] == codes


def test_none_among_words_is_an_answer_and_said(tmp_path):
    """A level called none is read and drafted like the others; in a column of numbers it stays no value."""
    file = tmp_path / "p.csv"
    file.write_text("programme,age\n" + "none,50\nchoir,none\nsport,40\n" * 20, encoding="utf-8")
    with pytest.warns(SurveyWarning, match='programme: the word "none" stands in 20 cells and is read as an answer'):
        found = read_survey(file).records
    assert sorted(found["programme"].unique()) == ["choir", "none", "sport"]
    assert found["age"].isna().sum() == 20
