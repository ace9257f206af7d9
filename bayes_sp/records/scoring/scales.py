"""Scales that come with the package: how their items make a score, as data with the source of each."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Scale:
    """How the items of a questionnaire make a score.

    Attributes
    ----------
    name, title, high
        Its name in a codebook, its name in words, and what a high score means.
    rule
        ``mean``, ``sum`` or ``ticks``.
    items
        How many there are.
    answers
        Lowest and highest answer.
    reversed
        Places of items that are turned round, counted from 1.
    answered
        Least number of items that must be answered.
    wording
        The items as the source words them.
    source, doi, note
        Where it comes from, and what a reader must know of it.
    """

    name: str
    title: str
    items: int
    answers: tuple[float, float]
    rule: str
    reversed: tuple[int, ...]
    answered: int
    high: str
    wording: tuple[str, ...]
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
