"""Work shared by threads and by processes beside this one."""

import operator
import os
import threading
from concurrent.futures import Future
from functools import partial

import pytest

from bayes_sp.errors import RunnerError, WorkerDiedError
from bayes_sp.threads import begun, mapped, shared, sharing


class Elsewhere:
    """Stands for processes: a call is answered at once, or with an error that is told before."""

    def __init__(self, count=1, error=None, ready=True):
        self.count, self.error, self.called, self.told = count, error, [], ready

    def ready(self, number):
        """Return what was said."""
        assert 0 <= number < self.count
        return self.told

    def submit(self, function, *arguments):
        """Call a function at once, or raise what was said."""
        self.called.append(arguments)
        future = Future()
        if self.error is None:
            future.set_result(function(*arguments))
        else:
            future.set_exception(self.error)
        return future


def thread_of(_):
    return threading.get_ident()


def test_results_come_in_the_order_of_their_tasks():
    """However many threads take them, and whatever a process takes of them."""
    tasks = list(range(50))
    assert mapped(operator.neg, tasks, 3) == [-task for task in tasks]
    with sharing(Elsewhere(2)):
        assert shared(operator.neg, tasks) == [-task for task in tasks]
    assert shared(operator.neg, tasks) == [-task for task in tasks]
    assert mapped(operator.neg, []) == shared(operator.neg, []) == []


def test_one_worker_sends_nothing_elsewhere():
    """``cores=1`` is one thread of this process."""
    with sharing(beside := Elsewhere()):
        assert len(set(shared(thread_of, range(9), 1))) == 1
    assert beside.called == []


def test_a_process_that_is_not_ready_is_not_waited_for():
    """All is done here then."""
    with sharing(beside := Elsewhere(ready=False)):
        assert shared(operator.neg, range(9)) == [-task for task in range(9)]
    assert beside.called == []


@pytest.mark.parametrize("error", [WorkerDiedError("killed"), RunnerError("a place", ["could not be started"])])
def test_what_a_process_does_not_answer_is_done_here(error):
    """A worker that is killed, or a machine that allows none, costs time and no result."""
    with sharing(Elsewhere(error=error)):
        assert shared(operator.neg, range(9)) == [-task for task in range(9)]
        assert begun(os.getpid)() == os.getpid()


def test_a_mistake_is_raised_and_the_rest_is_left_out():
    """In threads, and where a process has answered with it."""
    done = []

    def work(task):
        if task == 3:
            raise RunnerError("a task", ["is wrong"])
        done.append(task)

    with pytest.raises(RunnerError, match="is wrong"):
        mapped(work, range(1000), 1)
    assert done == [0, 1, 2]
    with sharing(Elsewhere(error=ValueError("there"))), pytest.raises(ValueError, match="there"):
        begun(os.getpid)()


def test_what_is_begun_without_a_process_is_done_when_asked_for():
    """Once for each time."""
    done = []
    wait = begun(done.append, 1)
    assert done == []
    wait()
    assert done == [1]


def test_a_call_that_still_waits_behind_others_is_made_here_if_it_may_not_queue():
    """One that has begun is waited for."""

    class Busy(Elsewhere):
        def submit(self, function, *arguments):
            return Future()

    with sharing(Busy()):
        assert begun(os.getpid, queues=False)() == os.getpid()
    with sharing(beside := Elsewhere()):
        assert begun(abs, -3, queues=False)() == 3
    assert beside.called == [(-3,)]


def test_each_task_is_told_of():
    """Also where a process has done it."""
    said = []
    with sharing(Elsewhere()):
        shared(operator.neg, range(9), told=partial(said.append, "one"))
    assert said == ["one"] * 9
