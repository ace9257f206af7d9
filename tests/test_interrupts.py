"""Ctrl-C in the middle of a command: it ends at once, with status 130 and nothing half-written."""

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
PROMPT = 10.0  # seconds: 2 on an idle machine, and each of these works for minutes


@pytest.mark.parametrize(
    ("stage", "options"),
    [
        ("sampling", ["--draws", "200000", "--bootstrap", "0"]),
        pytest.param(
            "weighing", ["--method", "laplace", "--draws", "4000000", "--bootstrap", "0"], marks=pytest.mark.slow
        ),
        pytest.param(
            "bootstrapping", ["--draws", "200", "--tune", "200", "--bootstrap", "5000000"], marks=pytest.mark.slow
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
        out, rest = process.communicate(timeout=PROMPT)
    finally:
        process.kill()
        process.communicate()
    assert said[-1].startswith(stage), said
    assert time.monotonic() - asked < PROMPT
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.endswith("bayes_sp: interrupted; nothing half-written is left\n")
    assert out == ""
    assert list(tmp_path.iterdir()) == []
