"""Parts of pages that are made: commands, keys of a specification, families, priors, public names.

A page has a line ``<!-- made: NAME -->`` where such a part belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygments.lexers.special import TextLexer
from sphinx.errors import ExtensionError

from _site import commands, public, specification

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
MARK = re.compile(r"^<!-- made: (.+) -->$", flags=re.MULTILINE)
PATTERN = re.compile(r"^\S*\*$\n", flags=re.MULTILINE)  # an entry of a table of contents


def files_of_a_run() -> str:
    """Return the quickstart's section on files, with links as a page one folder deeper needs them."""
    text = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    section = text.partition("\n## Files of a run\n")[2].partition("\n## ")[0]
    return re.sub(r"\]\((\w+\.md)", r"](../\1", section)


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands.commands,
    "keys of a specification": specification.keys,
    "families": specification.families,
    "distributions": specification.distributions,
    "names": public.names,
    "results": public.results,
    "sensitivity": public.sensitivity,
    "figures": public.figures,
    "files of a run": files_of_a_run,
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


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put parts in their places, and leave out patterns of pages that nothing matches: such pages need not be there."""
    folder = (Path(app.srcdir) / page).parent
    text = MARK.sub(lambda match: made(match[1]), source[0])
    source[0] = PATTERN.sub(lambda match: match[0] if any(folder.glob(f"{match[0].strip()}.*")) else "", text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill pages as they are read, and read those that have such parts whenever the site is built."""
    app.connect("source-read", _fill)
    app.add_lexer("csv", TextLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
