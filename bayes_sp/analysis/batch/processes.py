"""Worker processes on this machine.

Each is a plain ``python -c``, joined to this process by its standard input and output. Compared with the process pools
of the standard library and of loky: nothing of the user's script is run again, so it needs no
``if __name__ == "__main__"``; nothing is forked from a process whose libraries have threads; a worker that dies takes
no other with it, and it is known which call it died of; and because every worker reads a pipe that this process alone
holds open, none is left when this process ends, even by SIGKILL.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self

from bayes_sp.analysis.batch.worker import receive, send
from bayes_sp.endings import to_undo, undone
from bayes_sp.errors import RunnerError, WorkerDiedError

# What the child runs: an interrupt from the terminal is the parent's to handle; modules are found where it finds them.
_START = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
import sys, json
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from bayes_sp.analysis.batch.worker import serve
serve()
"""
_THREADS = (
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)  # fmt: skip
_PLACE, _ALONE = "workers on this machine", "workers=1 fits everything here"
_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a Linux control group: microseconds in a period, the period


def usable_processors() -> int:
    """Return how many processors this process may use: its affinity, and no more than a container's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        if quota != "max":
            count = min(count, -(-int(quota) // int(period)))
    return max(count, 1)


class _Own(threading.local):
    """What each thread has of its own: the process that it waits for."""

    process: subprocess.Popen[bytes] | None = None


class Processes:
    """At most ``count`` worker processes, each with one thread for its arithmetic, started when first needed.

    A process that dies is replaced at the next call; the call that it ran raises `WorkerDiedError`. Leaving the
    ``with`` block kills all of them, whatever they do.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="bayes_sp-worker")  # one waits for each process
        self._own = _Own()
        self._lock = threading.Lock()
        self._started: list[subprocess.Popen[bytes]] = []
        self._stopped = False
        self._key = to_undo(self._kill)

    def _kill(self) -> None:
        for process in list(self._started):
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopped = True
            self._kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            _close(process)
        undone(self._key)

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Call a function of a module in one of the processes."""
        return self._threads.submit(self._call, pickle.dumps((function, arguments)))

    def _call(self, message: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
        process = self._own.process = self._own.process or self._start()
        reply = None
        with contextlib.suppress(BrokenPipeError):
            send(_pipe(process.stdin), message)
            reply = receive(_pipe(process.stdout))
        if reply is None:
            self._own.process = None
            raise self._died(process)
        result, error = pickle.loads(reply)  # noqa: S301 - from a process of our own
        if error is not None:
            raise error
        return result

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | dict.fromkeys(_THREADS, "1")
        with self._lock:
            if self._stopped:
                raise WorkerDiedError("the workers have been stopped")
            try:
                process = subprocess.Popen(  # noqa: S603 - this very Python
                    [sys.executable, "-P", "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
                )  # -P: nothing of the current folder is imported before the path is set
            except OSError as reason:
                raise RunnerError(_PLACE, [f"one could not be started ({reason.strerror})", _ALONE]) from reason
            self._started.append(process)
        ready = None
        with contextlib.suppress(BrokenPipeError):
            stdin = _pipe(process.stdin)
            stdin.write(json.dumps([str(folder) for folder in sys.path]).encode() + b"\n")
            stdin.flush()
            ready = receive(_pipe(process.stdout))
        if ready is None:
            error = self._died(process)
            if process.returncode > 0:  # not killed: the next one would end in the same way
                problem = f"one could not be started ({error}); its own message is above"
                raise RunnerError(_PLACE, [problem, _ALONE])
            raise error
        return process

    def _died(self, process: subprocess.Popen[bytes]) -> WorkerDiedError:
        """Return the error of a call whose process has closed its pipe, and forget the process."""
        process.kill()
        _close(process)
        with self._lock:
            self._started.remove(process)
        status = process.returncode
        how = f"signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"exit status {status}"
        return WorkerDiedError(f"it ended with {how}")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - asked for when the process was started
    return stream


def _close(process: subprocess.Popen[bytes]) -> None:
    """Reap a killed process and close its pipes."""
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):  # what was not yet sent to it
            _pipe(stream).close()
