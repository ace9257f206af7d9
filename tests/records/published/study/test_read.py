"""The TOML form of a study: exact figures, all mistakes at once."""

from __future__ import annotations

import copy
from fractions import Fraction
from pathlib import Path

import pytest

from bayes_sp.errors import BayesSpError
from bayes_sp.records.published.audit.audit import audit
from bayes_sp.records.published.study.figures import Figure, evaluate, product
from bayes_sp.records.published.study.read import StudyError, read_study, shipped_studies

SMALL = {
    "citation": {"title": "A study"},
    "table": [{"name": "T", "n": 50, "marks": {"*": "0.05"}, "variable": [
        {"name": "x", "mean": "1.0", "sd": "0.50"}, {"name": "y", "correlations": ["-.30*"]}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "low", "high", "decimals"),
    [
        ("0.30", Fraction("0.295"), Fraction("0.305"), 2),
        (".3", Fraction("0.25"), Fraction("0.35"), 1),
        ("−0.40", Fraction("-0.405"), Fraction("-0.395"), 2),  # the minus sign of print
        ("12", Fraction("11.5"), Fraction("12.5"), 0),
        ("<0.001", None, Fraction("0.001"), 3),
        ("> .05", Fraction("0.05"), None, 2),
    ],
)
def test_figures_are_exact_intervals(text, low, high, decimals):
    """Ends are fractions, so that no rounding of ours adds to that of the article."""
    figure = Figure(text)
    assert (figure.exact_low, figure.exact_high, figure.decimals) == (low, high, decimals)


@pytest.mark.parametrize("text", ["", "six", "0,30", "1e3", "0.3.0", "nan", "--1", "9" * 40])
def test_what_is_no_figure_is_refused(text: str):
    with pytest.raises(ValueError, match="must be a number as it is printed"):
        Figure(text)


def test_whole_numbers_are_counts():
    """Nobody has rounded them."""
    study = read_study(SMALL | {"total": [{"variable": "x", "total": 51}]})
    assert study.totals[0].total.interval == (51, 51)


def test_shipped_studies_can_be_read():
    """Every one of them, and every variable of a chain is in a table."""
    assert {"kellezi2019", "roth1989"} <= set(shipped_studies())
    for name in shipped_studies():
        study = read_study(name)
        assert study.tables
        for chain in study.chains:
            assert study.table_of(*chain.variables, *chain.covariates)


def test_all_mistakes_of_a_file_at_once():
    """Each with its key path."""
    tables = copy.deepcopy(SMALL)
    tables["citation"] = {"year": 2.5}
    tables["table"][0]["n"] = "50"
    tables["table"][0]["variable"][0]["sd"] = 0.5
    tables["table"][0]["variable"][1]["correlations"] = ["-.30**"]
    tables["coefficient"] = [{"response": "y", "term": "x", "estimate": "0.1", "p": "0.5x", "stderr": "0.1"}]
    tables["test"] = [{"label": "a", "t": "1.0"}, {"label": "b", "t": "1.0", "f": "2.0"}]
    tables["table"][0]["variable"][0]["mean"] = 3
    tables["scale"] = [{"variables": ["x"], "minimum": "4", "maximum": "1"}]
    tables["arithmetic"] = [{"label": "a", "result": "1", "formula": "__import__('os')", "values": {}}]
    tables["effekt"] = []
    with pytest.raises(StudyError) as caught:
        read_study(tables)
    text = "\n".join(caught.value.problems)
    for words in (
        "citation.year: must be a text", "citation.title: is missing", "table[1].n: must be a whole number",
        'table[1].variable[1].sd: must be a text as printed, in quotation marks, so that its decimals are kept: "0.5"',
        'table[1].variable[1].mean: must be a text as printed, in quotation marks, since it is rounded: "3"',
        "has the mark '**', which marks do not name", "coefficient[1].p: must be a number as it is printed",
        "coefficient[1].stderr: unknown key", "test[1].df: is missing", "test[2].t: one of t, f, z, chi2, r",
        "scale[1].maximum: must be above the minimum", "arithmetic[1].formula: ", "effekt: unknown key",
    ):  # fmt: skip
        assert words in text, words


def test_names_that_nothing_has():
    """Variables, labels and repeated entries, once everything else is right."""
    with pytest.raises(StudyError) as caught:
        read_study(SMALL | {
            "change": [{"score": "z", "before": "x", "after": "y"}],
            "chain": [{"exposure": "x", "mediators": ["x"], "outcome": "y"}],
            "coefficient": [{"response": "y", "term": "x", "estimate": "1"}] * 2,
            "sample_size": [{"label": "n", "test": "paired_t", "effect": "dz", "size": "0.5", "power": "0.8", "n": 34,
                             "effect_of": "a test"}],
        })  # fmt: skip
    text = "\n".join(caught.value.problems)
    for words in ("change[1].score: no table has the variable 'z'", "'x' stands twice in it",
                  "coefficient: 'y ~ x' stands twice", "effect_of: no test has the label 'a test'"):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize("tables", [{}, {"citation": {"title": "x"}}, {"table": 3}, {"citation": []}])
def test_what_is_no_study_is_refused(tables: dict):
    with pytest.raises(StudyError):
        audit(tables)


def test_files_are_named(tmp_path: Path):
    """A file that is not there, and one that is no TOML."""
    with pytest.raises(BayesSpError, match="no such file"):
        audit(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("n = ", encoding="utf-8")
    with pytest.raises(StudyError, match="not valid TOML"):
        audit(tmp_path / "bad.toml")


def test_formulas_hold_every_value():
    """Of random values within the intervals none is beyond, and products are exact at their ends."""
    assert evaluate("100 * (a - b) / a", {"a": (1063, 1063), "b": (797, 797)})[0] == pytest.approx(25.02352)
    low, high = evaluate("sqrt(a ** 2 + b) - -c / 2", {"a": (-1.0, 2.0), "b": (0.0, 1.0), "c": (1.0, 2.0)})
    assert (low, high) == pytest.approx((0.5, 5**0.5 + 1.0))
    assert product((0.085, 0.095), (-0.315, -0.305)) == pytest.approx((-0.029925, -0.025925))
    assert evaluate("1 / a", {"a": (-1.0, 1.0)}) == (-float("inf"), float("inf"))
