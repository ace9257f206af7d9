"""The printed summary, word for word, and what it must and must not say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayes_sp.effects.stable_signs import Sign
from bayes_sp.model.reading.load import load_model
from bayes_sp.report.text.assumptions import assumptions, in_sentence, path_words
from bayes_sp.report.text.summary import said_above, summary_text
from bayes_sp.shown import WIDTH

GOLDEN = Path(__file__).parents[1] / "golden"


NUMBER = re.compile(r"-?\d+\.\d{3}")


@pytest.mark.fixed_seed
def test_the_summary_of_a_users_survey_word_for_word(analyse_by_hand, small_model, make_user_survey):
    """The whole text of a small analysis is the one on file; read the difference before replacing the file.

    Numbers with three decimals may differ by one in the last, which is how another machine may round them.
    """
    expected, found = (
        (GOLDEN / "summary_small.txt").read_text(encoding="utf-8"),
        summary_text(analyse_by_hand(small_model, make_user_survey())),
    )
    assert NUMBER.sub("#", found) == NUMBER.sub("#", expected)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (found, expected)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.0011)


def test_the_summary_of_the_study_starts_with_what_the_article_reported(study_analysis):
    """On reconstructed records the published numbers and what Table 2 gives back come first, then four more parts."""
    text = summary_text(study_analysis)
    heads = re.findall(r"^\d\. .*", text, flags=re.MULTILINE)
    assert heads == [
        "1. What the article reported, and what its own Table 2 gives back",
        "2. Effects of change in number of groups: 1 against 0 (groups)",
        "3. Coefficients of every equation",
        "4. Bayes and bootstrap, like for like",
        "5. What these effects assume",
    ]
    assert "1.41 (SE 0.45)" in text
    assert "rounds to the printed value" in text
    assert text.count("-0.500 to 0.250") == 6  # the range over reconstructions, for each effect


def test_a_reconstruction_is_marked_and_a_users_file_is_not(study_analysis, own_analysis):
    """The mark and its explanation stand at the top where records were made, and nowhere else."""
    made, own = summary_text(study_analysis), summary_text(own_analysis)
    assert made.splitlines()[1] == "Data: 150 records reconstructed from published moments (seed 1)."
    assert "no real patient stands behind a row" in " ".join(made.split())
    assert own.splitlines()[1] == "Data: 120 records from clinic.csv."
    for word in ("reconstruct", "real patient", "article", "Table 2"):
        assert word not in own


@pytest.mark.parametrize("name", ["own_analysis", "study_analysis"])
def test_the_words_of_tests_of_hypotheses_do_not_occur(name, request):
    """Nothing is called significant and no p-value is given."""
    text = summary_text(request.getfixturevalue(name)).lower()
    for word in ("significan", "p-value", "p value", "p <", "p =", "confidence", "reject", "null hypothesis"):
        assert word not in text


def test_words_that_mislead_stand_nowhere_in_the_package():
    """No source of a printed text speaks of significance, save where the article's own marks are quoted."""
    package = Path(__file__).parents[2] / "bayes_sp"
    for path in package.rglob("*.py"):
        assert "published" in path.parts or not re.search(
            r"(?i)significan|p-value", path.read_text(encoding="utf-8")
        ), path


def test_a_fit_that_cannot_be_trusted_says_so_first(analyse_by_hand, small_model, make_user_survey):
    """The verdict is the first line, before any number."""
    analysis = analyse_by_hand(small_model, make_user_survey(), ("3 divergent transitions", "E-BFMI 0.10"))
    text = summary_text(analysis)
    assert text.startswith("DO NOT USE THESE RESULTS: 3 divergent transitions; E-BFMI 0.10.\n\nsmall: Walks")
    assert "Verdict:" not in text


def test_doubts_stand_above_the_verdict_or_in_one_line_below_the_warnings(
    analyse_by_hand, small_model, make_user_survey
):
    """A file has them in full; a terminal that shows the warnings has a line in their place, and the same rest."""
    records = make_user_survey().records
    records.loc[3, "visits"] = 9999
    survey = replace(make_user_survey(), records=records)
    analysis = analyse_by_hand(small_model, survey)
    text = summary_text(analysis)
    assert " ".join(text.split()).startswith("Look first: visits: 9999 in fewer than 10 of 120 cells is a usual code")
    head, _, rest = said_above(text, analysis.fit).partition("\n\n")
    assert head == "Look first: the warning above on the records."
    assert text.endswith(f"\n\n{rest}")
    assert "Look first" not in rest


def test_lines_fit_the_page(own_analysis, study_analysis):
    """No line is much wider than a terminal, none ends in blanks, and the text ends in one line break."""
    for analysis in (own_analysis, study_analysis):
        text = summary_text(analysis)
        lines = text.splitlines()
        assert max(len(line) for line in lines) <= WIDTH + 22
        assert [line for line in lines if line != line.rstrip()] == []
        assert text.endswith(".\n")


def test_failed_resamples_are_told(own_analysis):
    """How many refits failed, and why, stands below the comparison."""
    bootstrap = own_analysis.comparison.bootstrap.copy()
    count = bootstrap["likelihood"] == "negative_binomial"
    bootstrap.loc[count, ["failed", "reasons"]] = [7, "7 x singular"]
    comparison = replace(own_analysis.comparison, bootstrap=bootstrap)
    text = " ".join(summary_text(replace(own_analysis, comparison=comparison)).split())
    assert "negative binomial: 7 of 50 bootstrap samples failed (7 x singular); they enter no interval." in text
    assert "normal: 0 of" not in text


def test_boundaries_infinite_limits_and_withheld_ones_are_told(own_analysis):
    """Resamples on a boundary are counted; infinity stands in words, and a limit that is not there says so."""
    bootstrap, table = own_analysis.comparison.bootstrap.copy(), own_analysis.comparison.table.copy()
    count = bootstrap["likelihood"] == "negative_binomial"
    bootstrap.loc[count, ["boundary", "boundaries", "undefined"]] = [9, "9 x no events at all", 4]
    bootstrap.loc[count, "lower"] = np.nan
    cells = (table["likelihood"] == "negative_binomial") & (table["inference"] == "bootstrap")
    table.loc[cells, ["lower", "upper"]] = [-np.inf, np.nan]
    comparison = replace(own_analysis.comparison, table=table, bootstrap=bootstrap)
    text = " ".join(summary_text(replace(own_analysis, comparison=comparison)).split())
    assert (
        "negative binomial: in 9 of 50 bootstrap samples the likelihood has its maximum on a boundary (9 x no events "
        "at all); each enters with the limits of its effects."
    ) in text
    assert "negative binomial: up to 4 of 50 bootstrap samples give an effect no value" in text
    assert "negative binomial: there is no limit where" in text
    assert "[-infinity, no limit]" in text


def test_columns_on_different_records_say_so_in_their_head(own_analysis):
    """Where cells are missing, the head of each column says on how many records it rests."""
    table = own_analysis.comparison.table.copy()
    table.loc[table["inference"] == "posterior", "patients"] = 131
    comparison = replace(own_analysis.comparison, table=table)
    lines = summary_text(replace(own_analysis, comparison=comparison)).splitlines()
    head = "bootstrap (complete records, n = 120)  posterior (all records, n = 131)"
    assert any(" ".join(line.split()).endswith(" ".join(head.split())) for line in lines)
    assert not any("n = 120" in line for line in summary_text(own_analysis).splitlines())


def test_both_readings_of_a_misprint_are_shown(analyse_by_hand, make_survey):
    """The comparison prints every reading of a published number, with its interval."""
    text = summary_text(analyse_by_hand(load_model("process4"), make_survey()))
    assert "-0.03 or -0.003 [-0.17, 0.06]" in text
    assert "Product of coefficients per unit" not in text
    assert "rate ratio" not in text


def test_a_published_value_without_an_interval_stands_alone(own_analysis):
    """An estimate without limits is shown as it is."""
    line = next(line for line in summary_text(own_analysis).splitlines() if "-1 " in line and "normal" in line)
    assert re.search(r"normal +-1 +-?\d", line)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("total", "total"),
        ("total_indirect", "total indirect"),
        ("walks -> visits", "direct"),
        ("walks -> mood -> visits", "via Mood"),
        ("walks -> mood -> age -> visits", "serial: Mood, then age"),
    ],
)
def test_paths_in_words(small_model, path, words):
    """A path is named by the labels of its mediators."""
    assert path_words(small_model, path) == words


@pytest.mark.parametrize(
    ("label", "words"), [("Change in groups", "change in groups"), ("GP visits", "GP visits"), ("X", "x"), ("", "")]
)
def test_a_label_within_a_sentence(label, words):
    """The first letter becomes small, but an abbreviation stays as it is."""
    assert in_sentence(label) == words


def test_assumptions_are_the_general_ones_and_the_models_own(small_model):
    """What no data can show stands beside every effect, then what is special to the design."""
    texts = assumptions(small_model)
    assert texts[-1] == "Mood and visits were asked on the same day."
    assert "No unmeasured confounding" in texts[0]
    assert "kappa = 1" in texts[2]


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (Sign((-1, -1, -1), (-1, -1, -1)), "total: negative for each, in every order."),
        (Sign((1, 1, 1), (0, 0, 1)), "total: positive for each, not in every single order with kappa 0 and 0.5."),
        (Sign((0, 1, 1), (0, 0, 1)), "total: positive with kappa 0.5 and 1; no sign with kappa 0."),
        (Sign((0, 0, 0), (0, 0, 0)), "No sign for any kappa: direct; total."),
    ],
)
def test_the_lines_on_signs_say_what_holds_and_what_fails(sign, words, own_analysis):
    """Which effects keep one sign for every kappa, in which orders they do not, and which have none."""
    signs = {"walks -> visits": Sign((0, 0, 0), (0, 0, 0)), "total": sign}
    text = " ".join(summary_text(replace(own_analysis, signs=signs)).split())
    assert words in text
    assert "No sign for any kappa: direct" in text
    assert ("Below kappa 1" in text) == (sign.lasting == 1)
