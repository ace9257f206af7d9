"""Child processes: each measurement has one of its own, with one BLAS thread and a compile cache of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THREADS = {"OPENBLAS_NUM_THREADS": "1"}


class MeasurementError(Exception):
    """A child process did not do what was to be measured."""


def environment(cache: Path | None) -> dict[str, str]:
    """Return the environment of a child: one BLAS thread, and numba's and PyTensor's caches in a folder of our own."""
    found = os.environ | THREADS
    if cache is not None:
        flags = [flag for flag in os.environ.get("PYTENSOR_FLAGS", "").split(",") if flag]
        found["NUMBA_CACHE_DIR"] = str(cache / "numba")
        found["PYTENSOR_FLAGS"] = ",".join([*flags, f"base_compiledir={cache}"])
    return found


def prepare(folder: Path, *, fill: bool) -> None:
    """Make sure that children find compiled bytecode, as an installed program does after its first start.

    Where Python has been told to write none (``PYTHONDONTWRITEBYTECODE``), every import would compile its source, which
    takes four times as long; then the bytecode goes into the temporary folder. ``fill`` starts the program once, so
    that all of it is there before anything is measured.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    if fill:
        seconds_of(
            [
                "-c",
                "import bayes_sp.analysis.workflow, bayes_sp.cli.main, bayes_sp.report.folders.analysis; "
                "import benchmarks.truth",
            ]
        )


def seconds_of(arguments: Sequence[str], *, cache: Path | None = None, statuses: Collection[int] = (0,)) -> float:
    """Return the wall time of a whole ``python ARGUMENTS``.

    Raises
    ------
    MeasurementError
        If it ends with another exit status than ``statuses``.
    """
    return _run(arguments, cache, statuses)[0]


def call(function: str, *, cache: Path | None = None, **arguments: object) -> Any:
    """Call a function of this package, named ``module:function``, in a fresh process, and return what it returns.

    Arguments and result pass as JSON. The parent imports no library, so that the child's peak memory is its own.
    """
    _, printed = _run(["-m", "benchmarks.child", function, json.dumps(arguments)], cache, (0,))
    return json.loads(printed.splitlines()[-1])


def _run(arguments: Sequence[str], cache: Path | None, statuses: Collection[int]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment(cache), check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode not in statuses:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise MeasurementError(f"python {' '.join(arguments)[:120]} ended with status {done.returncode}: {last}")
    return seconds, done.stdout
