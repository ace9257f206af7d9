"""What a text editor, a spreadsheet or an attack does to a TOML file is told in words."""

from __future__ import annotations

import numpy as np
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


HEAD = 'title = "t"\n'
USUAL = [
    ("a = 1,5", ",", "decimal point, not a comma"),
    ('a = { dist = "normal", mu = 0,5, sigma = 1 }', ",5", "decimal point, not a comma"),
    ("a = 1.000,5", ",", "decimal point, not a comma"),
    ("a = \u2018x\u2019", "\u2018", "curly quotation marks"),
    ('a = "x', '"', 'no closing "'),
    ("a = 'it's'", "'", "no closing '"),
    ('a = "C:\\data"', "\\", "a backslash in a text"),
    ("a = hello there", "hello", "straight quotation marks"),
    ('a = [mood, "y"]', "mood", "in quotation marks"),
    ("a: 1", ":", "separated by =, not by a colon"),
    ("a\t1", "a", "there is no ="),
    ("my key = 1", "my", "a key with blanks"),
    ("gr\u00f6\u00dfe = 1", "gr", "a key of other signs"),
    ("a = True", "True", "true and false"),
    ("a = NA", "NA", "leave the key out"),
    ("a = .5", ".", "digit before the decimal point"),
    ("a = 5.", ".", "digit after the decimal point"),
    ("a = 007", "007", "no zeros in front"),
    ("a = \u22121", "\u2212", "hyphen"),
    ("a = 50%", "%", "write 0.05 for 5 %"),
    ("a =", "=", "no value behind the ="),
    ("// words", "//", "comments begin with #"),
    ('a = "x",', ",", "at the end of a line"),
    ("a\u00a0= 1", "\u00a0", "no usual blank"),
    ("\ufeffa = 1", "\ufeff", "byte order mark"),
    ("[a", "[", "closing brackets"),
    ("[[a]\nb = 1", "[[", "closing brackets"),
    ("a = [1, 2\n[b]\nc = 1", "[1", "no closing ]"),
    ('a = """x\ny = 1', '"""', 'no closing """'),
    ("a = { b = 1,\n  c = 2 }", "{", "on one line"),
]


@pytest.mark.parametrize(("lines", "at", "words"), USUAL)
def test_a_usual_mistake_is_shown_at_its_place(tmp_path, lines, at, words) -> None:
    """The line, a caret below the sign that is wrong, and what to do, in place of a parser's words."""
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + lines + "\n", encoding="utf-8")
    with pytest.raises(SpecificationError) as caught:
        load_model(path)
    (problem,) = caught.value.problems
    head, shown, caret = problem.split("\n")
    line = lines.split("\n")[0]
    assert words in head
    assert f"in line 2, column {line.rindex(at) + 1 if at in (chr(39), chr(92)) else line.index(at) + 1}:" in head
    assert shown.strip() == line.strip().replace("\t", " ")
    assert shown[caret.index("^")] == at[0]


def test_usual_mistakes_are_told_all_at_once(tmp_path) -> None:
    """Each line with one is told; what follows from another, and a key that stands twice, are told once."""
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + "a = 1,5\nb = 2\nc = \u201cx\u201d\nd = .5\n", encoding="utf-8")
    with pytest.raises(SpecificationError) as caught:
        load_model(path)
    assert [problem.split(",")[0][-1] for problem in caught.value.problems] == ["2", "4", "5"]
    path.write_text(HEAD + "a = 1\nb = 2\na = 3\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"in line 4, column 1: a stands in line 2 already"):
        load_model(path)
    path.write_text(HEAD + "a = 1\nx = 1e-400\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"in line 3, column 5: 1e-400 is so close to 0"):
        load_model(path)


def test_other_encodings_are_told(tmp_path) -> None:
    """Text of Windows and UTF-16 is named as such, with the line."""
    path = tmp_path / "mine.toml"
    path.write_bytes(b'title = "t"\nquestion = "Gr\xf6\xdfe"\n')
    with pytest.raises(SpecificationError, match=r"line 2, after 'question = \"Gr'\); save it as UTF-8"):
        load_model(path)
    path.write_text(HEAD, encoding="utf-16")
    with pytest.raises(SpecificationError, match="but UTF-16; save it as UTF-8"):
        load_model(path)


def test_no_damage_of_a_file_ends_otherwise(tmp_path, text) -> None:
    """One sign of a specification put in, taken out or changed: it is read, or refused as a mistake of the user's."""
    rng = np.random.default_rng(5)
    signs = list("\u201c\u00a0,.;:=[]{}#'\"\\\n\r\t 5\u2212\u00f6\ufeff")
    path = tmp_path / "mine.toml"
    refused = 0
    for _ in range(120):
        at, sign, gone = int(rng.integers(len(text))), str(rng.choice(signs)), int(rng.integers(2))
        path.write_text(text[:at] + sign + text[at + gone :], encoding="utf-8", newline="")
        try:
            load_model(path)
        except SpecificationError:
            refused += 1
    assert 30 < refused < 120
