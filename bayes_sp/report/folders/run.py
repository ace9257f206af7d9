"""One folder a run: written to a hidden sibling and renamed when whole, so nothing half-written looks finished."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bayes_sp.endings import Interruptions
from bayes_sp.errors import RunError
from bayes_sp.files import Partial, check_place, claim_next, numbered, remove_abandoned, remove_empty

RUN_FILE = "run.toml"
POSTERIOR_FILE = "posterior.nc"
FILES_KEY = "files"  # in run.toml: the names of what the run wrote
EARLIER_FILES = (
    RUN_FILE, POSTERIOR_FILE, "summary.txt", "effects.csv", "comparison.csv", "diagnostics.csv", "bootstrap.csv",
    "interventional.csv", "reconstructions.csv", "records.csv", "predictive.csv", "loo.csv", "influence.csv",
    "paths.png", "comparison.png", "predictive.png", "loo_pit.png", "influence.png", "findings.csv",
    "power_scaling.*", "overlap.csv", "prior_grid.*", "prior_tipping.csv", "named_priors.png", "kappa.*",
    "kappa_band.csv", "e_values.csv", "confounding.csv", "confounding.png", "confounding_tipping.csv",
    "confounding_multiples.csv", "confounding-*.nc", "covariate_strengths.csv", "attrition.*",
)  # fmt: skip  # of runs whose run.toml has no list
OF_THE_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")  # put into any folder that is looked at
LONGEST_NAME = 80  # of a specification, in the name of a folder


def default_folder(model: str, digest: str, seed: int, root: Path = Path("runs")) -> Path:
    """Return ``runs/<model>-<data digest>-<seed>``, or the first of ``...-2``, ``...-3`` that is free."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", model)[:LONGEST_NAME]
    return next(place for place in numbered(root / f"{name}-{digest[:8]}-{seed}") if not os.path.lexists(place))


@dataclass(frozen=True)
class Destination:
    """Where a run is going to stand, as the place was when it was checked."""

    folder: Path  # as it was named
    real: Path  # the same without symbolic links
    # Device and number of the folder that stands there and is to be replaced; None where nothing stands there.
    replaces: tuple[int, int] | None = None


def check_destination(folder: Path, *, overwrite: bool) -> Destination:
    """Refuse a destination before any work is done.

    Raises RunError where it exists and may not be replaced, is not a run's folder, holds files that no run wrote, is a
    link that points nowhere, or cannot be written.
    """
    real = Path(os.path.realpath(folder))
    if not os.path.lexists(folder):
        check_place(real, folder)
        return Destination(folder, real)
    if not os.path.exists(real):
        raise RunError(str(folder), [f"is a link to {os.readlink(folder)}, which does not exist; remove the link"])
    if not overwrite:
        raise RunError(str(folder), ["exists already; name another folder with --out, or add --overwrite"])
    if not real.is_dir() or (any(real.iterdir()) and not (real / RUN_FILE).is_file()):
        raise RunError(str(folder), [f"is not the folder of a run (it has no {RUN_FILE}); it is not replaced"])
    if strangers := _strangers(real):
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        advice = "move what is yours, or name another folder; it is not replaced"
        raise RunError(str(folder), [f"holds {strangers[0]}{more}, which the run in it did not write; {advice}"])
    check_place(real, folder)
    return Destination(folder, real, _identity(real))


def _as_named(found: Path, destination: Destination) -> Path:
    """Return a run's folder in the words of its destination, where these lead to it."""
    if found == destination.real:
        return destination.folder
    beside = destination.folder.with_name(found.name)
    return beside if os.path.realpath(beside) == str(found) else found


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _strangers(folder: Path) -> list[str]:
    """Return the names in a folder that its run did not write."""
    entries = [entry for entry in os.scandir(folder) if entry.name not in OF_THE_SYSTEM]
    if not entries:
        return []
    try:
        info = tomllib.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        info = {}
    if "bayes_sp" not in info:
        return [f"a {RUN_FILE} that is not a run's"]
    listed = info.get(FILES_KEY, EARLIER_FILES)
    patterns = listed if listed is EARLIER_FILES else [re.sub(r"([\[*?])", r"[\1]", str(name)) for name in listed]
    return sorted(
        entry.name for entry in entries
        if not entry.is_file(follow_symlinks=False) or not any(fnmatch.fnmatchcase(entry.name, one) for one in patterns)
    )  # fmt: skip


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process take names in a folder; without that, two that replace one run could move each other's away.

    The system lets go of the lock where a process dies; a disk or system without locks has none.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class RunFolder:
    """A run's folder: written under a hidden name, it takes its own when the ``with`` block ends well.

    A block that raises, or is interrupted, leaves nothing. What a killed process leaves is a hidden folder that the
    next run with the same destination removes. The work behind a run is never lost to another run: where the name is
    taken meanwhile, or what is to be replaced is no longer what was there, the run takes the next free name, ``...-2``.

    ``destination`` is a folder, or what `check_destination` returned before the work began; ``overwrite`` replaces the
    run in it. ``folder`` is where the run stands when the block has ended, ``names`` are the files that were written,
    in order. Raises RunError as `check_destination`, or where the disk cannot be written.
    """

    def __init__(self, destination: Path | Destination, *, overwrite: bool = False) -> None:
        if not isinstance(destination, Destination):
            destination = check_destination(destination, overwrite=overwrite)
        self._destination = destination
        self.folder, self.names = self._destination.folder, list[str]()
        self._interruptions = Interruptions()

    def file(self, name: str) -> Path:
        """Return where a file of the run is to be written."""
        self._interruptions.check()
        self.names.append(name)
        return self.path(name)

    def path(self, name: str) -> Path:
        """Return where a file of the run stands while the run is written."""
        return self._partial.path / name

    def __enter__(self) -> Self:
        real = self._destination.real
        self._made = [folder for folder in real.parents if not folder.exists()]
        self._partial, self._replaced, self._done = Partial(real, made=self._made), Partial(real, old=True), False
        self._interruptions.__enter__()
        with contextlib.ExitStack() as undone:
            undone.callback(self._end)
            try:
                real.parent.mkdir(parents=True, exist_ok=True)
                remove_abandoned(real)
                self._partial.path.mkdir()
            except OSError as error:
                raise self._refused(error) from error
            undone.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._interruptions.hold = True
        try:
            if error is None and not self._interruptions.pending:
                with _one_at_a_time(self._destination.real.parent):
                    self._take_name()
        except OSError as refused:
            raise self._refused(refused) from refused
        finally:
            self._end()
        if isinstance(error, OSError):
            raise self._refused(error) from error

    def _take_name(self) -> None:
        real, old = self._destination.real, self._replaced.path
        if self._destination.replaces is not None and self._destination.replaces == _identity(real):
            with contextlib.suppress(FileNotFoundError):  # another process has just moved it away
                real.rename(old)
        if old.exists() and (self._destination.replaces != _identity(old) or _strangers(old)):
            claim_next(old, real)  # it is not what was to be replaced
        try:
            found = claim_next(self._partial.path, real)
        except OSError:
            if old.exists():
                claim_next(old, real)
            raise
        self._done = True
        self.folder = _as_named(found, self._destination)

    def _end(self) -> None:
        self._interruptions.hold = True
        self._partial.remove()
        if self._done:
            self._replaced.remove()
        else:
            remove_empty(self._made)
        self._interruptions.__exit__()

    def _refused(self, error: OSError) -> RunError:
        return RunError(str(self._destination.folder), [f"cannot be written ({error.strerror or error})"])
