"""What the documentation's site is made of; `.ci/run` builds it whole, with warnings as errors."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
DRAWN = runpy.run_path(str(DOCS / "diagrams" / "make.py"))["DIAGRAMS"]


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_diagrams_are_as_their_code_draws_them(name: str):
    """`python docs/diagrams/make.py` writes what stands there."""
    assert (DOCS / "diagrams" / f"{name}.svg").read_text(encoding="utf-8") == DRAWN[name].svg()


def test_every_diagram_is_drawn_and_shown():
    """No file without code, none that no page shows."""
    assert {path.stem for path in (DOCS / "diagrams").glob("*.svg")} == set(DRAWN)
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    assert [name for name in DRAWN if f"](diagrams/{name}.svg)" not in pages] == []


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's own modules, where its tools are installed."""
    pytest.importorskip("sphinx", reason="sphinx is in the group docs")
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])


def test_a_fraction_without_braces_is_refused(site: None):
    """The converter would read twelve over what follows."""
    from _site.formulas import mathml
    from sphinx.errors import ExtensionError

    half = "".join(mathml(r"\frac{1}{2}", block=False).split())
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in half
    with pytest.raises(ExtensionError, match="braces"):
        mathml(r"\tfrac12 x", block=False)


def test_links_that_lead_nowhere_are_found(site: None, tmp_path: Path):
    """A file, an anchor, and what a browser would fetch; a link to follow may lead outside."""
    from _site.links import problems

    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">1</a><a href="b.html#there">2</a><a href="https://x.org/">3</a>'
        '<a href="#gone">4</a><a href="c.html">5</a><a href="b.html#gone">6</a><script src="//x.org/s.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there"></h1><a href="./a.html">1</a>')
    assert [problem.split(": ")[1] for problem in problems(tmp_path)] == [
        "#gone", "c.html", "b.html#gone", "//x.org/s.js would be fetched",
    ]  # fmt: skip


def test_the_reference_has_what_the_reader_takes(site: None):
    """Keys of each table, as the prose about them is held against the reader too."""
    from _site import specification

    text = specification.keys()
    for key in ("exposure", "products", "log1p", "center", "transform", "pairs", "why", "estimate"):
        assert f"| `{key}` |" in text, key
    assert "group_change" not in text
    assert "| `title` | text | required |" in text


def test_the_reference_has_every_public_name_and_command(site: None):
    from _site import commands, public

    import bayes_sp as sp
    from bayes_sp.cli.main import _parser

    (choices,) = [action for action in _parser()._actions if isinstance(action.choices, dict)]
    assert all(f"\n## {name}\n" in f"\n{commands.commands()}" for name in choices.choices)
    named = public.names() + public.sensitivity() + public.figures()
    unnamed = [name for name in sp.__all__ if name not in public.SPACES and f":: bayes_sp.{name}\n" not in named]
    assert not unnamed, f"{unnamed}: a place in ORDER of docs/_site/public.py"
    assert all(f":: bayes_sp.sensitivity.{name}\n" in named for name in sp.sensitivity.__all__)
    assert "Effects\n" in public.results()
