"""Figures as printed text and as a CSV file. Standard library only."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figure import RATIO, Figure

COLUMNS = ("section", "figure", "value", "unit", "low", "high", "repeats", "note", "mode")


def heading(about: Mapping[str, str], mode: str) -> str:
    """Return the lines above the table: machine, versions, and how to read the figures."""
    versions = [f"{name} {about[name]}" for name in list(about)[list(about).index("python") :]]
    bytecode = "bytecode as found" if mode == "quick" else "bytecode compiled beforehand"
    return "\n".join(
        [
            f"{about['date']}; {about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB; "
            f"load {about['load_at_start']} at the start; {mode} sizes",
            ", ".join(versions),
            f"Every measurement runs in its own process with OPENBLAS_NUM_THREADS=1, {bytecode}.",
            "Value: median of the repeats; min–max: of the repeats, for a ratio what the repeats of both sides allow.",
        ]
    )


def section_text(title: str, figures: Sequence[Figure]) -> str:
    """Return the table of one section."""
    width = max(len(found.name) for found in figures)
    lines = ["", title, "=" * len(title)]
    for found in figures:
        unit = "×" if found.unit == RATIO else found.unit
        spread = f"{number(found.low)}–{number(found.high)}" if found.repeats > 1 else ""
        times = f"n={found.repeats}" if found.repeats > 1 else ""
        line = f"{found.name:<{width}}  {number(found.value):>9} {unit:<6} {spread:<15} {times:<6} {found.note}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with three significant digits, large ones as whole numbers with thousands marked."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_csv(path: Path, sections: Mapping[str, Sequence[Figure]], about: Mapping[str, str], mode: str) -> None:
    """Write one row for each figure; the machine stands on every row, so that files of several machines can be joined.

    A range is left empty where there is no repeat.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *about])
        for section, figures in sections.items():
            for found in figures:
                spread = [f"{found.low:.6g}", f"{found.high:.6g}"] if found.repeats > 1 else ["", ""]
                measured = [f"{found.value:.6g}", found.unit, *spread, found.repeats, found.note]
                writer.writerow([section, found.name, *measured, mode, *about.values()])
