"""How many processes a fit starts beside itself."""

import argparse
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bayes_sp.analysis.batch import beside
from bayes_sp.cli.records import share_work

FILE = Path("a.csv")


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, [3]),  # 20 reconstructions
        ({"members": 1}, [1]),
        ({"data": [FILE]}, [1]),
        ({"data": [FILE, FILE]}, [3]),
        ({"data": [FILE], "imputations": ".imp"}, [3]),
        ({"cores": 1}, []),
        ({"alone": False}, []),  # within a user's own process none is started
    ],
)
def test_several_sets_of_records_are_shared_out_and_one_has_figures(given, most, monkeypatch):
    """As many processes as cores beside this one, or one."""
    asked = []

    @contextmanager
    def helpers(count, modules):
        assert all(name.startswith("bayes_sp.") for name in modules)
        asked.append(count)
        yield

    monkeypatch.setattr(beside, "helpers", helpers)
    usual = {"alone": True, "cores": 4, "members": None, "data": None, "imputations": ""}
    with ExitStack() as words:
        share_work(argparse.Namespace(**{**usual, **given}, words=words))
    assert asked == most
