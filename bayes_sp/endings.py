"""Signals while something is written, and what must be undone where the process ends without leaving its blocks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
NAMES = threading.RLock()  # held while names are changed or removed: nothing ends the process in between
_UNDO: dict[int, Callable[[], str | None]] = {}
_FIRST = iter(range(2**63))


def to_undo(act: Callable[[], str | None]) -> int:
    """Register what is to be done at an end at once; return the number under which `undone` forgets it."""
    key = next(_FIRST)
    _UNDO[key] = act
    return key


def undone(key: int) -> None:
    """Forget what a number stands for: it is done, or need not be."""
    _UNDO.pop(key, None)


@contextmanager
def undoing(act: Callable[[], str | None]) -> Iterator[None]:
    """Have something done where the process ends within the block."""
    key = to_undo(act)
    try:
        yield
    finally:
        undone(key)


def undo_all() -> list[str]:
    """Do all of it, the last first, and return what it has to say; the process must end right after."""
    said = [act() for act in reversed(list(_UNDO.values()))]
    return [line for line in said if line]


class Interruptions:
    """Signals while something is written.

    A signal does what it does elsewhere (Ctrl-C raises `KeyboardInterrupt`), but while ``hold`` is True it waits, so
    that a change of names or the removal of what is half written is not cut in two, and no other thread ends the
    process. A signal whose exception was lost, as in a callback of a compiled library, or became another exception
    there, acts at the end of the block.
    """

    def __init__(self) -> None:
        self._hold = False
        self._seen: tuple[int, FrameType | None] | None = None
        self._before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python handles signals there alone
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._handle)
        return self

    @property
    def hold(self) -> bool:
        """Whether signals wait."""
        return self._hold

    @hold.setter
    def hold(self, hold: bool) -> None:
        if hold != self._hold:
            self._hold = hold
            (NAMES.acquire if hold else NAMES.release)()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._seen = (number, frame)
        if not self._hold:
            self._before[number](number, frame)

    @property
    def pending(self) -> bool:
        """Whether a signal has come."""
        return self._seen is not None

    def check(self) -> None:
        """Let a signal act that has come and was held back or lost."""
        if self._seen is not None:
            number, frame = self._seen
            self._before[number](number, frame)

    def __exit__(self, *_: object) -> None:
        self.hold = True
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.hold = False
        self.check()
