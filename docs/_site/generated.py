"""Parts of pages that are made from the package: commands, keys of a specification, families, priors, public names.

A page has a line ``<!-- made: NAME -->`` where such a part belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pygments.lexers.special import TextLexer
from sphinx.errors import ExtensionError

from _site import commands, public, specification

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = re.compile(r"^<!-- made: (.+) -->$", flags=re.MULTILINE)
PARTS: dict[str, Callable[[], str]] = {
    "commands": commands.commands,
    "keys of a specification": specification.keys,
    "families": specification.families,
    "distributions": specification.distributions,
    "names": public.names,
    "results": public.results,
    "sensitivity": public.sensitivity,
    "figures": public.figures,
}


def made(name: str) -> str:
    """Return a part by its name.

    Raises
    ------
    ExtensionError
        Where there is none of this name.
    """
    if name not in PARTS:
        raise ExtensionError(f"no part of a page is named {name!r}; known: {', '.join(PARTS)}")
    return PARTS[name]()


def _fill(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = MARK.sub(lambda match: made(match[1]), source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill pages as they are read, and read those that have such parts whenever the site is built."""
    app.connect("source-read", _fill)
    app.add_lexer("csv", TextLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
