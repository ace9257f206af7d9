"""A finished run, read back from its folder."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_sp.errors import RunError
from bayes_sp.names import ALONE
from bayes_sp.report.folders.run import POSTERIOR_FILE, RUN_FILE
from bayes_sp.report.folders.sealed import CHECKSUM, changed_files, is_sealed
from bayes_sp.safe_text import restored
from bayes_sp.shown import Part, Shown, short

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TABLES = ("effects", "comparison", "diagnostics", "bootstrap")
LATER_TABLES = ("coefficients", "pooled", "members")  # which runs of earlier versions, or of one set, do not have
SHOWN = ("path", "scale", "median", "lower", "upper", "prob_negative")
EMPTY_TEXTS = ("decomposition", "reasons", "boundaries")  # columns whose empty cells are texts, not missing numbers


@dataclass(frozen=True, eq=False, repr=False)
class Run(Shown):
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
    coefficients
        The table of every equation's parameters; None for a run of a version that did not write it.
    pooled, members
        Of several sets of records: variances within and between them, and each set's effects; None for one set.
    """

    folder: Path
    info: dict[str, Any]
    posterior: xr.DataTree
    effects: pd.DataFrame
    comparison: pd.DataFrame
    diagnostics: pd.DataFrame
    bootstrap: pd.DataFrame
    coefficients: pd.DataFrame | None = None
    pooled: pd.DataFrame | None = None
    members: pd.DataFrame | None = None

    def _shown(self) -> tuple[str, list[Part]]:
        data, verdict = (found if isinstance(found := self.info.get(key), dict) else {} for key in ("data", "verdict"))
        source = data.get("source", "")
        held = "can be used" if verdict.get("trustworthy") else "MUST NOT BE USED"
        head = f"{self.folder}: {self.info.get('model', '')}, {source}; seed {self.info.get('seed', '')}; {held}"
        rows = self.effects[self.effects["decomposition"] != ALONE]
        return head, [short(rows, SHOWN, rows=len(rows))]


def read_run(folder: str | Path) -> Run:
    """Read a finished run.

    Raises RunError naming every file that is missing, cannot be read, or is not as the run wrote it.
    """
    import pandas as pd
    import xarray as xr

    folder = Path(os.path.expanduser(folder))  # Path.expanduser raises for an unknown user
    if not os.path.isdir(folder):
        what = "is a file; name the folder of a run" if os.path.exists(folder) else "there is no such folder"
        raise RunError(str(folder), [what])
    needed = [RUN_FILE, POSTERIOR_FILE, *(f"{name}.csv" for name in TABLES)]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise RunError(str(folder), [f"is not a finished run: {name} is missing" for name in missing])
    tables: dict[str, pd.DataFrame] = {}
    name = RUN_FILE
    try:
        info = tomllib.loads((folder / name).read_text(encoding="utf-8"))
        _check_seal(folder, info)
        for table in (*TABLES, *(later for later in LATER_TABLES if (folder / f"{later}.csv").is_file())):
            name = f"{table}.csv"
            found = pd.read_csv(folder / name, dtype=dict.fromkeys(EMPTY_TEXTS, str))
            tables[table] = restored(found.fillna(dict.fromkeys(EMPTY_TEXTS, "")))
        name = POSTERIOR_FILE
        posterior = xr.load_datatree(folder / name, engine="h5netcdf")
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(str(folder), [f"{name} cannot be read ({error})"]) from error
    return Run(folder, info, posterior, **tables)


def _check_seal(folder: Path, info: dict[str, Any]) -> None:
    """Refuse files that are not as the run wrote them; runs of earlier versions have no checksum."""
    if CHECKSUM not in info:
        return
    if not is_sealed(info):
        raise RunError(str(folder), [f"{RUN_FILE} is not as the run wrote it; fit again"])
    if changed := changed_files(folder, info):
        raise RunError(str(folder), [f"{name} is missing, or not as the run wrote it; fit again" for name in changed])
