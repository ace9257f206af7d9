"""How public functions take their arguments: records that must be given, and calls as an earlier release wrote them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from bayes_sp.errors import NoRecordsError, warn


def needs_records[**P, R](verb: Callable[P, R]) -> Callable[P, R]:
    """Refuse a call of ``verb(model, survey, ...)`` without records, whoever's they would be."""

    @wraps(verb)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = args[1] if len(args) > 1 else kwargs.get("survey")
        if given is None:
            asked = getattr(verb, "__name__", "this")
            raise NoRecordsError(
                f"{asked}()",
                [
                    f"needs records: {asked}(model, survey) with your file, DataFrame or Survey, or "
                    "sp.reconstruct(seed=1) for those of the published study"
                ],
            )
        return verb(*args, **kwargs)

    return checked


def formerly[**P, R](
    is_old: Callable[..., bool], earlier: Callable[..., R], now: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take the arguments of an earlier release too, with a warning.

    ``is_old`` tells the arguments of the earlier release, ``earlier`` is the function for them, ``now`` what to write
    in their place.
    """

    def with_earlier(verb: Callable[P, R]) -> Callable[P, R]:
        @wraps(verb)
        def either(*args: P.args, **kwargs: P.kwargs) -> R:
            if is_old(*args, **kwargs):
                _tell(getattr(verb, "__name__", ""), now)
                return earlier(*args, **kwargs)
            return verb(*args, **kwargs)

        return either

    return with_earlier


def _tell(name: str, now: str) -> None:
    text = f"{name}() with these arguments goes with the next release; write {now} in its place"
    warn(text, FutureWarning)


def first_is(kind: type | tuple[type, ...], *names: str) -> Callable[..., bool]:
    """Return a test of arguments: whether the first one is of a type, or one of these names is among the keywords."""

    def test(*args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 - arguments of any function
        return bool(args and isinstance(args[0], kind)) or any(name in kwargs for name in names)

    return test
