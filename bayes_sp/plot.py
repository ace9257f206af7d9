"""Figures of results, each ``x(result, ax=None)``, which return their axes. Names are loaded when first used."""

from __future__ import annotations

import functools
from typing import Any

from bayes_sp.exports import exports

_look_up, __dir__, __all__ = exports(__name__, __file__, {})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - functions of many types
    draw = _look_up(name)

    from bayes_sp.report.figures.style import for_pyplot

    @functools.wraps(draw)
    def shown(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the function that draws
        with for_pyplot():
            return draw(*arguments, **options)

    return shown
