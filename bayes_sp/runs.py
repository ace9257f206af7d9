"""One folder a run: written to a temporary sibling and renamed when whole, so nothing half-written looks finished."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_sp.errors import RunError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RUN_FILE = "run.toml"
POSTERIOR_FILE = "posterior.nc"
TABLES = ("effects", "comparison", "diagnostics", "bootstrap")
EMPTY_TEXTS = ("decomposition", "reasons")  # columns of tables whose empty cells are texts, not missing numbers


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run as read back from its folder.

    Attributes
    ----------
    folder
        Where it stands.
    info
        ``run.toml``: specification as used, data digest, seed, options, versions, stage times, verdict.
    posterior
        Groups ``posterior`` and ``sample_stats``.
    effects, comparison, diagnostics, bootstrap
        The tables.
    """

    folder: Path
    info: dict[str, Any]
    posterior: xr.DataTree
    effects: pd.DataFrame
    comparison: pd.DataFrame
    diagnostics: pd.DataFrame
    bootstrap: pd.DataFrame


def read_run(folder: str | Path) -> Run:
    """Read a finished run.

    Raises
    ------
    RunError
        Naming every file that is missing or cannot be read.
    """
    import pandas as pd
    import xarray as xr

    folder = Path(os.path.expanduser(folder))  # Path.expanduser raises for an unknown user
    if not folder.is_dir():
        raise RunError(str(folder), ["there is no such folder"])
    needed = [RUN_FILE, POSTERIOR_FILE, *(f"{name}.csv" for name in TABLES)]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise RunError(str(folder), [f"is not a finished run: {name} is missing" for name in missing])
    tables: dict[str, pd.DataFrame] = {}
    name = RUN_FILE
    try:
        info = tomllib.loads((folder / name).read_text(encoding="utf-8"))
        for table in TABLES:
            name = f"{table}.csv"
            found = pd.read_csv(folder / name, dtype=dict.fromkeys(EMPTY_TEXTS, str))
            tables[table] = found.fillna(dict.fromkeys(EMPTY_TEXTS, ""))
        name = POSTERIOR_FILE
        posterior = xr.load_datatree(folder / name, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise RunError(str(folder), [f"{name} cannot be read ({error})"]) from error
    return Run(folder, info, posterior, **tables)


def default_folder(model: str, digest: str, seed: int, root: Path = Path("runs")) -> Path:
    """Return ``runs/<model>-<data digest>-<seed>``, or the first of ``...-2``, ``...-3`` that is free."""
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', model)}-{digest[:8]}-{seed}"
    folder, count = root / stem, 1
    while folder.exists():
        count += 1
        folder = root / f"{stem}-{count}"
    return folder


def check_destination(folder: Path, *, overwrite: bool) -> None:
    """Refuse a destination before any work is done.

    Raises
    ------
    RunError
        Where it exists and may not be replaced, or is not a run's folder.
    """
    if folder.exists() and not overwrite:
        raise RunError(str(folder), ["exists already; name another folder with --out, or add --overwrite"])
    if folder.exists() and not (folder / RUN_FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(str(folder), [f"is not the folder of a run (it has no {RUN_FILE}); it is not replaced"])
    parent = next(path for path in [folder.absolute().parent, *folder.absolute().parents] if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise RunError(str(folder), [f"cannot be written: {parent} is not a folder that you may write to"])


@contextmanager
def run_folder(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling of ``folder`` to write into; it takes the folder's name when the block ends well.

    A block that raises, or is interrupted, leaves nothing. What a killed process leaves is a hidden folder
    ``.<name>.partial-<process>`` that the next run with the same destination removes.

    Raises
    ------
    RunError
        As `check_destination`, or where the disk cannot be written.
    """
    check_destination(folder, overwrite=overwrite)
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    replaced = folder.with_name(f".{folder.name}.partial-old-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(replaced)
        partial.rename(folder)
    except OSError as error:
        raise RunError(str(folder), [f"cannot be written ({error.strerror or error})"]) from error
    finally:
        if replaced.exists() and not folder.exists():
            replaced.rename(folder)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left of the same destination."""
    start = f".{folder.name}.partial-"
    for left in [folder.parent / name for name in os.listdir(folder.parent) if name.startswith(start)]:
        process = left.name.rpartition("-")[2]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Whether another process has this number; our own can only stand on what an earlier one left."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_whole(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text file whole or not at all.

    Raises
    ------
    RunError
        Where it exists and ``overwrite`` is False, or cannot be written.
    """
    if path.is_dir():
        raise RunError(str(path), ["is a folder; name a file"])
    if path.exists() and not overwrite:
        raise RunError(str(path), ["exists already; name another file, or add --overwrite"])
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise RunError(str(path), [f"cannot be written ({error.strerror or error})"]) from error
    finally:
        partial.unlink(missing_ok=True)
