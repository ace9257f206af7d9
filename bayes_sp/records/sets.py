"""Several sets of records that stand for the same people, as one survey: what results say that they rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

from bayes_sp.records.survey import RECONSTRUCTED, Survey

SHOWN = 3  # sources that are named


@dataclass(frozen=True, eq=False, repr=False)
class Sets(Survey):
    """A survey whose rows are those of the first set, and whose source and digest are those of all."""

    # each, set_labels: the sets of records, and what each is.
    each: tuple[Survey, ...] = ()
    set_labels: tuple[str, ...] = ()
    # Records at the edge of what is known, with what they are: not among the sets.
    edges: tuple[tuple[str, Survey], ...] = ()
    words: str = ""  # from which distribution the sets are drawn, in a sentence; '' for sets that were given

    @property
    def lack(self) -> str:
        """What the sets stand for, in words."""
        return "not having the records" if self.reconstructed else "not having the cells that were imputed"

    @property
    def digest(self) -> str:
        """SHA-256 of the sets' digests in their order."""
        return hashlib.sha256("".join(one.digest for one in self.each).encode()).hexdigest()


def sets_of(
    surveys: Sequence[Survey],
    source: str = "",
    labels: Sequence[str] = (),
    edges: Sequence[tuple[str, Survey]] = (),
    words: str = "",
) -> Sets:
    """Return surveys as one; what they are is by default that they are reconstructed, or their own sources."""
    first = surveys[0]
    kept = {own.name: getattr(first, own.name) for own in fields(Survey)}
    together = f"{len(surveys)} sets of records"
    if not source and first.reconstructed:
        source = f"{RECONSTRUCTED} ({together})"
    elif not source:
        names = list(dict.fromkeys(survey.source for survey in surveys))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        source = f"{together}: {', '.join(names[:SHOWN])}{more}"
    remarks = tuple(dict.fromkeys(remark for survey in surveys for remark in survey.remarks))
    named = tuple(labels) or tuple(survey.source for survey in surveys)
    return Sets(**{**kept, "source": source, "remarks": remarks}, each=tuple(surveys), set_labels=named,
                edges=tuple(edges), words=words)  # fmt: skip
