"""Simulations in chunks: on worker processes, with their rows kept in a folder so that the next start goes on."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.analysis.batch.processes import Processes, usable_processors
from bayes_sp.errors import RunError
from bayes_sp.files import check_place, write_whole

CHUNK = 10  # simulations that a worker is given at a time

type Row = dict[str, Any]


def run_chunks[T](
    run: Callable[..., list[Row]], todo: Sequence[T], workers: int | None, *arguments: object
) -> Iterator[list[Row]]:
    """Yield the rows of some simulations as they are done: ``run(some, *arguments)``, which a module must name.

    A module must name ``run``, which also takes ``arguments``; one process (``workers``) runs everything here.
    """
    chunks = [todo[start : start + CHUNK] for start in range(0, len(todo), CHUNK)]
    count = min(workers or usable_processors(), len(chunks))
    if count <= 1:
        for chunk in chunks:
            yield run(chunk, *arguments)
        return
    with Processes(count) as processes:
        left: set[Future[Any]] = {processes.submit(run, chunk, *arguments) for chunk in chunks}
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


@dataclass(frozen=True)
class KeptRows:
    """Rows of simulations in a folder, beside what they depend on."""

    folder: Path  # made where it is not there
    name: str  # of the files: ``<name>.csv`` and ``<name>.json``
    identity: dict[str, Any]  # everything that a row depends on, but for its own number, as JSON has it

    def read(self) -> list[Row]:
        """Return the rows that are there, empty cells as ''.

        Raises RunError where the folder holds other files, rows of something else, or files that are not as they were
        written.
        """
        place, rows = self.folder / f"{self.name}.json", self.folder / f"{self.name}.csv"
        if not os.path.exists(place):
            if os.path.lexists(self.folder) and (not os.path.isdir(self.folder) or any(self.folder.iterdir())):
                raise RunError(str(self.folder), ["holds other files; name an empty or a new folder"])
            check_place(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(place, json.dumps(self.identity, indent=1))
            return []
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
            differ = [key for key in self.identity if found.get(key) != self.identity[key]]
            kept = pd.read_csv(rows, keep_default_na=False).to_dict("records") if rows.exists() else []
        except (ValueError, AttributeError) as error:
            raise self.broken() from error
        if differ:
            reason = f"holds simulations of another {', '.join(differ)}; name another folder"
            raise RunError(str(self.folder), [reason])
        return [{str(name): value for name, value in row.items()} for row in kept]

    def broken(self) -> RunError:
        """Return the error of rows that cannot be read."""
        return RunError(str(self.folder), [f"{self.name}.csv is not as it was written; name another folder"])

    def write(self, rows: Sequence[Row]) -> None:
        """Write all rows so far."""
        text = io.StringIO()
        pd.DataFrame(rows).to_csv(text, index=False)
        write_whole(self.folder / f"{self.name}.csv", text.getvalue(), overwrite=True)
