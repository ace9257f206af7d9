"""Files of every format that is read, and ways in which they break."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
from hypothesis import strategies as st

from bayes_sp.cli.main import main
from bayes_sp.cli.statuses import OK, USER_MISTAKE
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel

FORMATS = (".csv", ".tsv", ".xlsx", ".sav", ".dta", ".parquet")
ODD = ("utf-16", "utf-16-be", "utf-7", "cp1252", "cp037", "shift_jis", "utf-32", "utf-8-sig")
CELLS = ("1,5", "1e400", "-", "NaN", "99999999999999999", "=1+1", "\ud800", "0x10", "1_000", "\uff11")
NAMED = re.compile(
    r"(?:row|case|line|byte) \d|column \"|is (?:empty|no|not)|cannot be read|encod|no row of values|holds"
)
SHORTEST = 4  # of the bytes of a file


def sound_files(folder: Path, frame: pd.DataFrame) -> dict[str, bytes]:
    """Return the content of a file of each format with these records."""
    files = {".csv": frame.to_csv(index=False).encode(), ".tsv": frame.to_csv(index=False, sep="\t").encode()}
    for suffix, write in (
        (".xlsx", lambda path: frame.to_excel(path, index=False)),
        (".sav", lambda path: pyreadstat.write_sav(frame, path)),
        (".dta", lambda path: pyreadstat.write_dta(frame, path)),
        (".parquet", frame.to_parquet),
    ):
        write(str(folder / f"sound{suffix}"))
        files[suffix] = (folder / f"sound{suffix}").read_bytes()
    return files


@st.composite
def cut(draw: st.DrawFn, content: bytes) -> bytes:
    """Return the beginning of a file."""
    return content[: draw(st.integers(SHORTEST, len(content) - 1))]


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a file with some bytes changed, taken out or put in."""
    found = bytearray(content)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(found) - 1))
        kind = draw(st.sampled_from(("change", "drop", "add")))
        if kind == "change":
            found[at] = draw(st.integers(0, 255))
        elif kind == "drop":
            del found[at : at + draw(st.integers(1, 40))]
        else:
            found[at:at] = draw(st.binary(min_size=1, max_size=20))
        found = found or bytearray(content)
    return bytes(found)


@st.composite
def text_mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a text file with rows of other widths, cells that are none, or in another encoding."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    separator = draw(st.sampled_from((",", ";", "\t", "|")))
    for _ in range(draw(st.integers(1, 5))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        at = draw(st.integers(0, max(len(row) - 1, 0)))
        kind = draw(st.sampled_from(("cell", "add", "drop", "blank", "quote")))
        if kind == "cell" and row:
            row[at] = draw(
                st.one_of(st.text(max_size=8), st.sampled_from(("1,5", "1e400", "-", "NaN", "99999999999999999")))
            )
        elif kind == "add":
            row.insert(at, draw(st.text(max_size=4)))
        elif kind == "drop" and row:
            del row[at]
        elif kind == "blank":
            row.clear()
        elif row:
            row[at] = f'"{row[at]}'
    text = draw(st.sampled_from(("\n", "\r\n", "\r"))).join(separator.join(row) for row in rows)
    return text.encode(draw(st.sampled_from(("utf-8", *ODD))), "replace")


def broken(files: dict[str, bytes]) -> st.SearchStrategy[tuple[str, bytes]]:
    """Return broken files with the ends of their names."""

    def of(suffix: str) -> st.SearchStrategy[tuple[str, bytes]]:
        ways = [cut(files[suffix]), mutated(files[suffix])]
        ways += [text_mutated(files[".csv"])] * 2 if suffix in (".csv", ".tsv") else []
        return st.tuples(st.just(suffix), st.one_of(ways))

    return st.sampled_from(FORMATS).flatmap(of)


def check(folder: Path, model: PathModel, suffix: str, content: bytes, records: pd.DataFrame) -> str:
    """Read a broken file: it is refused with words that name it, or its records fit the specification.

    Returns
    -------
    str
        ``refused`` or ``read``.
    """
    path = folder / f"broken{suffix}"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            survey = read_survey(path, model)
        except SurveyError as error:
            unnamed = [problem for problem in error.problems if not NAMED.search(problem)]
            assert error.problems and not unnamed, unnamed  # noqa: PT017, PT018 - what is said is looked at
            return "refused"
    for name in model.columns:
        values = survey.records[name].to_numpy(dtype=float, na_value=np.nan)
        assert not np.isinf(values).any(), name
        variable, known = model.variable(name), values[~np.isnan(values)]
        if variable.kind in ("integer", "count", "binary"):
            assert (known == np.round(known)).all(), name
        assert variable.minimum is None or (known >= variable.minimum).all(), name
        assert variable.maximum is None or (known <= variable.maximum).all(), name
    return "read"


def on_the_command_line(folder: Path, suffix: str, content: bytes, capsys_like: Callable[[], str]) -> int:
    """Draft from a broken file: a status of the command line, and nothing written where it is no success."""
    path, out = folder / f"broken{suffix}", folder / "out.toml"
    path.write_bytes(content)
    out.unlink(missing_ok=True)
    before = set(folder.iterdir())
    names = ["--exposure", "walks", "--mediators", "mood", "--outcome", "visits"]
    with warnings.catch_warnings(record=True):
        status = main(["draft", str(path), *names, "--out", str(out)])
    said = capsys_like()
    assert status in (OK, USER_MISTAKE)
    assert "Traceback" not in said
    if status == USER_MISTAKE:
        assert said.startswith("bayes_sp: ")
        assert set(folder.iterdir()) == before
    return status
