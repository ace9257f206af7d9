"""No cell changes its value, no shifted column is taken, and whatever a file holds is read or refused."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.errors import BayesSpError, SurveyError, SurveyWarning
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

NORMAL = {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"}
POSITIVE = {"dist": "lognormal", "mu": 0, "sigma": 2, "why": "wide"}
MODEL = load_model({
    "title": "x, m, y", "exposure": "x", "outcome": "y",
    "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}],
    "priors": {"intercept": NORMAL, "slope": NORMAL, "sigma": POSITIVE},
})  # fmt: skip
ROWS = [(i % 5, round(2 + 0.3 * (i % 5) + (i * 37 % 11) / 7, 3), i * 7 % 6) for i in range(40)]
TEXT = "x,m,y\n" + "".join(f"{x},{m:.3f},{y}\n" for x, m, y in ROWS)


def read(folder, text, model=MODEL):
    """Read a text as a survey."""
    path = folder / "clinic.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_survey(path, model)


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"', "SEP=,", "sep=,,,"])
def test_a_line_that_names_the_separator_is_no_row(tmp_path, line) -> None:
    """Spreadsheets write such a line and do not show it, so that rows are counted from the names on."""
    assert read(tmp_path, f"{line}\r\n{TEXT}").digest == read(tmp_path, TEXT).digest
    assert read(tmp_path, f"sep=;\n{TEXT}".replace(",", ";")).digest == read(tmp_path, TEXT).digest
    with pytest.raises(SurveyError, match=r"found at row 2 \('two'\)"):
        read(tmp_path, f"{line}\n{TEXT}".replace("2.000", "two", 1))


@pytest.mark.parametrize("names", ["x,m,y", "x,m,y,", "x,m,y,z", "x,m,y,,"])
def test_decimal_commas_without_quotes_never_shift_columns(tmp_path, names) -> None:
    """Whatever the header holds to the right, a row with a comma too many is refused."""
    extra = "," * (names.count(",") - 2)
    shifted = "".join(f"{x},{str(round(m + 0.01, 2)).replace('.', ',')},{y}{extra}\n" for x, m, y in ROWS)
    with pytest.raises(SurveyError, match=r"row 2 has more fields than the .* a comma in a cell needs quotation marks"):
        read(tmp_path, f"{names}\n{shifted}")
    whole = "".join(f"{x},{m:.3f},{y}{extra}\n" for x, m, y in ROWS)
    assert read(tmp_path, f"{names}\n{whole}").digest == read(tmp_path, TEXT).digest


def test_rows_that_lack_fields_of_other_columns_are_told(tmp_path) -> None:
    """Spreadsheets leave trailing empty cells out; a field lost before them would shift the columns."""
    text = TEXT.replace("\n", ",7\n").replace("x,m,y,7", "x,m,y,z")
    with pytest.warns(SurveyWarning, match=r"row 2 has fewer fields than the 4 that the first row names\. The columns"):
        found = read(tmp_path, text.replace("2.000,0,7\n", "2.000,0\n", 1))
    assert found.digest == read(tmp_path, text).digest


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1e-400", "is so close to 0 that it would be read as 0"),
        ("-.001e-330", "is so close to 0"),
        ("2.01e-320", "is so close to 0 that it cannot be kept exactly"),
        ("9007199254740993", r"is a whole number beyond 2\^53 that cannot be kept exactly"),
        ("-9007199254740993.00", r"is a whole number beyond 2\^53"),
        ("123456789012345678901", r"is a whole number beyond 2\^53"),
    ],
)
def test_numbers_that_a_float_would_change_are_refused(tmp_path, cell, words) -> None:
    """What would become 0 or another whole number is named; what is exact, or rounded as a measurement, is taken."""
    with pytest.raises(SurveyError, match=f"column \"m\": {words}.*row 2 \\('{cell}'\\)"):
        read(tmp_path, TEXT.replace("2.000", cell, 1))
    for fine in ("0e-400", "0.000", "1e3", "0.1234567890123456789"):
        assert read(tmp_path, TEXT.replace("2.000", fine, 1)).records["m"].iloc[0] == float(fine)
    frame = pd.DataFrame(ROWS, columns=["x", "m", "y"])
    frame["y"] = np.arange(40) + 2**53 + 1
    with pytest.raises(SurveyError, match=r'column "y": is a whole number beyond 2\^53'):
        design_arrays(MODEL, Survey(frame, "memory", "a table"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_that_is_cut_within_a_character_is_called_broken(tmp_path, encoding) -> None:
    """It is not taken for Western European text with names of zero bytes."""
    with pytest.raises(SurveyError, match=f"is broken: its text in {encoding.upper()} ends or fails at byte"):
        read(tmp_path, TEXT.encode(encoding)[:-1])


@pytest.mark.parametrize("unit", [1e-300, 1e-9, 1e9, 1e300])
def test_collinear_columns_are_named_in_any_unit(unit) -> None:
    """Neither independent columns are refused nor dependent ones taken for their unit."""
    model = load_model({
        "title": "t", "exposure": "x", "outcome": "y", "covariates": {"a": {}, "b": {}},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}],
        "priors": {"intercept": NORMAL, "slope": NORMAL, "sigma": POSITIVE},
    })  # fmt: skip
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.normal(size=40) for name in "xmyab"}) * [unit, 1.0, 1.0, 1.0 / unit, unit]
    design_arrays(model, Survey(frame, "memory", "a table"))
    same = frame.assign(b=3 * frame["x"])
    with pytest.raises(SurveyError, match='"b" follows exactly from x; leave one of them out'):
        design_arrays(model, Survey(same, "memory", "a table"))


CELLS = np.array(["1", "2.5", "-3", "", "NA", "nan", "1e999", "é", '"', '""', ",", "\n", "\r", "\0", "٣"])


def test_any_table_is_read_or_refused(tmp_path) -> None:
    """Whatever stands in a file, the answer is a survey of numbers or a `BayesSpError`."""
    rng = np.random.default_rng(11)
    for case in range(150):
        rows = [rng.choice(CELLS, rng.integers(1, 6)) for _ in range(rng.integers(1, 9))]
        text = ("x,m,y\n" if case % 2 else "") + "\n".join(",".join(row) for row in rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SurveyWarning)
            with contextlib.suppress(BayesSpError):
                found = read(tmp_path, text)
                assert all(np.issubdtype(dtype, np.number) for dtype in found.records.dtypes), text


def test_what_is_written_is_what_is_read(tmp_path) -> None:
    """Every finite number comes back exactly as it was written: of any size, the least and the largest included."""
    rng = np.random.default_rng(12)
    bits = rng.integers(0, 2**32, 4000, dtype=np.uint32).view(np.float32)
    numbers = bits[np.isfinite(bits)].astype(float)
    ends = np.finfo(np.float32)
    numbers[:6] = 0.0, -0.0, ends.smallest_subnormal, ends.tiny, ends.max, 0.1
    for m in np.split(numbers[:3900], 10):
        x = rng.integers(-20, 21, len(m))
        frame = pd.DataFrame({"x": x, "m": m, "y": x % 3})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SurveyWarning)
            found = read(tmp_path, frame.to_csv(index=False, float_format="%.17e"))
        np.testing.assert_array_equal(found.records.to_numpy(dtype=float), frame.to_numpy(dtype=float))
