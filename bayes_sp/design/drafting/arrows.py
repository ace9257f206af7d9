"""Which arrows of a chain depend on a moderator, as a user writes them: ``groups -> mood``, or ``all``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from bayes_sp.errors import SurveyError, nearest

ARROW = "->"
ALL = "all"
BETWEEN = ":"

type Moderators = Mapping[str, str | Sequence[str]]


def moderator_names(key: str, columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that a key of moderators names: one, or two that stand in one product, ``gender:age``."""
    return (key,) if key in columns else tuple(part.strip() for part in key.split(BETWEEN))


def moderated_arrows(
    moderators: Moderators, parents_of: Mapping[str, Sequence[str]], columns: Collection[str] = ()
) -> dict[str, list[tuple[str, ...]]]:
    """Return, by response, the products (moderator, ..., parent) that arrows stand for.

    ``moderators`` has arrows by column, or ``all`` of them, or by two columns, ``gender:age``, whose product with the
    parent stands there beside those of each two; ``parents_of`` is in the order of the chain. ``columns`` are those of
    the survey, in whose names there may be a colon.

    Raises SurveyError with every arrow that the chain does not have, and every moderator that stands in the chain.
    """
    known = [f"{parent} {ARROW} {response}" for response, parents in parents_of.items() for parent in parents]
    found: dict[str, list[tuple[str, ...]]] = {}
    problems = []
    for key, given in moderators.items():
        names = moderator_names(key, columns)
        if wrong := list(_no_moderators(names, parents_of)):
            problems += wrong
            continue
        arrows = [given] if isinstance(given, str) else list(given)
        if arrows == [ALL] or not arrows:
            arrows = known
        for arrow in dict.fromkeys(_written(arrow) for arrow in arrows):
            if arrow in known:
                parent, _, response = arrow.partition(f" {ARROW} ")
                own = found.setdefault(response, [])
                own += [product for product in _products(names, parent) if not _among(product, own)]
            else:
                problems.append(f'{key}: there is no arrow "{arrow}"{nearest(arrow, known)}')
    if problems:
        raise SurveyError("moderators", problems)
    return found


def _no_moderators(names: tuple[str, ...], parents_of: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield why columns cannot moderate an arrow, alone or together."""
    if len(names) > 2:
        yield f"{BETWEEN.join(names)}: has {len(names)} moderators; a product has two at most"
    elif len(set(names)) < len(names):
        yield f"{BETWEEN.join(names)}: is a moderator times itself; a product has two different ones"
    for name in dict.fromkeys(names):
        if not name:
            yield f'"{BETWEEN.join(names)}": a moderator has no name; write two of them as "W:Z"'
        elif name in parents_of:
            yield f"{name}: comes after the exposure, which could change it; a moderator comes before"
        elif any(name in parents for parents in parents_of.values()):
            yield f"{name}: is the exposure; a moderator is measured before it"


def _products(moderators: tuple[str, ...], parent: str) -> list[tuple[str, ...]]:
    """Return the products of moderators with a parent, each with all that must stand beside it."""
    alone: list[tuple[str, ...]] = [(name, parent) for name in moderators]
    return alone if len(moderators) == 1 else [*alone, moderators, (*moderators, parent)]


def _among(product: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> bool:
    return any(set(product) == set(other) for other in others)


def without_arrows(parents_of: Mapping[str, Sequence[str]], without: Sequence[str]) -> dict[str, list[str]]:
    """Return the parents of each response without some arrows.

    Raises SurveyError with every arrow that the chain does not have.
    """
    known = [f"{parent} {ARROW} {response}" for response, parents in parents_of.items() for parent in parents]
    gone = {_written(arrow) for arrow in without}
    if unknown := [arrow for arrow in gone if arrow not in known]:
        raise SurveyError("without", [f'there is no arrow "{arrow}"{nearest(arrow, known)}' for arrow in unknown])
    return {r: [p for p in parents if f"{p} {ARROW} {r}" not in gone] for r, parents in parents_of.items()}


def moderators_of_texts(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return moderators as a command line gives them: ``gender: groups -> mood, mood -> visits``, or ``gender``.

    Two with one product stand before the arrows as ``gender:age``.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        name, colon, arrows = text.rpartition(BETWEEN)
        if not colon or not (ARROW in arrows or arrows.strip() in ("", ALL)):  # names alone
            name, arrows = text, ALL
        own = [arrow.strip() for arrow in arrows.split(",") if arrow.strip()]
        found.setdefault(name.strip(), []).extend(own or [ALL])
    return found


def _written(arrow: str) -> str:
    """Return an arrow with one blank on each side."""
    return f" {ARROW} ".join(part.strip() for part in arrow.split(ARROW))
