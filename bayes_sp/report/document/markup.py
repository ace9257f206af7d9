"""A document as HTML, Markdown and LaTeX tables: self-contained texts without any reference to a network."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bayes_sp.report.document.parts import Block, Bullets, Document, Image, Paragraph, Table, Verbatim

WIDTH = 6.5  # inches of text on a letter page
LARGEST, SMALLEST = 8.5, 6.5  # points of a table's font
MOST_LETTERS = 40  # of a column, for its share of the width
LETTERS = 112.0  # of a wide font of one point, to an inch
TEMPLATE = Path(__file__).with_name("report.html.j2")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\u2212": "$-$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip

_LATEX_HEAD = r"""% Tables, to be read by \input{...} into a document whose head has
%   \usepackage[T1]{fontenc}
%   \usepackage{array,booktabs,longtable}
% and, for lines as long as a letter page has them, \usepackage[margin=1in]{geometry}."""
_SIZES = (r"\footnotesize", r"\scriptsize")


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
    """Return a text in which no line ends within an interval in brackets or P(< 0), nor before a sign of per cent."""
    whole = re.sub(r"\[([^\[\] ]{1,24}), ([^\[\] ]{1,24})\]", "[\\1,\u00a0\\2]", text)
    whole = re.sub(r"(\d) \[", "\\1\u00a0[", whole)
    whole = re.sub(r"(\d) to (\u2212?\d)", "\\1\u00a0to\u00a0\\2", whole)
    whole = re.sub(r"P\(([<>]) 0\)", "P(\\1\u00a00)", whole)
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


def column_widths(table: Table) -> tuple[list[float], float]:
    """Return the inches of each column, and the points of the font: no word is divided, long columns get what is left.

    The first column is wide enough for two lines; an interval is one word.
    """
    body = [row for row in (table.head, *table.rows) if not is_part(row)]
    columns = [[unbroken(row[i].rstrip()) for row in body] for i in range(len(table.head))]
    words = [max((len(word) for text in own for word in text.split(" ")), default=1) + 2 for own in columns]
    words[0] = max(words[0], min(max(map(len, columns[0])), MOST_LETTERS) // 2 + 4)
    size = LARGEST
    while size > SMALLEST and sum(words) * size / LETTERS > WIDTH:
        size -= 0.5
    least = [count * size / LETTERS for count in words]
    wanted = [
        max(0.0, min(max(map(len, own)), MOST_LETTERS) - count) for own, count in zip(columns, words, strict=True)
    ]
    left = max(0.0, WIDTH - sum(least)) / (sum(wanted) or 1.0)
    return [width + min(left * more, more * size / LETTERS) for width, more in zip(least, wanted, strict=True)], size


def latex_text(document: Document) -> str:
    """Return every table as LaTeX, to be read into a document with the packages array, booktabs and longtable."""
    return "\n\n".join([_LATEX_HEAD, *(_latex(table) for table in document.tables)]) + "\n"


def _latex(table: Table) -> str:
    widths, size = column_widths(table)
    wraps = [table.words or place == 0 for place in range(len(widths))]
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{_part(width / max(WIDTH, sum(widths)))}}}" if wrapped else "r"
        for width, wrapped in zip(widths, wraps, strict=True)
    )  # fmt: skip
    head = " & ".join(_escaped(cell) for cell in table.head)
    lines = [
        rf"\begingroup{_SIZES[size < LARGEST - 1]}\setlength{{\tabcolsep}}{{3pt}}",
        rf"\begin{{longtable}}{{{columns}}}", rf"\caption{{{_escaped(table.caption)}}}\label{{tab:{table.name}}}\\",
        r"\toprule", rf"{head} \\", r"\midrule", r"\endfirsthead",
        r"\toprule", rf"{head} \\", r"\midrule", r"\endhead",
    ]  # fmt: skip
    for row in table.rows:
        if is_part(row):
            words = rf"\raggedright\textit{{{_escaped(row[0].strip())}}}"
            heading = rf"\parbox[t]{{{_part(min(1.0, sum(widths) / WIDTH))}}}{{{words}}}"
            lines.append(rf"\multicolumn{{{len(row)}}}{{l}}{{\makebox[0pt][l]{{{heading}}}}} \\*")
        else:
            indent = r"\quad " if row[0].startswith("    ") else ""
            lines.append(indent + " & ".join(_escaped(cell.strip()) for cell in row) + r" \\")
    lines += [r"\bottomrule", r"\end{longtable}"]
    return "\n".join([*lines, *([rf"\noindent {_escaped(table.note)}"] if table.note else []), r"\par\endgroup"])


def _part(share: float) -> str:
    """Return the width of a column that takes up a share of the line."""
    return rf"\dimexpr{share:.3f}\linewidth-2\tabcolsep\relax"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)
