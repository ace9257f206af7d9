"""The errors a user can cause. Each says what is wrong, where, what was found and what to do."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bayes_sp.safe_text import one_line, printable


class BayesSpError(Exception):
    """Base of every error that a user's input can cause; the command line prints it without a traceback.

    Parameters
    ----------
    source
        The file, table or object that holds the mistakes.
    problems
        One complete sentence for each mistake: where, what was found, what to do.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> try:
    ...     sp.load_model({"title": 1})
    ... except sp.BayesSpError as error:
    ...     print(error.problems[0])
    exposure: is missing
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        source, problems = one_line(self.source), [printable(problem) for problem in self.problems]
        if len(problems) == 1:
            return f"{source}: {problems[0]}"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        return f"{source}: {len(problems)} problems\n{lines}"


class SpecificationError(BayesSpError):
    """A specification that cannot be read or does not describe a path model."""


class SurveyError(BayesSpError):
    """Records that cannot be read or do not fit the specification."""


class CodebookError(BayesSpError):
    """A codebook that cannot be read or contradicts itself."""


class NoRecordsError(SurveyError, TypeError):
    """A call without the records that it is about."""


class RunError(BayesSpError):
    """A run folder that cannot be written or read."""


class RunnerError(BayesSpError):
    """A place to fit, such as a cluster, that cannot be reached or has broken down."""


class WorkerDiedError(Exception):
    """A worker process ended while it ran a call."""


class FitError(BayesSpError):
    """A model that could not be compiled or sampled with these records."""


class SurveyWarning(UserWarning):
    """Something in records that a reader of results must know first; nothing is refused for it."""


class FitWarning(UserWarning):
    """What is told before sampling: options with which no draws can pass, priors that leave a mean without value."""


@contextmanager
def doubts_in_lines() -> Iterator[None]:
    """Show each `SurveyWarning` and `FitWarning` once, in a line of its own without the place in our code."""
    said: set[str] = set()
    usual = warnings.formatwarning

    def in_a_line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> str:  # noqa: ANN401 - as `warnings.formatwarning` has it
        """Return our warnings as one line, and nothing the second time; others as Python writes them."""
        if not issubclass(category, SurveyWarning | FitWarning):
            return usual(message, category, *place, **more)
        line = "" if str(message) in said else f"bayes_sp: warning: {message}\n"
        said.add(str(message))
        return line

    with warnings.catch_warnings():
        warnings.simplefilter("always", SurveyWarning)
        warnings.simplefilter("always", FitWarning)
        warnings.formatwarning = in_a_line
        try:
            yield
        finally:
            warnings.formatwarning = usual


def warn(text: str, category: type[Warning]) -> None:
    """Warn, with the place of the caller's own code that called into this package."""
    warnings.warn(text, category, skip_file_prefixes=(os.path.dirname(__file__),))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``'; did you mean "x"?'`` for the nearest known name, or the list of known names."""
    names = sorted(set(known))
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{by_folded[close[0]]}"?'
    return f"; known: {', '.join(names)}" if names else ""
