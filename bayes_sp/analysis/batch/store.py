"""Answers kept by content: one small JSON file for each cell, written whole, believed only where it is sound."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Cell
from bayes_sp.errors import RunError
from bayes_sp.files import check_place, write_whole
from bayes_sp.model.reading.write import digest


class Store:
    """A folder of answers.

    A file is named after its cell's key. It holds what the key is made of, the answer, and a checksum; no record of the
    survey. A file that is damaged, or that another program wrote, counts as absent and is replaced. The folder is made
    with the first answer, where it does not exist; RunError says that it cannot be made or written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(os.path.expanduser(folder))  # Path.expanduser raises for an unknown user
        if not os.path.lexists(self.folder):
            check_place(self.folder)
        elif not os.path.isdir(self.folder) or not os.access(self.folder, os.W_OK | os.X_OK):
            raise RunError(str(self.folder), ["is not a folder that you may write to; name another"])
        else:
            check_place(self.folder / "answer.json")

    def path(self, cell: Cell) -> Path:
        """Return where a cell's answer is kept."""
        return self.folder / f"{cell.key}.json"

    def get(self, cell: Cell) -> Answer | None:
        """Return a cell's answer, equal to the last bit to the one that was kept; None where there is none."""
        try:
            kept = json.loads(self.path(cell).read_text(encoding="utf-8"))
            sound = kept["checksum"] == digest(kept["answer"]) and kept["cell"] == json.loads(json.dumps(cell.content))
            return _answer(cell.key, kept["answer"]) if sound else None
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
            return None

    def put(self, cell: Cell, answer: Answer) -> None:
        """Keep a cell's answer.

        Raises RunError where it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(str(self.folder), [f"cannot be made ({error.strerror or error})"]) from error
        content = _content(answer)
        kept = {"cell": cell.content, "answer": content, "checksum": digest(content)}
        write_whole(self.path(cell), json.dumps(kept, indent=1, allow_nan=False), overwrite=True)


def _content(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON can hold it: a column of the table is its type and its cells."""
    columns = [
        {"name": str(name), "type": str(column.dtype), "cells": [_written(cell) for cell in column.tolist()]}
        for name, column in answer.table.items()
    ]
    return {
        "table": columns,
        "trustworthy": answer.trustworthy,
        "reasons": list(answer.reasons),
        "seconds": answer.seconds,
    }


def _answer(key: str, content: dict[str, Any]) -> Answer:
    columns = {
        column["name"]: pd.Series([_read(cell) for cell in column["cells"]], dtype=column["type"])
        for column in content["table"]
    }
    table, reasons = pd.DataFrame(columns), tuple(content["reasons"])
    return Answer(key, table, content["trustworthy"], reasons, content["seconds"])


def _written(cell: object) -> object:
    """Return a cell of a table as JSON can hold it; a number that is not finite becomes its name in a list.

    Python writes the shortest digits that read back as the same float.
    """
    if isinstance(cell, float) and not math.isfinite(cell):
        sign = "-" if math.copysign(1.0, cell) < 0 else ""
        return [sign + str(abs(cell))]
    if not isinstance(cell, str | bool | int | float):
        raise TypeError(f"a table's cell is {type(cell).__name__}; text, numbers and truth values can be kept")
    return cell


def _read(cell: Any) -> object:  # noqa: ANN401 - what JSON holds
    return float(cell[0]) if isinstance(cell, list) else cell
