"""Scales that come with the package: how their items make a score, as data with the source of each."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Scale:
    """How the items of a questionnaire make a score."""

    # name, title, high: its name in a codebook, its name in words, and what a high score means.
    name: str
    title: str
    items: int  # how many there are
    answers: tuple[float, float]  # lowest and highest answer
    rule: str  # ``mean``, ``sum`` or ``ticks``
    reversed: tuple[int, ...]  # places of items that are turned round, counted from 1
    answered: int  # least number of items that must be answered
    high: str
    wording: tuple[str, ...]  # the items as the source words them
    # source, doi, note: where it comes from, and what a reader must know of it.
    source: str
    doi: str = ""
    note: str = ""


@functools.cache
def scales() -> Mapping[str, Scale]:
    """Return the shipped scales by name."""
    text = files("bayes_sp.records.scoring").joinpath("scales.toml").read_text(encoding="utf-8")
    return {
        name: Scale(
            name, table["title"], table["items"], (float(table["answers"][0]), float(table["answers"][1])),
            table["rule"], tuple(table["reversed"]), table["answered"], table["high"], tuple(table["wording"]),
            table["source"], table["doi"], table.get("note", ""),
        )
        for name, table in tomllib.loads(text).items()
    }  # fmt: skip
