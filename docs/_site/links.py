"""Links of the finished pages, checked without a network: files, anchors, and nothing that a page would fetch."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
OUTSIDE = ("http", "https", "mailto", "data")
# what a browser loads by itself; a link that a reader follows may lead outside
LOADED = {("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src"), ("link", "href")}
NOT_LOADED = ("canonical", "next", "prev", "search", "index")


class Page(HTMLParser):
    """Names and links of a page.

    Attributes
    ----------
    names
        What can be linked to within it.
    links
        Addresses, and whether a browser loads what stands there.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the names and links of an element."""
        values = dict(attrs)
        self.names |= {str(values[key]) for key in ("id", "name") if values.get(key)}
        for key in ("href", "src"):
            if values.get(key):
                loaded = (tag, key) in LOADED and values.get("rel") not in NOT_LOADED
                self.links.append((str(values[key]), loaded))


def problems(folder: Path) -> Iterator[str]:
    """Yield every link of the pages in a folder that leads nowhere, and everything that would be fetched."""
    files = [path for path in folder.rglob("*.html") if "_static" not in path.relative_to(folder).parts]
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in files}
    for path, page in pages.items():
        for address, loaded in dict.fromkeys(page.links):
            parts = urlsplit(address)
            if parts.scheme in OUTSIDE or parts.netloc:
                if loaded and parts.scheme != "data":
                    yield f"{path.relative_to(folder.resolve())}: {address} would be fetched"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{path.relative_to(folder.resolve())}: {address}: there is no such file"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
                yield f"{path.relative_to(folder.resolve())}: {address}: there is no such place"


def _check(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for problem in problems(Path(app.outdir)):
            LOGGER.warning(problem)


def setup(app: Sphinx) -> dict[str, Any]:
    """Check links when the site is built."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
