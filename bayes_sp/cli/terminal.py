"""What the command line needs of its surroundings: open streams, signals, and output that can fail."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from bayes_sp.cli.stopping import Stopped, open_streams
from bayes_sp.endings import undoing
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.safe_text import printable


def prepare() -> None:
    """Make the process fit to work: standard streams that are open, no window system, a folder to stand in.

    A terminal that lacks a sign shows its code instead of failing.

    Raises
    ------
    BayesSpError
        Where the current folder has been removed.
    """
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.environ["MPLBACKEND"] = "agg"  # figures are written and never shown; a wrong name here stops matplotlib
    try:
        os.getcwd()
    except OSError as error:
        raise BayesSpError(
            "the current folder", [f"is not there any more ({error.strerror}); go to another"]
        ) from error


class Output:
    """Standard output, which may be full, or whose reader may have gone.

    Attributes
    ----------
    refused
        Why something could not be printed; '' where everything was. A reader that has gone, such as ``head``, wants no
        more, and that is no failure.
    saved
        What the command has saved, and where; '' for nothing.
    """

    def __init__(self) -> None:
        self.refused = self.saved = ""

    def write(self, text: str, stream: IO[str] | None = None) -> None:
        """Write a text, without the control characters that would act on a terminal."""
        stream = stream or sys.stdout
        try:
            stream.write(printable(text))
            stream.flush()
        except BrokenPipeError:
            _discard(stream)
        except OSError as error:
            self.refused = f"cannot be written ({error.strerror or error})"
            _discard(stream)

    def end(self, text: str, folder: Path, asked: Path | None) -> None:
        """Write a summary and where everything is saved, which may be beside the folder that was asked for."""
        self.saved = f"everything is saved in {folder}"
        taken = asked is not None and folder != asked
        why = f" ({asked} was taken, or changed, while this ran)" if taken else ""
        self.write(f"{text}\nSaved in {folder}{why}\n")


def one_terminal() -> bool:
    """Return whether standard output and standard error are one terminal, where a text needs to stand once."""
    try:
        out, err = sys.stdout.fileno(), sys.stderr.fileno()
    except (OSError, ValueError):  # streams without a number, as in a test
        return False
    return os.isatty(out) and os.isatty(err) and os.path.samestat(os.fstat(out), os.fstat(err))


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage: what imports make stays, and the search for it takes a tenth of their time.

    BLAS gets one thread unless the environment says otherwise, which it reads when NumPy is imported: with matrices as
    small as ours, threads that wait for work make a bootstrap up to four times slower.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def keeping(what: str, written: Callable[[], bool]) -> Iterator[None]:
    """Say what is kept of work that stops before its end; its status is then no longer that nothing is written."""
    kept = f"finished {what}; the same command goes on there"
    try:
        with undoing(lambda: kept if written() else None):
            yield
    except (KeyboardInterrupt, Stopped, BayesSpError) as error:
        if not written():
            raise
        if not isinstance(error, BayesSpError):
            Output().write(f"bayes_sp: {kept}\n", sys.stderr)
            raise
        raise FitError(error.source, [*error.problems, kept]) from error


def _discard(stream: IO[str]) -> None:
    """Send what is left in a stream's buffer, and all that follows, to nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test's has no number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Parser(argparse.ArgumentParser):
    """A parser whose messages pass through `Output`."""

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - argparse's
        output = Output()
        output.write(message, file or sys.stderr)
        if output.refused and file is sys.stdout:
            self.exit(2, f"{self.prog}: standard output: {output.refused}\n")


def say(line: str, *, always: bool = False) -> None:
    """Print a line of progress where somebody watches, or ``always`` one that says how long it takes; no empty one."""
    if line and (always or sys.stderr.isatty()):
        Output().write(f"... {line}\n", sys.stderr)
