"""What the files of a folder disclose of patients: each is opened, and its content looked at."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_sp.errors import RunError
from bayes_sp.names import KEEPS_RECORDS, LEAST_COUNT, NUMBERED
from bayes_sp.report.folders.run import RUN_FILE
from bayes_sp.report.text.layout import wrapped

PATIENTS = "patients"  # column with numbers of patients
ENDS = ("minimum", "maximum")
ROW_OF_FILE = re.compile(r"\b(?:rows?|cases?) \d+", re.IGNORECASE)
DRAWS = ("chain", "draw")
SHOWN = 6
BY_PATIENT = re.compile(r"(?:^|_)(?:patients?|persons?|obs|obs_id|rows?|records?|observed)(?:$|_)", re.IGNORECASE)


@dataclass(frozen=True)
class _Run:
    """How many records a run had, 0 where nothing says it, and which of their columns are groups."""

    records: int
    groups: frozenset[str]


@dataclass(frozen=True)
class Disclosed:
    """What one file holds, and what of it goes patient by patient or names few of them."""

    path: str  # the file, from the folder on
    holds: str  # what it is, in words
    findings: tuple[str, ...]  # what it discloses, one sentence each; () for nothing found


def disclosed(folder: Path) -> list[Disclosed]:
    """Return what every file of a folder, and of the folders in it, discloses.

    Raises RunError where there is no such folder, or nothing in it.
    """
    if not os.path.isdir(folder):
        raise RunError(str(folder), ["there is no such folder"])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise RunError(str(folder), ["holds no file"])
    return [_looked_at(path, folder, _run_of(path)) for path in files]


def disclosed_text(found: list[Disclosed]) -> str:
    """Return what ``inspect`` prints."""
    lines = []
    for one in found:
        lines += wrapped(f"{one.path}: {one.holds}", rest="    ", margin="")
        lines += [line for finding in one.findings for line in wrapped(finding, "! ", "  ", margin="    ")]
    loud = [one.path for one in found if one.findings]
    what = (
        f"Look at {', '.join(loud)} before you share it." if loud else "Nothing that goes patient by patient was found."
    )
    return "\n".join([*lines, "", *wrapped(what, margin="")]) + "\n"


def _run_of(path: Path) -> _Run:
    """Return what the run says of itself that a file belongs to."""
    try:
        info = tomllib.loads((path.parent / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return _Run(0, frozenset())
    data = info.get("data", {})
    number = data.get("records", 0) if isinstance(data, dict) else 0
    return _Run(number if isinstance(number, int) else 0, frozenset(_grouping(info)))


def _grouping(tables: object) -> Iterator[str]:
    """Yield the columns of groups that a specification within some tables names."""
    if isinstance(tables, dict):
        yield from (str(value) for key, value in tables.items() if key == "varying")
        tables = list(tables.values())
    if isinstance(tables, list):
        for each in tables:
            yield from _grouping(each)


def _looked_at(path: Path, folder: Path, run: _Run) -> Disclosed:
    name, suffix = path.relative_to(folder).as_posix(), path.suffix.lower()
    try:
        if suffix == ".csv":
            holds, findings = _table(path, run.records)
        elif suffix in (".nc", ".h5"):
            holds, findings = _arrays(path, run)
        elif suffix == ".toml":
            holds, findings = _settings(path)
        elif suffix == ".png" or (suffix in (".svg", ".pdf") and _is_drawn(path)):
            holds, findings = _figure(path)
        elif suffix in (".txt", ".md", ".html", ".json"):
            holds, findings = _text(path)
        else:
            holds, findings = "a file of a kind that is not looked into", ["nothing is known of what it holds"]
    except (OSError, ValueError, RecursionError) as error:
        holds, findings = "a file that cannot be read", [f"nothing is known of what it holds ({error})"]
    return Disclosed(name, holds, tuple(findings))


def _table(path: Path, records: int) -> tuple[str, list[str]]:
    table = pd.read_csv(path)
    findings = []
    if records and len(table) == records:
        findings.append(f"{len(table)} rows, one for each record: {_some(table.columns)}")
    if "row" in table:
        findings.append("names rows of the records' file")
    if PATIENTS in table:
        few = table[PATIENTS].dropna()
        small = int(((few > 0) & (few < LEAST_COUNT)).sum())
        findings += [f"{small} counts of fewer than {LEAST_COUNT} patients"] if small else []
        if records:
            rest = records - few
            hidden = int(((rest > 0) & (rest < LEAST_COUNT)).sum())
            findings += [f"{hidden} counts of all but fewer than {LEAST_COUNT} patients"] if hidden else []
    if {"statistic", "observed"} <= set(table.columns):
        findings += _checks(table)
    return f"{len(table)} rows of {_some(table.columns)}", findings


def _checks(table: pd.DataFrame) -> Iterator[str]:
    """Yield what a table of observed statistics tells of few patients."""
    ends = table[table["statistic"].isin(ENDS)]["observed"].notna().sum()
    if ends:
        yield f"{ends} smallest or largest values, each of a single patient"
    shares = table[table["statistic"].str.startswith("share of ") & table["observed"].notna()]
    if PATIENTS in table:
        counts = shares["observed"] * shares[PATIENTS]
        few = int((counts.round() < LEAST_COUNT).sum())
        if few:
            yield f"{few} shares that stand for fewer than {LEAST_COUNT} patients"


def _arrays(path: Path, run: _Run) -> tuple[str, list[str]]:
    tree = xr.load_datatree(path, engine="h5netcdf")
    findings = []
    if tree.attrs.get(KEEPS_RECORDS):
        findings.append(f"says of itself that it holds patients' records ({KEEPS_RECORDS})")
    sizes: dict[str, int] = {}
    for node in tree.subtree:
        data = node.to_dataset(inherit=False)
        sizes |= {str(name): int(size) for name, size in data.sizes.items()}
        for name, array in data.data_vars.items():
            by = [
                str(d) for d in array.dims if d not in DRAWS and _goes_by_patient(str(d), array.sizes[d], run.records)
            ]
            if by:
                findings.append(f"{node.path}/{name}: a value for each of {array.sizes[by[0]]} patients ({by[0]})")
        for name, coordinate in data.coords.items():
            if str(name) in run.groups and not coordinate.attrs.get(NUMBERED):
                words = [str(label) for label in coordinate.to_numpy()]
                findings.append(f"{node.path}/{name}: names of {len(words)} groups: {_some(words)}")
    return f"arrays over {_some(f'{name} ({size})' for name, size in sizes.items())}", findings


def _goes_by_patient(dimension: str, size: int, records: int) -> bool:
    return BY_PATIENT.search(dimension) is not None or (records > 0 and size == records)


def _settings(path: Path) -> tuple[str, list[str]]:
    info = tomllib.loads(path.read_text(encoding="utf-8"))
    findings = []
    privacy = info.get("privacy", {})
    if isinstance(privacy, dict) and privacy.get(KEEPS_RECORDS):
        findings.append("the run was saved with its patients' records")
    data: Any = info.get("data", {})
    said = f"; data: {data['source']}, by their digest" if isinstance(data, dict) and "source" in data else ""
    return f"settings ({_some(info)}){said}", findings


def _is_drawn(path: Path) -> bool:
    """Whether a file in lines says of itself that matplotlib drew it."""
    content = path.read_bytes()
    return content.startswith((b"%PDF", b"<?xml")) and b"Matplotlib" in content


def _figure(path: Path) -> tuple[str, list[str]]:
    kind = "a point or line for each patient" if path.stem == "influence" else ""
    if path.suffix.lower() != ".png":
        return "a picture in lines, which no program reads", [kind] if kind else []
    from matplotlib.image import imread

    height, width = imread(path).shape[:2]
    return f"a picture of {width} x {height} dots, which no program reads", [kind] if kind else []


def _text(path: Path) -> tuple[str, list[str]]:
    text = path.read_text(encoding="utf-8")
    rows = sorted({found.group().casefold() for found in ROW_OF_FILE.finditer(text)})
    return f"{len(text.splitlines())} lines", [f"names rows of the records' file: {_some(rows)}"] if rows else []


def _some(names: Any) -> str:  # noqa: ANN401 - anything with names
    words = [str(name) for name in names]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more
