"""Which arrows of a chain depend on a moderator, as a user writes them: ``groups -> mood``, or ``all``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayes_sp.errors import SurveyError, nearest

ARROW = "->"
ALL = "all"

type Moderators = Mapping[str, str | Sequence[str]]


def moderated_arrows(
    moderators: Moderators, parents_of: Mapping[str, Sequence[str]]
) -> dict[str, list[tuple[str, str]]]:
    """Return, by response, the products (moderator, parent) that arrows stand for.

    ``moderators`` has arrows by column, or ``all`` of them; ``parents_of`` is in the order of the chain.

    Raises SurveyError with every arrow that the chain does not have, and every moderator that stands in the chain.
    """
    known = [f"{parent} {ARROW} {response}" for response, parents in parents_of.items() for parent in parents]
    found: dict[str, list[tuple[str, str]]] = {}
    problems = []
    for moderator, given in moderators.items():
        if moderator in parents_of:
            problems.append(f"{moderator}: comes after the exposure, which could change it; a moderator comes before")
            continue
        if any(moderator in parents for parents in parents_of.values()):
            problems.append(f"{moderator}: is the exposure; a moderator is measured before it")
            continue
        arrows = [given] if isinstance(given, str) else list(given)
        if arrows == [ALL] or not arrows:
            arrows = known
        for arrow in dict.fromkeys(_written(arrow) for arrow in arrows):
            if arrow in known:
                parent, _, response = arrow.partition(f" {ARROW} ")
                found.setdefault(response, []).append((moderator, parent))
            else:
                problems.append(f'{moderator}: there is no arrow "{arrow}"{nearest(arrow, known)}')
    if problems:
        raise SurveyError("moderators", problems)
    return found


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
    """Return moderators as a command line gives them: ``gender: groups -> mood, mood -> visits``, or ``gender``."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, _, arrows = text.partition(":")
        own = [arrow.strip() for arrow in arrows.split(",") if arrow.strip()]
        found.setdefault(name.strip(), []).extend(own or [ALL])
    return found


def _written(arrow: str) -> str:
    """Return an arrow with one blank on each side."""
    return f" {ARROW} ".join(part.strip() for part in arrow.split(ARROW))
