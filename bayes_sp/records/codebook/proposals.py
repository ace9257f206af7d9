"""Scores that the names of a file's columns suggest: written into a drafted codebook as comments, never computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bayes_sp.model.reading.write import inline_key, inline_value
from bayes_sp.records.scoring.scales import scales

ITEM = re.compile(r"(?P<stem>.*?\D)_?(?P<number>\d{1,2})(?P<end>(?:_[^\W\d]\w*)?)")
LEAST_ITEMS = 3


def proposed_scores(variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return comment lines that propose a score for each series of items, and each difference of two waves."""
    lines, scored = list[str](), dict[str, list[str]]()
    for (stem, end), items in _series(variables):
        name = f"{stem.strip('_') or 'score'}{end}"
        while name in variables:
            name += "_score"
        scored.setdefault(stem, []).append(name)
        lines += [f"# {why}" for why in _why(stem, items, variables)]
        lines.append(f"# {inline_key(name)} = {inline_value(_rule(stem, items, variables))}")
    for stem, names in scored.items():
        if len(names) == 2:
            change = {"rule": "difference", "later": names[1], "earlier": names[0]}
            lines.append(f"# {inline_key(stem.strip('_') + '_change')} = {inline_value(change)}")
    if not lines:
        return []
    head = [
        "",
        "[derived]",
        "# What the names suggest; take the # away where it is meant. Nothing below is computed now.",
    ]
    return [*head, *lines]


def _series(variables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Yield variables whose names end in 1, 2, 3, ... before their wave, with the same answers."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for name, keys in variables.items():
        if (found := ITEM.fullmatch(name)) and keys.get("kind") in ("ordered", "binary"):
            groups.setdefault((found["stem"], found["end"]), {})[int(found["number"])] = name
    for key, items in groups.items():
        if len(items) >= LEAST_ITEMS and sorted(items) == list(range(1, len(items) + 1)):
            yield key, [items[k] for k in sorted(items)]


def _ticks(items: list[str], variables: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(variables[item].get("kind") == "binary" for item in items)


def _scale(stem: str, items: list[str], variables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the shipped scale that a stem names or whose wording the labels have, '' where there is none."""
    words = stem.casefold().strip("_")
    labels = [str(variables[item].get("label", "")).casefold() for item in items]
    for name, scale in scales().items():
        pairs = zip(scale.wording, labels, strict=False)
        if len(scale.wording) == len(items) and all(wording.casefold() in label for wording, label in pairs):
            return name
    fits = (name for name, scale in scales().items() if scale.items == len(items) > 1 and scale.rule != "ticks")
    return next((name for name in fits if words and (words in name or name in words)), "")


def _rule(stem: str, items: list[str], variables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if _ticks(items, variables):
        return {"rule": "ticks", "items": items}
    scale = _scale(stem, items, variables)
    if not scale:
        return {"rule": "mean", "items": items, "reversed": [], "answered": len(items)}
    keys = {item: (variables[item].get("min"), variables[item].get("max")) for item in items}
    ends = next(iter(keys.values()))
    own = scales()[scale].answers
    return {"scale": scale, "items": items} | ({"answers": list(ends)} if ends != own and None not in ends else {})


def _why(stem: str, items: list[str], variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if _ticks(items, variables):
        return [f"{len(items)} columns {stem}1 to {stem}{len(items)} with two values: how many are ticked"]
    found = scales().get(_scale(stem, items, variables))
    if not found:
        return [f"{len(items)} columns {stem}1 to {stem}{len(items)}: their mean; name the items to be turned round"]
    turned = f"; turns items {', '.join(map(str, found.reversed))} round, which must not be so in the file already"
    return [f"{found.title}, {found.source}{turned if found.reversed else ''}"]
