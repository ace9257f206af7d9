"""What is begun before there is a posterior."""

from concurrent.futures import Future, ThreadPoolExecutor

import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.analysis import ahead
from bayes_sp.analysis.ahead import begin_bootstraps, begin_spread
from bayes_sp.analysis.ensemble import spread_over_reconstructions
from bayes_sp.threads import MOST_SENT, sharing

SEEDS = (1, 2, 3, 4, 5, 6)


class AtOnce:
    """Stands for a process that answers at once."""

    count = 1

    def __init__(self):
        self.called = []

    def ready(self, number):
        """Return that it is, whatever the number."""
        return number == 0

    def submit(self, function, *arguments):
        """Call a function here."""
        self.called.append(function)
        future = Future()
        future.set_result(function(*arguments))
        return future


def test_bootstraps_that_were_begun_are_those_of_the_comparison():
    """For the normal twin and the specification, with the same seed."""
    few = sp.SamplerOptions(draws=200, tune=200, chains=2, cores=1)
    fit = sp.fit("primary", sp.reconstruct(seed=1), seed=3, options=few)
    with sharing(beside := AtOnce()):
        made = [wait() for wait in begin_bootstraps(fit.model, fit.survey, fit.seed, 100)]
    assert len(beside.called) == len(made) == 2
    expected = fit.compare(replicates=100)
    found = fit._compared(made)
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert found.missing == expected.missing


def test_without_a_process_no_bootstrap_is_begun():
    """The comparison then makes them itself; of very many records too, which are not sent."""
    model, survey = sp.load_model("primary"), sp.reconstruct(seed=1)
    assert begin_bootstraps(model, survey, 1, 100) == []
    rows = -(-MOST_SENT // len(survey)) + 1
    many = sp.Survey(pd.concat([survey.records] * rows, ignore_index=True), "memory", "many records")
    with sharing(beside := AtOnce()):
        assert begin_bootstraps(model, many, 1, 100) == []
    assert beside.called == []


@pytest.mark.parametrize("company", [False, True])
def test_the_spread_is_that_of_all_seeds_in_their_order(company, monkeypatch):
    """In one thread, or in parts for a process."""
    monkeypatch.setattr(ahead, "SPREAD_SEEDS", SEEDS)
    model, survey = sp.load_model("primary"), sp.reconstruct(seed=1)
    with ThreadPoolExecutor(1) as thread:
        if company:
            with sharing(beside := AtOnce()):
                found = begin_spread(model, survey, thread)()
            assert len(beside.called) == 2
        else:
            found = begin_spread(model, survey, thread)()
    pd.testing.assert_frame_equal(found, spread_over_reconstructions(model, SEEDS))


def test_records_of_a_user_have_no_spread():
    """Nothing is begun."""
    own = sp.Survey(sp.reconstruct(seed=1).records, "memory", "own")
    with ThreadPoolExecutor(1) as thread, sharing(beside := AtOnce()):
        assert begin_spread(sp.load_model("primary"), own, thread)() is None
    assert beside.called == []
