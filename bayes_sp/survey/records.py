"""A survey: one row for each patient, one column for each variable, and where the rows come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Origin = Literal["file", "memory", "reconstruction", "simulation"]

RECONSTRUCTED = "reconstructed from published moments"


@dataclass(frozen=True, eq=False)
class Survey:
    """Records of a survey, with their origin.

    Attributes
    ----------
    records
        One row for each patient, one numeric column for each variable; no missing cells.
    origin
        ``"file"``, ``"memory"``, ``"reconstruction"`` (no real patient stands behind a row) or
        ``"simulation"``.
    source
        In words: the file's name, or how the records were made (with the seed).
    """

    records: pd.DataFrame
    origin: Origin
    source: str

    def __len__(self) -> int:
        return len(self.records)

    @property
    def reconstructed(self) -> bool:
        """Whether the records were reconstructed from published moments."""
        return self.origin == "reconstruction"

    @property
    def mark(self) -> str:
        """The sentence that every result built on these records carries."""
        return f"{len(self)} records {self.source}" if self.reconstructed else f"{len(self)} records from {self.source}"

    @property
    def digest(self) -> str:
        """SHA-256 of the columns' names (sorted) and values (float64, rows in order), in hexadecimal."""
        sha = hashlib.sha256()
        for name in sorted(self.records.columns):
            values = np.ascontiguousarray(self.records[name].to_numpy(dtype="<f8"))
            sha.update(name.encode() + b"\0" + values.tobytes())
        return sha.hexdigest()

    def __repr__(self) -> str:
        return f"Survey({self.mark}; {self.records.shape[1]} variables; digest {self.digest[:12]})"

    def _repr_html_(self) -> str:
        columns = ", ".join(self.records.columns)
        return f"<p><b>Survey</b>: {self.mark}<br>variables: {columns}<br>digest <code>{self.digest[:12]}</code></p>"
