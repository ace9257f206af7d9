"""Signals in the middle of a command: it ends at once, with their status and nothing half-written."""

import signal
import subprocess
import sys
import time

import pytest

SHOWN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import bayes_sp.cli.main as cli
cli.say = lambda line, always=False: print(line, file=sys.stderr, flush=True)  # as if somebody watched
from bayes_sp.cli.process import run
run()
"""
STUCK = """
import ctypes, signal, sys
from pathlib import Path
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)  # nohup and a shell's background jobs ignore them
import bayes_sp.cli.main as cli
from bayes_sp.cli.process import run
from bayes_sp.cli.terminal import keeping
from bayes_sp.report.folders.run import RunFolder
def write(options):
    with keeping("fits are kept", lambda: True), RunFolder(Path(sys.argv[1]) / "a" / "b") as new:
        new.file("run.toml").write_text("half")
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])  # the system tells another thread
        print("half written", flush=True)
        ctypes.CDLL(None).sleep(300)
class Parser:
    def parse_args(self, arguments):
        given = {"command": staticmethod(write), "name": "fit", "json": False, "quiet": False}
        return type("Options", (), given)
cli._parser = Parser
run()
"""
PROMPT = 2.0  # seconds on an idle machine; each of these works for minutes


def share_of_a_processor() -> float:
    """Return how much of a processor this process gets: 1 on an idle machine, 1/4 where four want each."""
    began, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.2:
        pass
    return 0.2 / max(time.perf_counter() - began, 0.2)


ONE = ["--members", "1"]


@pytest.mark.parametrize(
    ("stage", "options"),
    [
        ("sampling", [*ONE, "--draws", "200000", "--bootstrap", "0"]),
        pytest.param("fitting", ["--draws", "200000", "--bootstrap", "0"], marks=pytest.mark.slow),
        pytest.param(
            "weighing", [*ONE, "--method", "laplace", "--draws", "4000000", "--bootstrap", "0"], marks=pytest.mark.slow
        ),
        pytest.param(
            "bootstrapping", [*ONE, "--draws", "200", "--tune", "200", "--bootstrap", "5000000"], marks=pytest.mark.slow
        ),
    ],
)
def test_an_interrupt_ends_a_fit_at_once(tmp_path, stage, options):
    command = [sys.executable, "-c", SHOWN, "fit", "primary", *options, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith(stage):
                break
        time.sleep(0.5)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=60)
        late = time.monotonic() - asked
    finally:
        process.kill()
        process.communicate()
    assert said[-1].startswith(stage), said
    assert late < 1.0 + PROMPT / share_of_a_processor()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.endswith("bayes_sp: interrupted; nothing half-written is left\n")
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "stopped by SIGTERM")])
def test_a_signal_ends_a_process_that_does_not_come_back_to_python(tmp_path, number, word):
    """Compiled code that runs for minutes: another thread removes what is half written and says what is kept."""
    command = [sys.executable, "-c", STUCK, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 128 + number
    kept = "bayes_sp: finished fits are kept; the same command goes on there\n"
    assert errors == f"{kept}bayes_sp: {word}; nothing half-written is left\n"
    assert list(tmp_path.iterdir()) == []
