"""The public face: one grammar, records that must be given, results that know their model, old names that work."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bayes_sp as sp
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer
from bayes_sp.design.build import design_arrays

FEW = sp.SamplerOptions(draws=100, tune=100, chains=2, cores=1)
VERBS = ("bootstrap", "compare_models", "fit", "prior_predictive", "pymc_model")


@pytest.fixture(scope="module")
def survey():
    return sp.reconstruct(seed=1)


@pytest.fixture(scope="module")
def fit(survey):
    return sp.fit("process6", survey, options=FEW)


def test_the_public_names_are_few():
    """Those of the documentation; old names are not among them."""
    assert len(sp.__all__) <= 25, "no more: a method of a result, or a name of `sensitivity` or `plot`?"
    assert not {*sp._OLD} & {*dir(sp)}


@pytest.mark.parametrize("name", VERBS)
def test_verbs_share_one_grammar(name):
    """Model and records come first and must be given; what is left is named, and a seed is 1 where none is."""
    parameters = list(inspect.signature(getattr(sp, name)).parameters.values())
    assert [parameter.name.removesuffix("s") for parameter in parameters[:2]] == ["model", "survey"]
    assert all(parameter.default is parameter.empty for parameter in parameters[: 1 if name == "fit" else 2])
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[2:])
    assert [parameter.default for parameter in parameters if parameter.name == "seed"] in ([1], [])


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("given", [(), (None,)])
def test_forgotten_records_are_never_someone_elses(name, given, small_tables):
    """A call without records says what to give, as the error of a user and as Python's own.

    A fit without any is one of the study's reconstructions where the specification is of that study.
    """
    model = "primary" if given or name != "fit" else small_tables
    with pytest.raises(sp.BayesSpError, match=r"needs records: .*sp\.reconstruct\(seed=1\)") as caught:
        getattr(sp, name)(model, *given)
    assert isinstance(caught.value, TypeError)


def test_records_that_are_none_are_refused(survey):
    """What is no survey, frame or file is named by its type."""
    with pytest.raises(sp.BayesSpError, match="found Design"):
        sp.fit("process6", design_arrays(sp.load_model("process6"), survey))


def test_records_are_taken_in_any_form(survey, tmp_path):
    """A survey, its table and its file give the same bootstrap and the same prior prediction."""
    survey.records.to_csv(tmp_path / "s.csv", index=False)
    made = [sp.bootstrap("process6", given, replicates=20) for given in (survey, survey.records, tmp_path / "s.csv")]
    for other in made[1:]:
        np.testing.assert_array_equal(other.values, made[0].values)
    checks = [sp.prior_predictive("process6", g, draws=50).check() for g in (survey, str(tmp_path / "s.csv"))]
    assert checks[0].table.equals(checks[1].table)


def test_the_pymc_model_takes_a_name_and_a_file(survey, tmp_path):
    """Both give a model with an observed variable for each equation."""
    survey.records.to_csv(tmp_path / "s.csv", index=False)
    for given in (survey, tmp_path / "s.csv"):
        built = sp.pymc_model("process6", given)
        assert [variable.name for variable in built.observed_RVs] == [
            f"{name}_observed" for name in ("belonging_t1", "loneliness_t1", "appointments_t1")
        ]


def test_moments_regress(survey):
    """The method is the function."""
    moments = sp.Moments.from_records(("age", "gender", "loneliness_t1"), survey.records)
    with pytest.warns(FutureWarning, match=r"write moments\.least_squares"):
        earlier = sp.least_squares
    np.testing.assert_array_equal(
        moments.least_squares("loneliness_t1", ["age"]).coefficients,
        earlier(moments, "loneliness_t1", ["age"]).coefficients,
    )


def test_specifications_are_compared_by_their_leave_one_out(fit):
    """A specification against itself differs by 0 in its outcome."""
    found = fit.loo().compare(fit.loo())
    assert (found.response, found.difference) == ("appointments_t1", 0.0)


def test_figures_are_drawn_into_axes_of_a_users_own(fit):
    """One axes for one panel, as many as there are responses for others; too few are refused before any is drawn on."""
    comparison, pit = fit.compare(replicates=20), fit.loo_pit()
    own = Figure()
    left, right = own.subplots(1, 2)
    assert sp.plot.paths(fit, left) is left
    assert sp.plot.comparison(comparison, right) is right
    assert left.texts
    assert len(right.lines) > 3
    assert any(fit.survey.mark in text.get_text().replace("\n", " ") for text in left.texts)
    three = Figure().subplots(1, 3)
    assert list(sp.plot.loo_pit(pit, three)) == list(three)
    with pytest.raises(sp.BayesSpError, match="3 axes are needed"):
        sp.plot.loo_pit(pit, left)
    assert isinstance(sp.plot.influence(fit.influence()), Axes)
    assert len(sp.plot.predictive_checks(fit.predictive_checks(replicates=20))) == 6


OLD_FIGURES = {
    "plot_comparison": lambda fit: (fit.model, fit.compare(replicates=0)),
    "plot_influence": lambda fit: (fit.model, fit.influence()),
    "plot_loo_pit": lambda fit: (fit.model, fit.loo_pit()),
    "plot_paths": lambda fit: (fit,),
    "plot_predictive_checks": lambda fit: (fit.model, fit.predictive_checks(replicates=20)),
    "plot_prior_check": lambda fit: (fit.model, sp.prior_predictive(fit.model, fit.survey, draws=50).check()),
}


@pytest.mark.parametrize("name", OLD_FIGURES)
def test_old_figures_still_draw(name, fit):
    """With the arguments of the earlier release, and a warning that names the new one."""
    with pytest.warns(FutureWarning, match=rf"bayes_sp\.{name} goes with the next release; write plot\."):
        draw = getattr(sp, name)
    assert isinstance(draw(*OLD_FIGURES[name](fit)), Figure)


def test_every_old_name_still_works():
    """Each is found where it stands now, with a warning; none of them is a public name of now."""
    for space in (sp, sp.sensitivity):
        for name in space._OLD:
            with pytest.warns(FutureWarning, match=rf"\.{name} goes with the next release; write "):
                assert callable(getattr(space, name))


def test_an_old_call_of_the_bootstrap_gives_the_same(survey):
    """From a design, as the earlier release had it."""
    model = sp.load_model("process6")
    with pytest.warns(FutureWarning, match=r"write bootstrap\(model, survey, seed=1\)"):
        earlier = sp.bootstrap(design_arrays(model, survey), seed=3, replicates=20)
    np.testing.assert_array_equal(earlier.values, sp.bootstrap(model, survey, seed=3, replicates=20).values)


class Counting(Runner):
    """Answers every cell with one fit's own numbers, and counts those that the runner does not know."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "fitted", [])

    def run(self, cells):
        """Return known answers, and the base's own for the others."""
        unknown = [cell for cell in cells if cell.key not in self.known]
        self.fitted.extend(unknown)
        (base,) = self.known.values()
        return [replace(self.known.get(cell.key, base), key=cell.key) for cell in cells]


def test_the_base_is_not_fitted_again(fit):
    """Priors, tipping point and confounding ask the runner for every case but the fit's own."""
    for ask in (sp.sensitivity.priors, sp.sensitivity.tipping_point, sp.sensitivity.confounding):
        runner = Counting()
        ask(fit, runner=runner)
        (base,) = runner.known
        assert runner.fitted
        assert base not in {cell.key for cell in runner.fitted}


def test_what_a_runner_learns_is_what_it_would_have_fitted(fit):
    """The answer that is made of a fit at hand is that of its cell, fitted anew."""
    runner = Runner()
    cell = runner.learn(fit)
    anew = answer(cell)
    assert anew.trustworthy == runner.known[cell.key].trustworthy
    numbers = anew.table.select_dtypes("number")
    np.testing.assert_allclose(runner.known[cell.key].table[numbers.columns], numbers, rtol=1e-9, atol=1e-12)


def test_an_old_call_of_confounding_fits_for_itself(survey, monkeypatch):
    """Model and records first, as the earlier release had it."""
    asked = []
    monkeypatch.setattr("bayes_sp.sensitivity.confounder.confounding.fit", lambda *a, **k: asked.append(a) or _stop())
    with pytest.warns(FutureWarning, match=r"write sensitivity\.confounding\(fit\)"), pytest.raises(KeyError):
        sp.sensitivity.confounding("process6", survey)
    assert len(asked) == 1


def _stop():
    raise KeyError


def test_public_names_give_no_warning():
    """Names of now are found in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(getattr(sp, name) is not None for name in sp.__all__)
