"""What the command line needs of its surroundings."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("output", "errors", "one"), [("a", "a", True), ("a", "b", False), ("a", None, False)])
def test_one_terminal_is_the_same_terminal_for_both_streams(output, errors, one, tmp_path):
    """Two terminals, or a terminal and a pipe, are not one."""
    pairs = {name: os.openpty() for name in "ab"}
    found = tmp_path / "found"
    code = f"from bayes_sp.cli.terminal import one_terminal; open({str(found)!r}, 'w').write(str(one_terminal()))"
    streams = {
        "stdout": pairs[output][1],
        "stderr": subprocess.PIPE if errors is None else pairs[errors][1],
    }
    try:
        subprocess.run([sys.executable, "-c", code], check=True, **streams)
    finally:
        for number in (*pairs["a"], *pairs["b"]):
            os.close(number)
    assert found.read_text() == str(one)
