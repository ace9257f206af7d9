"""Scores from the answers to items, and the scales that come with the package, as data with the source of each."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from bayes_sp.arrays import Array


def score(items: Array, rule: str, answered: int) -> Array:
    r"""Return the mean or the prorated sum of each person's answered items, (n,).

    With A the answered items of a person, a = |A| of k, the mean is :math:`\bar x = \sum_{j \in A} x_j / a` and the sum
    :math:`k \bar x`: unanswered items are given the person's mean (Mazza, Enders & Ruehlman 2015, Multivariate
    Behavioral Research 50, 504-519. doi:10.1080/00273171.2015.1068157). Answers are turned the same way, (n, k), NaN
    where there is none; with fewer than ``answered`` the score is NaN.
    """
    there = ~np.isnan(items)
    count = there.sum(axis=1)
    total = np.where(there, items, 0.0).sum(axis=1)
    enough = count >= max(answered, 1)
    factor = float(items.shape[1]) if rule == "sum" else 1.0
    return np.where(enough, total * factor / np.maximum(count, 1), np.nan)


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
