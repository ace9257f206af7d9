"""A specification is read strictly: every mistake is named with its key path, all of them in one error."""

from __future__ import annotations

import datetime
from dataclasses import fields
from pathlib import Path

import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.model.reading.load import find_model, load_model, shipped_models


def problems_of(tables) -> list[str]:
    with pytest.raises(SpecificationError) as caught:
        load_model(tables, name="spoiled")
    return list(caught.value.problems)


def put(tables, path: str, value) -> None:
    """Set a key by its path, such as ``equation.0.family``; a ``None`` removes it."""
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        tables = tables[part]
    if value is None:
        del tables[last]
    else:
        tables[last] = value


@pytest.mark.parametrize("name", [part.name for part in fields(Equation)])
def test_every_part_of_an_equation_is_read(name, small_tables):
    """A yes, where a text, a list or a number belongs, is a mistake in that key, which is known."""
    found = problems_of({**small_tables, "equation": [{**small_tables["equation"][0], name: True}]})
    assert any(problem.startswith(f"equation[1].{name}: ") for problem in found)
    unknown = any(problem.startswith(f"equation[1].{name}: unknown key") for problem in found)
    assert not unknown, f"take {name} in model/reading/parts.py"


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        # unknown keys, at each level
        ("titel", "x", 'titel: unknown key; did you mean "title"?'),
        ("equation.0.famliy", "normal", 'equation[1].famliy: unknown key; did you mean "family"?'),
        ("variables.mood.lable", "x", 'variables.mood.lable: unknown key; did you mean "label"?'),
        ("covariates.age.centre", 1, 'covariates.age.centre: unknown key; did you mean "center"?'),
        ("priors.sigma.sd", 1, "priors.sigma.sd: unknown key; known: dist, sigma, why"),
        ("priors.visits.walks.tau", 1, "priors.visits.walks.tau: unknown key; known: dist, mu, sigma, why"),
        ("published.0.source_", "x", 'published[1].source_: unknown key; did you mean "source"?'),
        # missing keys, at each level
        ("title", None, "title: is missing"),
        ("exposure", None, "exposure: is missing"),
        ("outcome", None, "outcome: is missing"),
        ("equation", None, "equation: is missing"),
        ("priors", None, "priors: is missing"),
        ("equation.1.response", None, "equation[2].response: is missing"),
        ("equation.0.family", None, "equation[1].family: is missing"),
        ("priors.sigma.why", None, "priors.sigma.why: is missing"),
        ("priors.sigma.sigma", None, "priors.sigma.sigma: is missing"),
        ("priors.visits.walks.dist", None, "priors.visits.walks.dist: is missing"),
        ("published.1.source", None, "published[2].source: is missing"),
        ("published.0.estimate", None, "published[1].estimate: is missing"),
        # wrong types
        ("title", 3, "title: must be a non-empty text, found 3"),
        ("title", "  ", "title: must be a non-empty text, found '  '"),
        ("contrast", "0 1", "contrast: must be a list of numbers, found '0 1'"),
        ("contrast", [0, "1"], "contrast: must be a finite number, found '1'"),
        ("contrast", [0, True], "contrast: must be a finite number, found True"),
        ("contrast", [0, 10**400], "contrast: must be a finite number, found 1" + "0" * 400),
        ("assumptions", "one", "assumptions: must be a list of texts, found 'one'"),
        ("assumptions", [1], "assumptions: must be a list of texts, found [1]"),
        ("equation", {"response": "y"}, "equation: must be written as [[equation]] tables"),
        ("equation.1.parents", "walks", "equation[2].parents: must be a list of texts, found 'walks'"),
        ("variables", [1], "variables: must be a table, found [1]"),
        ("variables.mood", "Mood", "variables.mood: must be a table, found 'Mood'"),
        ("variables.mood.min", "0", "variables.mood.min: must be a finite number, found '0'"),
        ("covariates.age", 50, "covariates.age: must be a table, found 50"),
        ("covariates.age.center", float("nan"), "covariates.age.center: must be a finite number, found nan"),
        ("covariates.age.scale", float("inf"), "covariates.age.scale: must be a finite number, found inf"),
        ("priors.sigma", 2, "priors.sigma: must be a table, found 2"),
        ("priors.visits", "flat", "priors.visits: must be a table, found 'flat'"),
        ("published.0.lower", "-0.4", "published[1].lower: must be a finite number, found '-0.4'"),
        # unknown words and wrong constants
        (
            "equation.1.family",
            "cauchy",
            "equation[2].family: unknown family 'cauchy'; known: ",
        ),
        ("equation.1.family", "negative_binomail", 'did you mean "negative_binomial"?'),
        ("equation.1.family", 1, "equation[2].family: unknown family 1; known: normal, student_t, "),
        (
            "variables.mood.kind",
            "whole",
            "variables.mood.kind: unknown kind 'whole'; known: binary, count, integer, label, positive, real",
        ),
        ("covariates.age.transform", "log", "covariates.age.transform: unknown transform 'log'; "),
        ("covariates.age.scale", 0, "covariates.age.scale: must be > 0, found 0"),
        ("priors.slope.dist", "norml", "priors.slope.dist: unknown dist 'norml'; did you mean \"normal\"?"),
        ("priors.slope.sigma", -1, "priors.slope.sigma: must be > 0, found -1"),
        ("priors.slope.sigma", 0, "priors.slope.sigma: must be > 0, found 0"),
        (
            "priors.slopes",
            {"dist": "flat", "why": "x"},
            'priors.slopes: is neither a parameter nor a variable of the model; did you mean "slope"?',
        ),
        ("contrast", [1, 1], "contrast: must be 2 or more different numbers, found [1, 1]"),
        ("contrast", [], "contrast: must be 2 or more different numbers, found []"),
        ("contrast", [0, 1, 2], "contrast: must be two different numbers [from, to], found [0.0, 1.0, 2.0]"),
        ("covariates.housing.levels", [], "covariates.housing.levels: must be 2 or more different numbers, found []"),
        ("covariates.housing.levels", [1], "covariates.housing.levels: must be 2 or more different numbers, found [1]"),
        ("covariates.housing.levels", [1, 1], "covariates.housing.levels: must be 2 or more different numbers"),
        ("covariates.housing.levels", ["a", 1], "covariates.housing.levels: must be a finite number, found 'a'"),
        (
            "exposure",
            datetime.date(2019, 11, 14),
            "exposure: must be a non-empty text, found datetime.date(2019, 11, 14)",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_path(small_tables, path, value, problem):
    """One spoiled key gives a message that says where it stands, what was found and what would be right."""
    put(small_tables, path, value)
    assert any(problem in found for found in problems_of(small_tables)), problems_of(small_tables)


@pytest.mark.parametrize("path", ["priors.sigma", "variables.mood", "equation.0.parents", "contrast", "title"])
def test_a_value_of_the_wrong_type_is_one_problem(small_tables, path):
    """What would have stood inside a value of the wrong type is not reported as missing as well."""
    put(small_tables, path, 3)
    assert len(problems_of(small_tables)) == 1


def test_every_mistake_of_a_file_is_in_one_error(small_tables):
    """Mistakes in all parts of a specification are reported together, and no other."""
    spoiled = {
        "titel": "x", "title": None, "contrast": [0, 0], "variables.mood.min": "zero", "covariates.age.scale": -1,
        "equation.0.family": "nromal", "priors.sigma.dist": "half", "priors.slope.why": None, "published.0.source": 2,
    }  # fmt: skip
    for path, value in spoiled.items():
        put(small_tables, path, value)
    found = problems_of(small_tables)
    keys = {problem.partition(":")[0] for problem in found}
    assert keys == {key.replace("equation.0", "equation[1]").replace("published.0", "published[1]") for key in spoiled}
    assert len(found) == len(spoiled)


def test_rules_between_keys_are_reported_with_mistakes_elsewhere(small_tables):
    """A misspelt key at the top does not hide a parent that comes too late."""
    put(small_tables, "titel", "x")
    put(small_tables, "equation.0.parents", ["visits"])
    assert len(problems_of(small_tables)) >= 2


def test_an_error_names_its_source_and_lists_its_problems(small_tables):
    """One problem is one line; several are a list below the source."""
    put(small_tables, "title", None)
    with pytest.raises(SpecificationError) as caught:
        load_model(small_tables, name="spoiled")
    assert str(caught.value) == "spoiled: title: is missing"
    put(small_tables, "question", 1)
    with pytest.raises(SpecificationError) as caught:
        load_model(small_tables, name="spoiled")
    assert str(caught.value).splitlines()[0] == "spoiled: 2 problems"


def test_texts_are_folded_to_one_line(small_tables):
    """A line break in a title or label cannot break a table."""
    put(small_tables, "title", "Walks,\n   mood")
    put(small_tables, "variables.mood.label", "\nMood\t(0-10) ")
    model = load_model(small_tables, name="folded")
    assert (model.title, model.variable("mood").label) == ("Walks, mood", "Mood (0-10)")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title = ", "is not valid TOML"),
        (b'title = "caf\xe9"', "is not UTF-8 text"),
        (b"title = " + b"9" * 5000, "is not valid TOML"),
        (b"", "title: is missing"),
    ],
)
def test_a_file_that_is_no_specification_is_refused(tmp_path, content, words):
    """Broken TOML, another encoding and an empty file are the user's mistakes, with the file's name."""
    path = tmp_path / "spoiled.toml"
    path.write_bytes(content)
    with pytest.raises(SpecificationError, match=words) as caught:
        load_model(path)
    assert caught.value.source == str(path)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "primery",
            '"primery": is neither a shipped specification nor the path of a TOML file; did you mean "primary"?',
        ),
        (
            "primary.toml",
            '"primary.toml": is neither a shipped specification nor the path of a TOML file; did you mean',
        ),
        ("nothing_like_it", "nor the path of a TOML file; known: "),
        ("folder", '"folder": is a folder; give a shipped specification\'s name or the path of a TOML file'),
        ("./folder", "is a folder"),
        ("mine", '"mine": there is no such file; did you mean "mine.toml"?'),
        ("folder/mine", 'there is no such file; did you mean "folder/mine.toml"?'),
        ("", '"": is a folder'),
        ("~nobody_of_this_name/x.toml", "nor the path of a TOML file"),
    ],
)
def test_a_model_that_is_not_there_is_refused_with_a_hint(in_folder, source, words):
    """A mistyped name, a folder and a forgotten ending each get an answer that helps."""
    (in_folder / "folder").mkdir()
    (in_folder / "mine.toml").touch()
    (in_folder / "folder" / "mine.toml").touch()
    with pytest.raises(SpecificationError) as caught:
        load_model(source)
    assert words in str(caught.value)


def test_a_home_folder_is_expanded(in_folder, monkeypatch):
    """A path that begins with ~ is looked up in the user's home."""
    monkeypatch.setenv("HOME", str(in_folder))
    (in_folder / "mine.toml").touch()
    assert find_model("~/mine.toml") == in_folder / "mine.toml"


def test_a_name_is_looked_up_beside_the_file_that_uses_it(tmp_path):
    """A specification's twin is found in the specification's own folder before the shipped ones, by name or path."""
    beside = tmp_path / "process6.toml"
    beside.touch()
    assert find_model("process6", str(tmp_path)) == beside
    assert find_model("./process6.toml", str(tmp_path)) == beside
    assert find_model("process4", str(tmp_path)) == shipped_models()["process4"]


def test_a_model_made_in_code_is_checked_too(small_model):
    """A ``PathModel`` that was not read from a file goes through the same rules."""
    assert load_model(small_model) is small_model
    bare = PathModel("bare", "t", small_model.exposure, small_model.outcome, small_model.equations, ())
    with pytest.raises(SpecificationError, match=r"priors\.intercept: is missing"):
        load_model(bare)


def test_a_model_keeps_its_files_name_and_folder(tmp_path):
    """The name of a specification is its file's stem."""
    path = tmp_path / "my_model.toml"
    path.write_text(Path(shipped_models()["process4"]).read_text(encoding="utf-8"), encoding="utf-8")
    model = load_model(str(path))
    assert (model.name, model.folder) == ("my_model", str(tmp_path))
