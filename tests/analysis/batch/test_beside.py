"""Processes beside a command."""

import os

import pytest

from bayes_sp.analysis.batch import beside, processes
from bayes_sp.analysis.batch.beside import helpers
from bayes_sp.threads import begun, shared


@pytest.fixture
def two_processors(monkeypatch):
    monkeypatch.setattr(beside, "usable_processors", lambda: 2)


@pytest.mark.usefixtures("two_processors")
def test_a_process_takes_calls_and_ends_with_the_block():
    """It imports what it is told first."""
    with helpers(1, ("json",)):
        pid = begun(os.getpid)()
        assert pid != os.getpid()
        assert shared(abs, [-1, 2, -3]) == [1, 2, 3]
    assert begun(os.getpid)() == os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(("most", "processors"), [(0, 4), (3, 1)])
def test_there_is_none_without_work_or_without_a_second_processor(most, processors, monkeypatch):
    """All is done here."""
    monkeypatch.setattr(beside, "usable_processors", lambda: processors)
    with helpers(most, ("json",)):
        assert begun(os.getpid)() == os.getpid()


@pytest.mark.usefixtures("two_processors")
def test_a_machine_that_starts_no_process_does_all_here(monkeypatch):
    """As where the number of processes is limited."""
    monkeypatch.setattr(processes.sys, "executable", "/nowhere/python")
    with helpers(1, ("json",)):
        assert shared(abs, [-1, 2]) == [1, 2]
        assert begun(os.getpid)() == os.getpid()


@pytest.mark.usefixtures("two_processors")
def test_a_process_with_a_call_of_its_own_is_not_given_another(tmp_path):
    """What is shared is done here in the meantime."""
    told = tmp_path / "told"
    wait = f"import os, time\nwhile not os.path.exists({str(told)!r}): time.sleep(0.01)"
    with helpers(1, ("json",)):
        begun(os.getpid)()  # it is ready
        waits = begun(exec, wait)
        assert set(shared(eval, ["__import__('os').getpid()"] * 3)) == {os.getpid()}
        told.touch()
        waits()
        assert begun(os.getpid)() != os.getpid()
