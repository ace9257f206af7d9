"""How reliable the scores of a survey are that its codebook computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayes_sp.errors import SurveyError, nearest
from bayes_sp.records.codebook.derived import turn, turned_items
from bayes_sp.records.scoring.reliability import Reliability, reliability
from bayes_sp.records.survey import Survey

type Latent = Sequence[str] | Mapping[str, float | None]  # scores, or scores with the reliability of some


def score_reliability(survey: Survey, name: str) -> Reliability | None:
    """Return how reliable a score is; None for what is no mean or sum of items, or where it cannot be said."""
    book = survey.codebook
    derived = book.computed(name) if book else None
    if book is None or derived is None or derived.rule not in ("mean", "sum"):
        return None
    if any(item not in survey.records for item in derived.items):
        return None
    values = {item: survey.records[item].to_numpy(dtype=float, na_value=np.nan) for item in derived.items}
    ends = {item: turn(derived, item, book.described(item)) for item in derived.reversed}
    return reliability(turned_items(derived, values, {item: pair for item, pair in ends.items() if pair}))


def measured_with_error(survey: Survey, mediators: Sequence[str], latent: Latent) -> dict[str, tuple[float, str]]:
    """Return the reliability of each score that is taken as measured with error, and where it comes from.

    Raises SurveyError with every name that is no mediator, number that is no reliability, and score of which none is
    known.
    """
    problems, found = list[str](), dict[str, tuple[float, str]]()
    for name in latent:
        given = latent[name] if isinstance(latent, Mapping) else None
        if name not in mediators:
            problems.append(f'latent: "{name}" is none of the mediators{nearest(name, mediators)}')
        elif given is not None and not 0 < given <= 1:
            problems.append(f'latent: the reliability of "{name}" must be above 0 and at most 1, found {given:g}')
        elif given is not None:
            found[name] = (given, f"reliability {given:g} as given")
        elif (said := score_reliability(survey, name)) is None:
            reason = "is no score of several items of a codebook, so that its reliability is not known"
            problems.append(f'latent: "{name}" {reason}; give it, as in {name}=0.87')
        elif not 0 < round(said.alpha, 2):
            problems.append(f'latent: the alpha of "{name}" is {said.alpha:.2f}, and no reliability')
        else:
            found[name] = (round(said.alpha, 2), said.sentence())
    if problems:
        raise SurveyError(survey.source, problems)
    return found
