"""Files and folders written whole or not at all, under names that nobody else has taken meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from bayes_sp.endings import Interruptions, to_undo, undone
from bayes_sp.errors import RunError

MARK = ".bayes_sp-partial"
TRIES = 5
BLOCK = 4096  # bytes
MOST_FOLDERS = 100  # to be made above a file or folder
_OPEN: dict[str, int] = {}  # what this process is writing, and under which number an end at once undoes it


class Partial:
    """A hidden name beside the place where something is going to stand; what is under it goes when the block ends.

    The name holds the machine and the process, so that `remove_abandoned` knows what a killed process has left. Folders
    that are ``made`` for the place, the innermost first, go with it where the process ends at once; an ``old`` name
    holds what stood there before.
    """

    def __init__(self, place: Path, *, old: bool = False, made: Sequence[Path] = ()) -> None:
        kind = "old" if old else "new"
        self.path = place.with_name(f"{MARK}-{_key(place)}-{kind}-{_here()}-{os.getpid()}-{secrets.token_hex(4)}")
        self._made = made
        _OPEN[self.path.name] = -1 if old else to_undo(self._abandon)  # what is moved away comes back at the next run

    def _abandon(self) -> None:
        for _ in range(TRIES):  # another thread may still write into it
            self._clear()
            if not os.path.lexists(self.path):
                break
        remove_empty(self._made)

    def remove(self) -> None:
        """Remove what is under the name, if anything is."""
        self._clear()
        undone(_OPEN.pop(self.path.name, -1))

    def _clear(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # it may never have been made, and nothing more can be done about it
                self.path.unlink()


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove those of the folders that are there and empty."""
    for folder in folders:
        with contextlib.suppress(OSError):  # never made, or somebody uses it by now
            folder.rmdir()


def _key(place: Path) -> str:
    """Return a short name of a place: its own may be as long as a name can be."""
    import hashlib

    return hashlib.sha256(os.fsencode(place.name)).hexdigest()[:12]


def _here() -> str:
    """Return the machine's name as part of a file's name."""
    return "".join(sign for sign in socket.gethostname() if sign.isascii() and sign.isalnum())[:32] or "machine"


def remove_abandoned(place: Path) -> None:
    """Remove what killed processes of this machine left of the same place, and bring back what they had moved away."""
    start = f"{MARK}-{_key(place)}-"
    for name in os.listdir(place.parent):
        parts = name.removeprefix(start).split("-")
        if not name.startswith(start) or len(parts) != 4 or parts[1] != _here() or name in _OPEN:
            continue
        if not parts[2].isdigit() or _is_alive(int(parts[2])):
            continue
        left = place.with_name(name)
        if parts[0] == "old":  # it was moved away, and nothing came in its stead
            with contextlib.suppress(OSError):
                claim(left, place)
        shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Whether another process has this number; our own can only stand on what an earlier one left."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def claim(finished: Path, place: Path) -> None:
    """Give a finished file or folder its name, unless something has that name; of several processes one succeeds.

    A folder's name is first taken by an empty folder, which only one process can make and which a folder can replace;
    a file's by a second name of the same file, where the disk knows such, else by an empty file.

    Raises FileExistsError where something has the name; OSError where the disk refuses.
    """
    if os.name == "nt":  # renames nothing onto something
        finished.rename(place)
    elif finished.is_dir():
        place.mkdir()
        try:
            finished.rename(place)
        except OSError as error:
            with contextlib.suppress(OSError):  # not empty any more: somebody else's
                place.rmdir()
            if error.errno == errno.ENOTEMPTY:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from error
            raise
    else:
        try:
            os.link(finished, place)
        except FileExistsError:
            raise
        except OSError:
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            finished.replace(place)


def numbered(place: Path) -> Iterator[Path]:
    """Yield a name, then the same with ``-2``, ``-3`` and so on."""
    yield place
    count = 2
    while True:
        yield place.with_name(f"{place.name}-{count}")
        count += 1


def claim_next(finished: Path, place: Path) -> Path:
    """Give a finished folder its name, or the first of ``...-2``, ``...-3`` that is free, and return it."""
    for name in numbered(place):
        try:
            claim(finished, name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("unreachable: there is always a next number")


def check_place(place: Path, shown: Path | None = None) -> None:
    """Refuse a place where nothing can be made, by making the same names in a hidden folder beside it for a moment.

    One block is written there too, which a full disk refuses.

    An error calls it ``shown``.

    Raises RunError where a folder above it is missing and cannot be made, or the disk is full or does not take the
    name.
    """
    name, place = str(shown or place), place.absolute()
    above = next(path for path in [place.parent, *place.parents] if os.path.lexists(path))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise RunError(name, [f"cannot be written: {above} is not a folder that you may write to"])
    if len(place.relative_to(above).parts) > MOST_FOLDERS:
        raise RunError(name, [f"cannot be written: more than {MOST_FOLDERS} folders in one another are not made"])
    with Interruptions() as interruptions:
        trial = Partial(above / "trial")
        try:
            trial.path.mkdir()
            inside = trial.path / place.relative_to(above)
            inside.with_name(f"{inside.name}-99").mkdir(parents=True)
            (trial.path / "block").write_bytes(bytes(BLOCK))
        except OSError as error:
            raise RunError(name, [f"cannot be written ({error.strerror or error})"]) from error
        finally:
            interruptions.hold = True
            trial.remove()


def check_file(path: Path, *, overwrite: bool, read: Path | None = None) -> None:
    """Refuse a file's place before any work is done.

    Raises RunError where it is a folder, the file that is ``read``, exists and ``overwrite`` is False, is a link to a
    file of another kind, its folder does not exist, or nothing can be written.
    """
    if os.path.isdir(path):
        raise RunError(str(path), ["is a folder; name a file"])
    if os.path.lexists(path):
        if not overwrite:
            raise RunError(str(path), ["exists already; name another file, or add --overwrite"])
        if read is not None and os.path.realpath(path) == os.path.realpath(read):
            raise RunError(str(path), ["is the file that is read; it is not replaced, name another file"])
        if not os.path.isfile(path):
            raise RunError(str(path), ["exists already and is no plain file; it is not replaced"])
    real = Path(os.path.realpath(path))
    if os.path.islink(path) and path.suffix and real.suffix.lower() not in ("", path.suffix.lower()):
        raise RunError(str(path), [f"is a link to {real}, a file of another kind; it is not replaced"])
    if not os.path.isdir(real.parent):  # Path.is_dir raises where a path is too long
        raise RunError(str(path), [f"cannot be written ({real.parent} is not a folder)"])
    check_place(real, path)


class WholeFile:
    """Write a file under a hidden name; it takes its own when the block ends well.

    Raises RunError as `check_file`, or where the disk cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path, self.overwrite = path, overwrite

    def __enter__(self) -> Path:
        check_file(self.path, overwrite=self.overwrite)
        self._real = Path(os.path.realpath(self.path))  # what a link points at is replaced, and not the link
        self._partial = Partial(self._real)
        self._interruptions = Interruptions().__enter__()
        return self._partial.path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._interruptions.hold = True
        try:
            if error is None and not self._interruptions.pending:
                if self.overwrite:
                    self._partial.path.replace(self._real)
                else:
                    claim(self._partial.path, self._real)
        except FileExistsError as taken:
            raise RunError(str(self.path), ["exists by now; name another file, or add --overwrite"]) from taken
        except OSError as refused:
            raise RunError(str(self.path), [f"cannot be written ({refused.strerror or refused})"]) from refused
        finally:
            self._partial.remove()
            self._interruptions.__exit__()
        if isinstance(error, OSError):
            raise RunError(str(self.path), [f"cannot be written ({error.strerror or error})"]) from error


def write_whole(path: Path, content: str | bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all.

    Raises RunError as `WholeFile`.
    """
    with WholeFile(path, overwrite=overwrite) as partial:
        partial.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
