"""Names of groups: what is never one, and names that look like one another."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from bayes_sp.arrays import Mask

NO_VALUE = frozenset(
    ["nan", "none", "null", "na", "n/a", "n.a.", "<na>", "#n/a", "#na", "#null!", "#value!", "nat", ".", "-", "?"]
)  # how programs write that there is no value, in small letters
HOW_MISSING = "write a missing value as an empty cell or NA, or name its code in the specification's missing_codes"
NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?", re.ASCII)


def says_nothing(cell: object) -> bool:
    """Return whether a cell is what programs write where there is no value."""
    return isinstance(cell, str) and folded(cell) in NO_VALUE


def no_groups(column: pd.Series) -> Mask:
    """Return which cells of a grouping column cannot be a group's name because they say that there is none, (n,)."""
    return np.array([says_nothing(cell) for cell in column], dtype=bool)


def folded(label: str) -> str:
    """Return a label as a reader sees it: composed letters, plain spaces, no invisible signs, small letters."""
    text = unicodedata.normalize("NFKC", label)
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return " ".join(text.casefold().split())


def look_alikes(labels: list[str]) -> list[list[str]]:
    """Return the sets of different labels that look like one: 1, 1.0 and 01; other spaces, cases or accents."""
    alike: dict[str, list[str]] = {}
    for label in dict.fromkeys(labels):
        text = folded(label)
        key = f"{float(text):g}" if NUMBER.fullmatch(text) else text
        alike.setdefault(key, []).append(label)
    return [found for found in alike.values() if len(found) > 1]
