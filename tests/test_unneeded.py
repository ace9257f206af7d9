"""What a process of ours does without."""

import gc

import pytest

from bayes_sp import unneeded
from bayes_sp.unneeded import staying


@pytest.mark.parametrize("ours", [False, True])
def test_what_stays_is_out_of_sight_of_the_search_for_garbage(ours, monkeypatch):
    """Only in a process of ours; while it is made there is no search in any."""
    monkeypatch.setattr(unneeded, "_left_out", [True] if ours else [])
    before = gc.get_freeze_count()
    with staying():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert (gc.get_freeze_count() > before) is ours
