"""A document as HTML, Markdown and LaTeX tables: self-contained texts without any reference to a network."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bayes_sp.report.document.parts import Block, Bullets, Document, Image, Paragraph, Table, Verbatim

TEMPLATE = Path(__file__).with_name("report.html.j2")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\u2212": "$-$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def html_text(document: Document) -> str:
    """Return a document as one HTML page with its figures in it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        document=document,
        kind_of=lambda block: type(block).__name__,
        picture=_picture,
        is_part=is_part,
        unbroken=unbroken,
    )


def _picture(image: Image) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.path.read_bytes()).decode('ascii')}"


def unbroken(text: str) -> str:
    """Return a text in which no line ends within an interval in brackets, nor before a unit's sign of per cent."""
    whole = re.sub(r"\[([^\[\] ]{1,24}), ([^\[\] ]{1,24})\]", "[\\1,\u00a0\\2]", text)
    whole = re.sub(r"(\d) \[", "\\1\u00a0[", whole)
    whole = re.sub(r"(\d) to (\u2212?\d)", "\\1\u00a0to\u00a0\\2", whole)
    return re.sub(r"(\d) %", "\\1\u00a0%", whole)


def is_part(row: tuple[str, ...]) -> bool:
    """Whether a row of a table is a heading within it."""
    return len(row) > 1 and not any(row[1:])


def markdown_text(document: Document, folder: Path | None = None) -> str:
    """Return a document as Markdown; figures are named by their files, seen from the folder that the text stands in."""
    lines = [f"# {_marked(document.title)}", "", _marked(document.subtitle), ""]
    for section in document.sections:
        lines += [f"## {_marked(section.title)}", ""]
        for block in section.blocks:
            lines += [*_markdown(block, folder), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown(block: Block, folder: Path | None) -> Iterator[str]:
    match block:
        case Paragraph(text, "heading"):
            yield f"### {_marked(text)}"
        case Paragraph(text, "alarm"):
            yield f"> **{_marked(text)}**"
        case Paragraph(text, "prompt"):
            yield f"> To write: {_marked(text)}"
        case Paragraph(text):
            yield _marked(text)
        case Bullets(items):
            yield from (f"- {_marked(item)}" for item in items)
        case Verbatim(text):
            yield from ("```text", *text.splitlines(), "```")
        case Image(path, alternative, caption):
            place = path.name if folder is None else os.path.relpath(path, folder)
            yield from (f"![{_marked(alternative)}](<{place}>)", "", f"*{_marked(caption)}*")
        case Table():
            yield from (f"**{_marked(block.caption)}**", "")
            yield f"| {' | '.join(_celled(cell) for cell in block.head)} |"
            yield "|" + "---|" * len(block.head)
            yield from (f"| {' | '.join(_celled(cell) for cell in row)} |" for row in block.rows)
            yield from ("", _marked(block.note)) if block.note else ()


def _marked(text: str) -> str:
    """Return text of which no sign is Markdown's."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)


def _celled(text: str) -> str:
    return _marked(text.strip()).replace("\n", " ")


def latex_text(document: Document) -> str:
    """Return every table as LaTeX, to be read into a document with the packages booktabs and longtable."""
    return "\n\n".join(_latex(table) for table in document.tables) + "\n"


def _latex(table: Table) -> str:
    columns = "l" * len(table.head) if table.words else "l" + "r" * (len(table.head) - 1)
    head = " & ".join(_escaped(cell) for cell in table.head)
    lines = [
        rf"\begin{{longtable}}{{{columns}}}", rf"\caption{{{_escaped(table.caption)}}}\label{{tab:{table.name}}}\\",
        r"\toprule", rf"{head} \\", r"\midrule", r"\endhead",
    ]  # fmt: skip
    for row in table.rows:
        if is_part(row):
            lines.append(rf"\multicolumn{{{len(row)}}}{{l}}{{\textit{{{_escaped(row[0].strip())}}}}} \\")
        else:
            indent = r"\quad " if row[0].startswith("    ") else ""
            lines.append(indent + " & ".join(_escaped(cell.strip()) for cell in row) + r" \\")
    lines += [r"\bottomrule", r"\end{longtable}"]
    return "\n".join([*lines, rf"\noindent {_escaped(table.note)}"] if table.note else lines)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)
