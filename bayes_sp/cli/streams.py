"""Standard streams that are open, before anything else takes their numbers."""

from __future__ import annotations

import os
import sys


def open_streams() -> None:
    """Let a standard stream that was closed take everything.

    A file opened later would else get its number, and with it what libraries print.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
