"""What a text editor, a spreadsheet or an attack does to a TOML file is told in words."""

from __future__ import annotations

import pytest

from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_text
from bayes_sp.records.nonresponders import nonresponders_from_moments


@pytest.fixture
def text() -> str:
    """Return the text of a shipped specification."""
    return specification_text(load_model("primary"))


def test_a_byte_order_mark_changes_nothing(tmp_path, text) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "primary.toml"
    path.write_text(text, encoding="utf-8-sig")
    assert load_model(path) == load_model("primary")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("title = \u201cmine\u201d", "curly quotation marks"),
        ("missing_shift = 1,5", "numbers have a decimal point, not a comma"),
        ("a = " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a = " + "[" * 300 + "]" * 300, "nested too deeply"),
        (".".join("a" * 3000) + " = 1", "nested too deeply"),
        ("contrast = [0, 0x" + "f" * 4000 + "]", r"contrast\[2\]: is a whole number of more than 1,000 digits"),
        ("contrast = [0, " + "9" * 5000 + "]", "is not valid TOML"),
        ("contrast = [0, 1e-400]", "1e-400 is so close to 0 that it would be read as 0"),
    ],
)
def test_what_is_no_specification_is_told(tmp_path, text, line, words) -> None:
    """Each is a mistake of the file's, with a hint where the line is a usual one; moments are read alike."""
    path = tmp_path / "mine.toml"
    path.write_text(
        f"{line}\n{text}" if "contrast" not in line else text.replace("contrast = [", f"{line}\nold = [", 1)
    )
    with pytest.raises(SpecificationError, match=words):
        load_model(path)
    with pytest.raises(SurveyError, match=words):
        nonresponders_from_moments(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("contrast", [0, 2**53 + 1], "contrast: must be a number that can be kept exactly"),
        ("missing_codes", ["1e400"], "missing_codes: must be a finite number, found inf"),
        ("missing_codes", ["1e-400"], "missing_codes: 1e-400 is so close to 0"),
        ("missing_codes", ["a\x1bb"], "missing_codes: holds the control character"),
    ],
)
def test_no_number_changes_silently(small_tables, key, value, words) -> None:
    """What would be another number, or would act on a terminal, is refused at its key."""
    with pytest.raises(SpecificationError, match=words):
        load_model(small_tables | {key: value})


def test_names_fit_into_files(small_tables) -> None:
    """A name that no file of draws could hold is refused."""
    with pytest.raises(SpecificationError, match=r'"w{20}\.\.\." cannot name a variable: it has 300'):
        load_model(small_tables | {"exposure": "w" * 300})


def test_a_step_divides_its_scale(small_tables) -> None:
    """The width of a scale is a multiple of its step, up to how a third is written."""
    scale = {"min": 0, "max": 10}
    for step, fits in ((0.125, True), (0.333, True), (0.3, False), (4, False)):
        small_tables["variables"]["mood"] = scale | {"step": step}
        if fits:
            load_model(small_tables)
        else:
            with pytest.raises(
                SpecificationError, match=r"mood\.step: the scale's width, 10, must be a multiple of it"
            ):
                load_model(small_tables)
