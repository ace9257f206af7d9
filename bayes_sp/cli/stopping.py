"""Standard streams that are open, and signals that end a command: in order, or within a second wherever it is."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import NoReturn, Self

from bayes_sp.endings import NAMES, SIGNALS, undo_all

PATIENCE = 0.7  # seconds for a command to end in order
LAST_LINE = 0.2  # seconds for its last line


class Stopped(SystemExit):
    """SIGTERM or SIGHUP has come."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


class Told:
    """Which signal has come first (0 before any), and whether the line that says so is printed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin a command."""
        self.number = 0
        self._line = threading.Lock()

    def may_say(self) -> bool:
        """Return True once: to the one that prints the last line."""
        return self._line.acquire(blocking=False)


told = Told()


def stop_when_told() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, SIGTERM and SIGHUP `Stopped`; what is half written is removed on the way.

    A signal that is ignored, as under nohup and in a shell's background jobs, stays ignored.
    """
    told.forget()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _unraisable


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    told.number = told.number or number
    raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)


def _unraisable(what: sys.UnraisableHookArgs, /) -> None:
    """Keep quiet on a stop that a library's callback has dropped: it acts again, or the watch ends the process."""
    if what.exc_type not in (KeyboardInterrupt, Stopped):
        sys.__unraisablehook__(what)


def last_line(number: int) -> str:
    """Return what is said where a signal has ended a command."""
    why = "interrupted" if number in (0, signal.SIGINT) else f"stopped by {signal.Signals(number).name}"
    return f"bayes_sp: {why}; nothing half-written is left\n"


class Watch:
    """Ends the process within a second of a signal, where the main thread has not done so by then.

    Python gives a signal to the main thread when that next runs Python code, which compiled code can put off for
    minutes, and a library may drop the exception. The system's own handler writes the signal's number into a pipe at
    once; a thread that waits there counts the time, removes what is half written, and ends the process.
    """

    def __enter__(self) -> Self:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        threading.Thread(target=self._wait, daemon=True, name="bayes_sp-watch").start()
        return self

    def _wait(self) -> None:
        while (number := os.read(self._read, 1)[0]) not in SIGNALS:
            pass
        threading.Event().wait(PATIENCE)
        with NAMES:
            kept = undo_all()
            if told.may_say():
                text = "".join(f"bayes_sp: {line}\n" for line in kept) + last_line(number)
                with contextlib.suppress(OSError):
                    os.write(2, text.encode("utf-8", "backslashreplace"))
            else:
                threading.Event().wait(LAST_LINE)
            os._exit(128 + number)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        """Let no signal cut the process's own end in two; what a library made of a stop's exception is not shown."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        return bool(told.number) and isinstance(error, Exception)


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
