"""How long commands take to end after a signal, stage by stage. Long; not part of the tests.

``python tests/interrupt_delays.py holds [COMMAND ...]`` lets each command run to its end beside a thread that measures
for how long the interpreter is not let go: a signal is heard after that time at most, and ends the process a second
later. ``python tests/interrupt_delays.py signals 5 [COMMAND ...]`` sends signals at random moments, and looks at
status, last line and what is left.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LONGEST = 60.0  # seconds in which moments for signals lie
BEGIN = """
import signal, sys, threading, time, traceback
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import bayes_sp.cli.main as cli
from bayes_sp.cli.process import run
stage = ["start"]
def say(line, always=False):
    stage[0] = line
    if line:
        print("#", line, file=sys.stderr, flush=True)
"""
SIGNALLED = BEGIN + "cli.say = say; run()"
PROBED = (
    BEGIN
    + """
worst = {}
def probe():
    main = threading.main_thread().ident
    while True:
        before, where = time.perf_counter(), stage[0]
        time.sleep(0.02)
        late = time.perf_counter() - before
        if late > worst.get(where, (0.0, ""))[0]:
            worst[where] = late, traceback.format_stack(sys._current_frames()[main])[-1].strip().split("\\n")[0]
threading.Thread(target=probe, daemon=True).start()
cli.say = say
began = time.perf_counter()
try:
    status = cli.main()
finally:
    for where, (late, line) in list(worst.items()):
        print(f"@ {late:6.2f} s  {where[:70]:70}  {line[:150]}", file=sys.stderr)
    print(f"@ {time.perf_counter() - began:.0f} s in all", file=sys.stderr)
sys.exit(status)
"""
)


def records(rows: int, folder: Path) -> Path:
    """Write the reconstructed records again and again, each time in another order."""
    from bayes_sp.records.published.reconstruct import reconstruct

    table = reconstruct(1).records
    path = folder / f"rows-{rows}.csv"
    if not path.exists():
        picked = np.random.default_rng(1).integers(len(table), size=rows)
        table.iloc[picked].to_csv(path, index=False)
    return path


def commands(folder: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return every command with its environment."""
    out = ["--out", str(folder / "out")]
    big = ["--data", str(records(1_000_000, folder)), "--method", "laplace"]
    some = ["--data", str(records(20_000, folder))]
    cold = {"NUMBA_CACHE_DIR": str(folder / "cold")}
    return {
        "fit": (["fit", "primary", *out], {}),
        "cold": (["fit", "primary", *out], cold),
        "cold-all": (["fit", "hurdle", *out], cold),
        "laplace": (["fit", "primary", *big, *out], {}),
        "nuts": (["fit", "primary", *some, "--bootstrap", "0", *out], {}),
        "bootstrap": (["fit", "primary", *some, "--method", "laplace", "--bootstrap", "5000", *out], {}),
        "check": (["fit", "primary", "--check", *out], {}),
        "compare": (["compare", "primary", "hurdle", *out], {}),
        "sensitivity": (["sensitivity", "primary", "--priors", "--confounding", "--workers", "2", *out], {}),
        "priors": (["priors", "primary", "--figure", str(folder / "out.png")], {}),
    }


def run(name: str, code: str, folder: Path, wait: float = 0.0, number: int = 0) -> tuple[float, int, list[str]]:
    """Run a command, with a signal after ``wait`` seconds; return seconds after it, status and lines of stderr."""
    arguments, environment = commands(folder)[name]
    shutil.rmtree(folder / "cold", ignore_errors=True)
    with (folder / "errors.txt").open("w+") as errors:  # a pipe would also wait for workers
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL, stderr=errors, cwd=folder,
            env=os.environ | environment,
        )  # fmt: skip
        if number:
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
        asked = time.monotonic()
        process.wait()
        late = time.monotonic() - asked
        errors.seek(0)
        return late, process.returncode, errors.read().splitlines()


def holds(names: list[str], folder: Path) -> None:
    """Print, stage by stage, for how long the interpreter was not let go."""
    for name in names:
        _, status, errors = run(name, PROBED, folder)
        lines = [line for line in errors if line.startswith("@")] or errors[-5:]
        _say("\n  ".join([f"{name}: status {status}", *lines]))
        _remove(folder / "out")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def signals(count: int, names: list[str], folder: Path) -> None:
    """Print delay, status and last lines after signals at random moments."""
    rng = np.random.default_rng()
    for name in names:
        began = time.monotonic()
        run(name, SIGNALLED, folder, LONGEST, signal.SIGTERM)
        whole = time.monotonic() - began
        _remove(folder / "out")
        for _ in range(count):
            number, wait = (signal.SIGINT, signal.SIGTERM)[int(rng.integers(2))], rng.uniform(0.3, whole)
            late, status, errors = run(name, SIGNALLED, folder, wait, number)
            left = [
                path.name for path in folder.iterdir() if not path.name.startswith(("rows-", "cold", "runs", "errors"))
            ]
            stage = next((line for line in reversed(errors) if line.startswith("#")), "start")
            wrong = "" if status in (128 + number, 0) and "Traceback" not in "".join(errors) else f" WRONG {errors}"
            _say(f"{name}: {late:5.2f} s, status {status}, at {wait:.1f} s, {stage} | {errors[-1:]} {left}{wrong}")
            _remove(folder / "out")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    place = Path(tempfile.gettempdir()) / "interrupt-delays"
    place.mkdir(exist_ok=True)
    if sys.argv[1] == "holds":
        holds(sys.argv[2:] or list(commands(place)), place)
    else:
        signals(int(sys.argv[2]), sys.argv[3:] or list(commands(place)), place)
