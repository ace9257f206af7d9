"""The people of a survey have the name that its specification gives them, in texts, figures, documents and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bayes_sp.design.checks import doubts
from bayes_sp.errors import SpecificationError, SurveyWarning
from bayes_sp.model.people import speaking_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables
from bayes_sp.report.document.content import document_of
from bayes_sp.report.document.markup import markdown_text
from bayes_sp.report.figures.paths import plot_paths
from bayes_sp.report.figures.style import figure_of
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.text.summary import short_text, summary_text
from bayes_sp.shown import PATIENTS, in_sentence, worded


@pytest.fixture
def employees(small_tables):
    """A specification of employees, one of whose own texts speaks of patients."""
    return {**small_tables, "people": "employees", "question": "Do walks help patients of the clinic?"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("employees", ("employee", "employees")),
        (["child", "children"], ("child", "children")),
        (None, PATIENTS),
        ("people", "must be a plural in -s"),
        (["child"], "must be a plural in -s"),
        (["a", "b", "c"], "must be one of them and several of them, found 3 texts"),
        (3, "must be a text"),
    ],
)
def test_the_key_is_read_and_written(given, names, small_tables):
    """A plural in -s, or both forms; mistakes are told with what to write."""
    tables = small_tables if given is None else {**small_tables, "people": given}
    if isinstance(names, str):
        with pytest.raises(SpecificationError, match=names):
            load_model(tables)
        return
    model = load_model(tables)
    assert model.people == names
    assert specification_tables(model).get("people") == given


def test_labels_of_another_language_keep_their_capitals(small_tables):
    """Where a label has a letter that English has not, nouns within sentences keep the letter they are written with."""
    german = {**small_tables, "title": "Spaziergänge und Schlaf"}
    for tables, shown in ((german, "Schlaf"), (small_tables, "schlaf")):
        with speaking_of(load_model(tables)):
            assert in_sentence("Schlaf") == shown
            assert in_sentence("GP visits") == "GP visits"
    assert in_sentence("Schlaf") == "schlaf"


def test_words_of_ours_are_replaced_and_those_of_a_users_own_are_not(employees):
    """Singular, plural, capital, article; not within another word, the specification's own texts or a file's name."""
    model = load_model(employees)
    with speaking_of(model, ["patients.csv"]):
        assert worded("Patients, a patient and inpatients") == "Employees, an employee and inpatients"
        assert worded(f"{model.question} of patients.csv") == "Do walks help patients of the clinic? of patients.csv"
        assert worded(worded("three patients")) == "three employees"
    with speaking_of(load_model({**employees, "people": ["renal patient", "renal patients"]})):
        assert worded(worded("three patients")) == "three renal patients"
    assert worded("three patients") == "three patients"


def test_every_text_of_an_analysis_speaks_of_them(analyse_by_hand, employees, make_user_survey, tmp_path):
    """The summary, the short printout, the report, and figures hold the word and none of the other."""
    model = replace(load_model(employees, name="small"), question="")
    analysis = analyse_by_hand(model, make_user_survey())
    summary = summary_text(analysis)
    folder = save_analysis(analysis, tmp_path / "run", summary=summary)
    texts = [
        summary,
        short_text(analysis),
        markdown_text(document_of(folder)),
        repr(analysis.fit),
        repr(analysis.effects),
    ]
    texts.append(figure_of(plot_paths(analysis.fit)).get_supxlabel())
    assert all("patient" not in text.lower() for text in texts)
    assert "resamples of employees" in " ".join(summary.split())
    assert "employees" in texts[2]
    assert "patient" not in json.dumps(specification_tables(model))


def test_warnings_in_python_call_people_by_their_name(employees, make_user_survey, monkeypatch):
    """What records give cause to doubt is told of employees, and the file keeps its name."""
    survey = replace(make_user_survey(), source="patients.csv")
    monkeypatch.setattr(doubts, "survey_doubts", lambda *_: ("two patients are alike",))
    with pytest.warns(SurveyWarning, match=r"^patients\.csv: two employees are alike$"):
        doubts.warn_of_doubts(load_model(employees), survey)
