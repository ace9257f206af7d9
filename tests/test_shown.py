"""Results in a console and in a notebook: short, with their numbers, and nothing of a user's taken for HTML."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.effects.comparisons.sizes import Sizes
from bayes_sp.errors import SpecificationError
from bayes_sp.model.named_effects import named_effect
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.target import Estimate
from bayes_sp.shown import LINE, MOST_COLUMNS, Shown, decimals_for, in_cells, number, short

FEW = sp.SamplerOptions(draws=200, tune=200, chains=2, cores=1)
MARK = "<b>clinic</b>.csv"
INNER = ("means_of_sets", "signs", "baselines")  # methods of a fit that other rooms call, and words by name


@pytest.fixture(scope="module")
def fit():
    survey = sp.reconstruct(seed=1)
    return sp.fit("process6", Survey(survey.records, "file", MARK), options=FEW)


RESULTS = {
    "bootstrap": lambda fit: sp.bootstrap(fit.model, fit.survey, replicates=50),
    "comparison": lambda fit: fit.compare(replicates=50),
    "criticism": lambda fit: fit.criticise(),
    "effects": lambda fit: fit.effects(),
    "elpd": lambda fit: replace(fit.loo(), model=MARK).compare(replace(fit.loo(), model="b")),
    "e_values": sp.sensitivity.e_values,
    "fit": lambda fit: fit,
    "influence": lambda fit: fit.influence(),
    "kappa": lambda fit: sp.sensitivity.kappa(fit, (0.0, 1.0)),
    "loo": lambda fit: fit.loo(),
    "loo_pit": lambda fit: fit.loo_pit(),
    "models": lambda fit: sp.compare_models([fit.model], fit.survey, fit_one=lambda *_: fit),
    "predictive_checks": lambda fit: fit.predictive_checks(replicates=50),
    "nonresponders": lambda _: sp.sensitivity.nonresponders_from_moments(
        {"n": 40, "source": MARK, "moments": {"age": {"mean": 50.0, "sd": 14.0}}}
    ),
    "prior": lambda fit: sp.prior_predictive(fit.model, fit.survey, draws=50),
    "prior_check": lambda fit: sp.prior_predictive(fit.model, fit.survey, draws=50).check(),
    "sceptical": lambda fit: replace(sp.sensitivity.alternative(fit.model, "sceptical"), why=MARK),
    "summary": lambda fit: fit.summary(),
    "tipping": lambda _: sp.sensitivity.find_tipping(
        lambda dials: [Estimate(dial, dial - 1.0, dial + 1.0, trustworthy=True) for dial in dials], 0.0, 6.0, start=3.0
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_shows_its_numbers_and_nothing_of_a_file_as_html(name, fit):
    """A few lines that hold no array, no digest and no "...", each at most as wide as a wide console.

    In a notebook the name of a file is shown as it is written.
    """
    result = RESULTS[name](fit)
    text, html = repr(result), result._repr_html_()
    assert 2 <= len(text.splitlines()) <= 50
    assert any(character.isdigit() for character in text)
    for dump in ("array(", "<xarray", " ... ", fit.survey.digest[:8], "DataFrame"):
        assert dump not in text
    assert max(map(len, text.splitlines())) <= LINE
    assert "<b>clinic" not in html
    assert html.startswith("<p>")


def test_notes_stand_on_lines_of_their_own(fit):
    """Of those who are not scored, and what power-scaling says of itself: no line end is written out as a sign."""
    found = replace(fit.loo(), notes=("10 of 142 are not scored", "another note"))
    power = replace(sp.sensitivity.power_scaling(fit), notes=("a note", "another note"))
    for result in (found, power):
        lines = repr(result).splitlines()
        place = lines.index(result.notes[0])
        assert lines[place : place + 2] == list(result.notes)
        assert "\\x0a" not in repr(result)
        assert f"<p>{result.notes[0]}</p><p>another note</p>" in result._repr_html_()


def test_a_fit_shows_its_effects_and_its_verdict(fit):
    """The serial path's median and interval stand in the text and in the notebook, with the verdict."""
    table = fit.effects().table()
    row = table[(table["path"] == " -> ".join(fit.model.chain)) & (table["scale"] == "difference")].iloc[0]
    decimals = decimals_for(row["upper"] - row["lower"])
    for shown in (repr(fit), fit._repr_html_()):
        for name in ("median", "lower", "upper"):
            assert number(row[name], decimals) in shown
        assert str(fit.diagnose())[:30] in shown


def test_effects_show_what_their_table_holds(fit):
    """Eight columns at most, and a row for each effect and scale, by the name that can be typed."""
    effects = fit.effects()
    table = effects.table()
    shown = short(table[table["decomposition"] != "alone"], rows=len(table))
    assert len(shown) == (table["decomposition"] != "alone").sum()
    assert all(line in repr(effects) for line in in_cells(shown[["path", "scale"]]).lines())
    assert {named_effect(fit.model, path).name for path in set(shown["path"])} == set(table["path"])
    assert len(short(table).columns) <= MOST_COLUMNS


def test_one_path_is_no_sum_of_paths():
    """With one mediator the total indirect effect is the path's, and is shown once; so it is in each contrast."""
    names = ["x -> m -> y [a]", "x -> y [a]", "total_indirect [a]", "total [a]"]
    several = [*names, "x -> m -> y", "x -> n -> y", "total_indirect"]
    assert list(short(pd.DataFrame({"path": names}))["path"]) == ["via m [a]", "direct [a]", "total [a]"]
    assert "total indirect" in list(short(pd.DataFrame({"path": several}))["path"])
    share = pd.DataFrame({"path": ["total_indirect"]})  # of the total
    assert list(short(share)["path"]) == ["total indirect"]


def test_a_row_has_the_decimals_of_its_interval():
    """Median and limits have the same; probabilities have three and are never 0 or 1; nothing is a power of ten."""
    table = pd.DataFrame({
        "path": ["a", "b"], "median": [-0.491234, 12345.6], "lower": [-1.943, -20.0], "upper": [0.653, 3e4],
        "prob_negative": [0.7757, 0.0], "deviation": [7.61e-05, 0.5], "share": [1.0, 0.95], "sign": [-1.0, 1.0],
        "holds": [True, False],
    })  # fmt: skip
    assert in_cells(table).rows == [
        ["a", "-0.491", "-1.943", "0.653", "0.776", "0.000", "1.000", "-1", "yes"],
        ["b", "12346", "-20", "30000", "<.001", "0.500", "0.950", "1", "no"],
    ]


def test_numbers_are_written_out_and_a_limit_beside_1_is_no_1():
    """Nothing is written as a power of ten, and a ratio's interval above 1 does not seem to begin at it."""
    found = Sizes(pd.DataFrame({"path": ["total"], "lower": [1.00397], "upper": [18190.4]}), (), "clinic.csv")
    for shown in (repr(found), found._repr_html_()):
        assert "1.004" in shown
        assert "18190" in shown
        assert "e+" not in shown


def test_sizes_say_which_size_each_row_is(fit):
    """A path has several rows, which nothing else tells apart."""
    sizes = fit.standardised()
    assert sizes.table["size"].nunique() > 1
    for shown in (repr(sizes), sizes._repr_html_()):
        assert all(size in shown for size in sizes.table["size"])


def test_effects_at_no_moderators_level_are_refused(fit):
    """Without a moderator and without values of a covariate there is nothing to hold."""
    with pytest.raises(SpecificationError, match="has no moderator; name a covariate and its values"):
        fit.conditional_effects()


def test_a_summary_holds_effects_and_coefficients(fit):
    """The tables of the fit's own methods, and the same verdict."""
    summary = fit.summary()
    pd.testing.assert_frame_equal(summary.table, fit.coefficients())
    pd.testing.assert_frame_equal(summary.effects, fit.effects().table())
    assert str(summary.verdict) == str(fit.diagnose())


def test_draws_have_the_name_that_arviz_gives_them(fit):
    """The tree of groups."""
    assert fit.idata is fit.posterior


def test_specification_study_moments_and_regression_show_themselves():
    """Chain and families; the article's effects; means; coefficients."""
    assert "negative_binomial" in repr(sp.load_model("primary"))
    assert "PROCESS model 6" in repr(sp.published())
    moments = sp.Moments.from_records(("x", "y"), np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 2.5], [3.0, 4.5]]))
    assert "4 patients" in repr(moments)
    assert "least squares of y" in repr(moments.least_squares("y", ["x"]))


def test_a_specification_is_equal_to_itself_read_again():
    """What it shows is no part of what it is."""
    model = sp.load_model("primary")
    assert replace(model) == model
    assert isinstance(model, Shown)


def test_whatever_a_public_function_returns_shows_itself_in_a_notebook():
    """Every class of ours that stands in the return annotation of a public function, or of a method of a fit."""
    spaces = {sp: sp.__all__, sp.sensitivity: sp.sensitivity.__all__, sp.Fit: dir(sp.Fit), sp.Moments: dir(sp.Moments)}
    found = {}
    for space, names in spaces.items():
        for name in names:
            verb = inspect.unwrap(getattr(space, name))
            if name.startswith("_") or inspect.isclass(verb) or not callable(verb) or name in INNER:
                continue
            home = vars(inspect.getmodule(verb))
            words = re.findall(r"\b[A-Z]\w+", str(verb.__annotations__.get("return", "")))
            found |= {word: home[word] for word in words if inspect.isclass(home.get(word))}
    ours = {word: known for word, known in found.items() if known.__module__.startswith("bayes_sp")}
    assert {"Audit", "Effects", "Tipping"} <= set(ours)
    assert [word for word, known in ours.items() if not hasattr(known, "_repr_html_")] == []


def test_no_result_is_shown_as_the_fields_of_a_dataclass():
    """Of whatever shows itself in a notebook and has a parent that does, the text in a console is the parent's kind."""
    from bayes_sp.analysis.criticism.diagnostics import Verdict
    from bayes_sp.analysis.pooled_verdict import PooledVerdict
    from bayes_sp.records.sets import Sets

    assert {PooledVerdict} <= set(Verdict.__subclasses__())
    assert {Sets} <= set(Survey.__subclasses__())
    kinds = [*Verdict.__subclasses__(), *Survey.__subclasses__(), *Shown.__subclasses__()]
    assert [kind.__name__ for kind in kinds if "__repr__" in vars(kind) and hasattr(kind.__repr__, "__wrapped__")] == []
