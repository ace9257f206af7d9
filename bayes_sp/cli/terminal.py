"""What the command line needs of its surroundings: open streams, and output in colour, as JSON or not at all."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bayes_sp.cli.stopping import Stopped, open_streams
from bayes_sp.endings import undoing
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.safe_text import printable
from bayes_sp.shown import WIDTH, page_width, worded
from bayes_sp.unneeded import staying

if TYPE_CHECKING:
    import pandas as pd


# What a line of ours begins with -> how a terminal shows it: in red, in yellow, in bold.
LOOKS = (
    (re.compile(r"^DO NOT USE.*|^bayes_sp: (?!warning)", re.MULTILINE), "1;31"),
    (re.compile(r"^Look first:|^bayes_sp: warning:", re.MULTILINE), "33"),
    (re.compile(r"^(?:\d+\. .*|Effects of .*|Verdict:)", re.MULTILINE), "1"),
)


def prepare() -> None:
    """Make the process fit to work: standard streams that are open, no window system, a folder to stand in.

    A terminal that lacks a sign shows its code instead of failing.

    Raises BayesSpError where the current folder has been removed.
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


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes: how much it prints, and in which form."""
    how = parser.add_argument_group("output").add_mutually_exclusive_group()
    how.add_argument(
        "--quiet", action="store_true", help="print mistakes and warnings only; the exit status says the rest"
    )
    how.add_argument("--json", action="store_true", help="print one JSON document: result, status, mistakes")


class Output:
    """Standard output, which may be full, or whose reader may have gone."""

    def __init__(self) -> None:
        # Why something could not be printed, and what the command has saved, and where; '' for nothing. A reader that
        # has gone, such as ``head``, wants no more, and that is no failure.
        self.refused = self.saved = ""
        self.folder: Path | None = None  # where that stands
        # Nothing is printed but mistakes; or one JSON document in place of text, which `end_with` writes.
        self.quiet = self.json = False
        # What the JSON document holds of the command's result, made when it is asked for: tables, mappings, numbers.
        self.result: Callable[[], Mapping[str, Any]] | None = None
        self._texts: list[str] = []

    def write(self, text: str, stream: IO[str] | None = None) -> None:
        """Write a text, without the control characters that would act on a terminal."""
        if stream is None and (self.quiet or self.json):
            self._texts.append(worded(text))
        else:
            self._print(worded(text), stream or sys.stdout)

    def _print(self, text: str, stream: IO[str]) -> None:
        shown = printable(text)
        try:
            stream.write(coloured(shown) if takes_colour(stream) else shown)
            stream.flush()
        except BrokenPipeError:
            _discard(stream)
        except OSError as error:
            self.refused = f"cannot be written ({error.strerror or error})"
            _discard(stream)

    def end(self, text: str, folder: Path, asked: Path | None, more: str = "") -> None:
        """Write a summary and where everything is saved, which may be beside the folder that was asked for."""
        self.saved, self.folder = f"everything is saved in {folder}", folder
        why = f" ({asked} was taken, or changed, while this ran)" if asked is not None and folder != asked else ""
        self.write(f"{text}\nSaved in {folder}{why}{more}\n")

    def end_with(self, command: str, status: int, mistakes: tuple[str, ...] = ()) -> None:
        """Write the JSON document of a command, where it was asked for."""
        if not self.json:
            return
        import json
        from importlib.metadata import version

        found: dict[str, Any] = {"bayes_sp": version("bayes_sp"), "command": command, "status": status}
        found["saved"] = None if self.folder is None else str(self.folder)
        found["mistakes"] = list(mistakes)
        found["result"] = {"text": "".join(self._texts)} if self.result is None else as_json(self.result())
        self._print(json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n", sys.stdout)


def as_json(value: Any) -> Any:  # noqa: ANN401 - whatever a result holds
    """Return a value as JSON has it: tables as lists of rows, numbers that JSON does not know as null."""
    if isinstance(value, Mapping):
        return {str(key): as_json(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(own) for own in value]
    if hasattr(value, "to_dict"):
        return [as_json(row) for row in _rows(value)]
    if hasattr(value, "item"):  # a number of NumPy's
        value = value.item()
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def takes_colour(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal that shows colour, and nobody asked for none (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def coloured(text: str) -> str:
    """Return a text with the marks by which a terminal shows what must be seen first."""
    for pattern, look in LOOKS:
        text = pattern.sub(f"\x1b[{look}m\\g<0>\x1b[0m", text)
    return text


def terminal_width() -> int:
    """Return the columns of the terminal that is printed on; those of a kept page where there is none."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def one_terminal() -> bool:
    """Return whether standard output and standard error are one terminal, where a text needs to stand once."""
    try:
        out, err = sys.stdout.fileno(), sys.stderr.fileno()
    except (OSError, ValueError):  # streams without a number, as in a test
        return False
    return os.isatty(out) and os.isatty(err) and os.path.samestat(os.fstat(out), os.fstat(err))


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage, and with one thread for BLAS.

    That unless the environment says otherwise, which BLAS reads when NumPy is imported: with matrices as small as ours,
    threads that wait for work make a bootstrap up to four times slower.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with staying():
        yield


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
    """A parser whose messages pass through `Output`, and whose help ends with ``examples``."""

    examples: tuple[str, ...] = ()

    def format_help(self) -> str:
        """Return the help, then each example as it is typed."""
        shown = "".join(f"{line}\n" for example in self.examples for line in typed_lines(f"bayes_sp {example}"))
        return super().format_help() + (f"\nexamples:\n{shown}" if shown else "")

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - argparse's
        output = Output()
        output.write(message, file or sys.stderr)
        if output.refused and file is sys.stdout:
            self.exit(2, f"{self.prog}: standard output: {output.refused}\n")


def typed_lines(command: str) -> list[str]:
    """Return a command as it is typed, in lines that a shell takes as one; no text in quotes is broken."""
    parts = re.findall(r'(?:"[^"]*"|\S)+', command)
    lines = ["  " + parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) > 76:
            lines[-1] += " \\"
            lines.append("     ")
        lines[-1] += f" {part}"
    return lines


class Progress:
    """Whether lines of progress are shown."""

    shown = True


def say(line: str, *, always: bool = False) -> None:
    """Print a line of progress where somebody watches, or ``always`` one that says how long it takes; no empty one."""
    if line and Progress.shown and (always or sys.stderr.isatty()):
        text = textwrap.fill(f"... {line}", page_width(), subsequent_indent="    ", break_on_hyphens=False)
        Output().write(f"{text}\n", sys.stderr)
