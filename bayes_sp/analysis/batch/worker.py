"""A worker process: reads calls from its standard input, answers on its standard output, ends with its parent."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import struct
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import IO, Any, NoReturn

from bayes_sp.unneeded import leave_out

_LENGTH = struct.Struct(">Q")


def send(stream: IO[bytes], message: bytes) -> None:
    """Write a message with its length."""
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next message, or None where the other side has ended."""
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(length)
    message = stream.read(size)
    return message if len(message) == size else None


def serve() -> NoReturn:
    """Answer calls, one at a time, until the parent closes the pipe or ends, however it ends.

    The first message, an empty one, says that everything is imported. The pipe is read while a call runs, so that the
    parent's end is seen at once. What libraries print goes to standard error.
    """
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    leave_out()
    importlib.import_module("bayes_sp.analysis.batch.work")
    with contextlib.suppress(BrokenPipeError):
        send(replies, b"")
    thread = ThreadPoolExecutor(1)
    while (message := receive(calls)) is not None:
        thread.submit(_call, message).add_done_callback(partial(_reply, replies))
    os._exit(0)


def _call(message: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
    function, arguments = pickle.loads(message)  # noqa: S301 - the parent's own
    return function(*arguments)


def _reply(replies: IO[bytes], done: Future[Any]) -> None:
    """Send what a call returned or raised; a worker that cannot ends, so that the parent does not wait for it."""
    answered = False
    try:
        error = done.exception()
        result = None if error is not None else done.result()
        message = pickle.dumps((result, error if error is None else _portable(error)))
        with contextlib.suppress(BrokenPipeError):  # the parent has ended, and `serve` sees it
            send(replies, message)
        answered = True
    finally:
        if not answered:
            traceback.print_exc()
            os._exit(1)


def _portable(error: BaseException) -> BaseException:
    """Return an error that another process can read, with this process's traceback as a note."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, LookupError):
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"in the worker:\n{text}")
    return error
