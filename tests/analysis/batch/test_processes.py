"""Worker processes: one thread each, no part of the user's script, replaced when they die, gone with their parent."""

from __future__ import annotations

import io
import operator
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from bayes_sp.analysis.batch import processes
from bayes_sp.analysis.batch.processes import Processes, usable_processors
from bayes_sp.analysis.batch.worker import receive, send
from bayes_sp.errors import BayesSpError, WorkerDiedError

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


# Workers of the tests' own import nothing to fit with, which takes seconds each.
START = processes._START.replace(
    "import sys, json",
    "import sys, json, types; sys.modules['bayes_sp.analysis.batch.work'] = types.ModuleType('work')",
)


@pytest.fixture(scope="module", autouse=True)
def _light_workers():
    assert START != processes._START
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_START", START)
        yield


@pytest.fixture(scope="module")
def workers(_light_workers):
    with Processes(2) as found:
        yield found
    assert [
        child for child in psutil.Process().children() if "bayes_sp.analysis.batch" in " ".join(child.cmdline())
    ] == []


def test_calls_run_in_other_processes_with_one_thread_each(workers):
    """One process serves many calls; arithmetic libraries are told to use one thread."""
    pids = {workers.submit(os.getpid).result() for _ in range(5)}
    assert os.getpid() not in pids
    assert len(pids) <= 2
    assert [workers.submit(os.getenv, name).result() for name in THREADS] == ["1"] * len(THREADS)


def test_an_error_comes_back_as_it_is_with_its_place(workers):
    """The type, the message, and the worker's traceback as a note."""
    error = workers.submit(operator.truediv, 1, 0).exception()
    assert isinstance(error, ZeroDivisionError)
    assert "in the worker:" in error.__notes__[0]
    mistake = workers.submit(
        exec, "from bayes_sp.errors import *; raise SurveyError('a.csv', ['is empty'])"
    ).exception()
    assert isinstance(mistake, BayesSpError)
    assert str(mistake) == "a.csv: is empty"


def test_an_error_that_cannot_be_sent_comes_back_in_words(workers):
    """A class that no other process knows."""
    code = "class Odd(Exception): __module__ = 'nowhere'\nraise Odd('why')"
    error = workers.submit(exec, code, {}).exception()
    assert isinstance(error, RuntimeError)
    assert str(error) == "Odd: why"


def test_a_result_that_cannot_be_sent_ends_the_worker_and_not_the_wait(workers):
    """The parent hears of it at once, and the next call is served."""
    with pytest.raises(WorkerDiedError, match="exit status 1"):
        workers.submit(eval, "lambda: 0").result(timeout=120)
    assert workers.submit(abs, -1).result(timeout=120) == 1


def test_what_a_call_prints_or_reads_does_not_mix_with_the_answers(workers):
    """Standard output and input are the runner's own pipes."""
    code = "import os, sys; print('x' * 9999, flush=True); os.write(1, b'y' * 9999); sys.stdin.buffer.raw.read(1)"
    assert workers.submit(exec, code, {}).result(timeout=120) is None


def test_a_worker_that_dies_takes_its_own_call_and_no_other(workers):
    """The signal is named; the other worker's call ends well; the next call has a new process."""
    slow = workers.submit(eval, "__import__('time').sleep(1.0) or 'slept'")
    with pytest.raises(WorkerDiedError, match="signal 9"):
        workers.submit(exec, "import os; os.kill(os.getpid(), 9)").result(timeout=120)
    with pytest.raises(WorkerDiedError, match="exit status 7"):
        workers.submit(exec, "import os; os._exit(7)").result(timeout=120)
    assert slow.result(timeout=120) == "slept"
    assert workers.submit(abs, -1).result(timeout=120) == 1


def test_leaving_the_block_stops_calls_that_run():
    """A call that would last an hour ends at once, and so does its process; one that waits its turn is cancelled."""
    with Processes(1) as workers:
        pid = workers.submit(os.getpid).result(timeout=120)
        slow, waiting = workers.submit(time.sleep, 3600), workers.submit(abs, -1)
        deadline = time.monotonic() + 120
        while not slow.running() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert isinstance(slow.exception(timeout=120), WorkerDiedError)
    assert waiting.cancelled()
    assert not psutil.pid_exists(pid)


def test_an_interrupt_from_the_terminal_is_left_to_the_parent(workers):
    """The signal that a terminal sends to all of its processes does not end a worker."""
    code = "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(0.1)"
    assert workers.submit(exec, code, {}).result(timeout=120) is None


def test_workers_that_cannot_start_are_an_error_that_says_so(monkeypatch):
    """Python itself does not start."""
    monkeypatch.setattr(processes, "_START", "raise SystemExit(3)")
    with Processes(2) as workers, pytest.raises(BayesSpError, match=r"could not be started.*exit status 3"):
        workers.submit(abs, 1).result(timeout=120)


PARENT = """
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from bayes_sp.analysis.batch import processes
processes._START = LIGHT
with processes.Processes(COUNT) as workers:
    all_ = [workers.submit(eval, "__import__('time').sleep(0.5) or __import__('os').getpid()") for _ in range(COUNT)]
    pids = [future.result() for future in all_]
    for _ in range(COUNT):
        workers.submit(time.sleep, 3600)
    print(*pids, flush=True)
    time.sleep(3600)
"""


@pytest.mark.parametrize(("how", "count"), [(signal.SIGKILL, 2), (signal.SIGTERM, 1), (signal.SIGINT, 1)])
def test_no_worker_outlives_its_parent(how, count):
    """However the parent ends, and whatever its workers do at the time."""
    script = PARENT.replace("COUNT", str(count)).replace("LIGHT", repr(START))
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == count
    assert all(map(psutil.pid_exists, pids))
    children = [psutil.Process(pid) for pid in pids]
    parent.send_signal(how)
    _, left = psutil.wait_procs(children, timeout=60)
    for child in left:
        child.kill()
    parent.kill()
    parent.communicate()
    assert left == []


def test_messages_are_whole_or_absent():
    """A pipe that ends within a message holds none."""
    stream = io.BytesIO()
    send(stream, b"hello")
    whole = stream.getvalue()
    assert receive(io.BytesIO(whole)) == b"hello"
    assert [receive(io.BytesIO(whole[:end])) for end in (0, 3, len(whole) - 1)] == [None] * 3


def test_the_usable_processors_are_those_of_the_affinity_and_the_quota(tmp_path, monkeypatch):
    """A container may have a part of the machine's processors."""
    own = len(os.sched_getaffinity(0))
    for text, count in (("max 100000", own), ("150000 100000", min(own, 2)), ("50000 100000", 1), ("", own)):
        (tmp_path / "cpu.max").write_text(text, encoding="ascii")
        monkeypatch.setattr(processes, "_QUOTA", tmp_path / "cpu.max")
        assert usable_processors() == count
    monkeypatch.setattr(processes, "_QUOTA", tmp_path / "none")
    assert usable_processors() == own
