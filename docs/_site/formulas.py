"""Formulas as MathML, which browsers show without a script: none is fetched when a page is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

# what the converter does not know, as it knows it: a size without a side, dots without a height
KNOWN = ((re.compile(r"\\([bB]igg?)(?![a-z])"), r"\\\1l"), (re.compile(r"\\dots(?![a-z])"), r"\\ldots"))
# read by the converter as one number with as many digits
BARE_DIGITS = re.compile(r"\\[td]?frac\s*\d\d")


def mathml(formula: str, *, block: bool) -> str:
    r"""Return a formula as MathML.

    Raises
    ------
    ExtensionError
        Where it has ``\frac12`` without braces, which would be read as twelve over what follows, or a command that the
        converter does not know.
    """
    if BARE_DIGITS.search(formula):
        raise ExtensionError(f"write braces round numerator and denominator: {formula}")
    known = formula
    for pattern, replacement in KNOWN:
        known = pattern.sub(replacement, known)
    try:
        return tex2mathml(known, as_block=block)
    except MathError as error:
        raise ExtensionError(f"{error} In the formula {formula}") from error


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(mathml(node.astext(), block=False))
    raise SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula">{mathml(node.astext(), block=True)}</div>\n')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
