"""Which columns ask the same at several times: by their names, or as a codebook says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

TIME = r"(?i:t|w|wave|time)[_ ]?(?P<number>\d{1,2})"
WORDS = (
    ("pre", "post"), ("before", "after"), ("baseline", "followup"), ("baseline", "follow_up"), ("base", "follow"),
    ("bl", "fu"), ("vorher", "nachher"), ("avant", "apres"), ("antes", "despues"),
)  # fmt: skip
LATER = {word: place for pair in WORDS for place, word in enumerate(pair)}
NAMED = "|".join(sorted(LATER, key=len, reverse=True))
CAPITAL = r"(?<=[a-z\d])[TW](?P<capital>\d{1,2})"
BEHIND = re.compile(rf"(?P<stem>.+?)(?:[_. -]+{TIME}|{CAPITAL}|[_. -]+(?P<word>(?i:{NAMED})))")
BEFORE = re.compile(rf"(?:{TIME}|(?P<word>(?i:{NAMED})))[_. -]+(?P<stem>.+)")
"""`groups_t0`, `groups.wave1`, `groupsT1`, `groups_pre`; `t0_groups`, `pre_groups`."""


@dataclass(frozen=True)
class Waves:
    """Columns by what they ask and when."""

    names: tuple[str, ...]  # of the waves, in the order of time
    asked: Mapping[str, Mapping[str, str]]  # what is asked -> wave -> column; what one wave alone asks, too

    @property
    def repeated(self) -> dict[str, dict[str, str]]:
        """What is asked in two waves or more."""
        return {what: dict(when) for what, when in self.asked.items() if len(when) > 1}

    def columns(self, wave: str) -> list[str]:
        """Return the columns of a wave."""
        return [when[wave] for when in self.asked.values() if wave in when]

    @property
    def wave_of(self) -> dict[str, str]:
        """The wave of each column that has one."""
        return {column: wave for when in self.asked.values() for wave, column in when.items()}


def waves_of(columns: Sequence[str], given: Mapping[str, str] | None = None) -> Waves:
    """Return the waves of a survey's columns; none where no two columns ask the same at different times.

    ``given`` are waves by column, where something says them, in their order; another column is of a wave where its name
    ends or begins with the wave's.

    Examples
    --------
    >>> found = waves_of(["age", "groups_t0", "groups_t1", "mood_t1"])
    >>> found.names, found.repeated, found.columns("t1")
    (('t0', 't1'), {'groups': {'t0': 'groups_t0', 't1': 'groups_t1'}}, ['groups_t1', 'mood_t1'])
    """
    told = {column: wave for column, wave in (given or {}).items() if wave}
    places = {wave: (place, place) for place, wave in enumerate(dict.fromkeys(told.values()))}
    asked: dict[str, dict[str, str]] = {}
    order: dict[str, tuple[int, int]] = dict(places)
    for column in columns:
        if told:
            stem, wave = _of_told(column, told.get(column, ""), places)
        else:
            stem, wave, number = _taken_apart(column)
            order.setdefault(wave, (number, len(order)))
        if wave:
            asked.setdefault(stem, {}).setdefault(wave, column)
    if not told and not any(len(when) > 1 for when in asked.values()):
        return Waves((), {})
    there = {wave for when in asked.values() for wave in when}
    return Waves(tuple(sorted(there, key=lambda wave: order[wave])), asked)


def _of_told(column: str, wave: str, waves: Collection[str]) -> tuple[str, str]:
    """Return what a column asks and its wave, given or by its name; ('column', '') for a column of none."""
    for name in [wave] if wave else waves:
        sign = re.escape(name)
        found = re.fullmatch(rf"(?i:(?P<a>.+?)[_. -]+{sign}|{sign}[_. -]+(?P<b>.+))", column)
        if found:
            return found["a"] or found["b"], name
    return (_taken_apart(column)[0], wave) if wave else (column, "")


def _taken_apart(column: str) -> tuple[str, str, int]:
    """Return what a column asks, its wave as written in small letters, and the wave's place; (column, '', -1)."""
    found = BEHIND.fullmatch(column) or BEFORE.fullmatch(column)
    if not found:
        return column, "", -1
    parts = found.groupdict()
    number = parts.get("number") or parts.get("capital")
    if number:
        return parts["stem"], f"t{int(number)}", int(number)
    word = parts["word"].lower()
    return parts["stem"], word, LATER[word]
