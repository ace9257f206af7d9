"""A document as a Word file: tables with three rules, as journals of psychology and medicine set them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from bayes_sp.errors import RunError
from bayes_sp.report.document.markup import is_part
from bayes_sp.report.document.parts import Bullets, Document, Image, Paragraph, Table, Verbatim

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

WIDTH = 6.3  # inches of text
SMALL, PLAIN = 8.5, 10.5  # points
LEAST_LETTERS, MOST_LETTERS = 8, 40  # of a column, for its width


def word_file(document: Document) -> bytes:
    """Return a document as the content of a ``.docx`` file.

    Raises
    ------
    RunError
        Where python-docx is not installed.
    """
    try:
        import docx
    except ModuleNotFoundError as error:
        todo = "pip install 'bayes_sp[word]', or ask for .html, .md or .tex"
        raise RunError("a Word file", [f"is written by python-docx, which is not installed: {todo}"]) from error
    word = docx.Document()
    word.core_properties.title, word.core_properties.language = document.title, document.language
    word.styles["Normal"].font.name, word.styles["Normal"].font.size = "Calibri", docx.shared.Pt(PLAIN)
    word.add_heading(document.title, level=0)
    word.add_paragraph(document.subtitle)
    for section in document.sections:
        word.add_heading(section.title, level=1)
        for block in section.blocks:
            match block:
                case Paragraph(text, "heading"):
                    word.add_heading(text, level=2)
                case Paragraph(text, kind):
                    run = word.add_paragraph().add_run(f"To write: {text}" if kind == "prompt" else text)
                    run.bold, run.italic = kind == "alarm", kind in ("note", "prompt")
                case Bullets(items):
                    for item in items:
                        word.add_paragraph(item, style="List Bullet")
                case Verbatim(text):
                    run = word.add_paragraph().add_run(text)
                    run.font.name, run.font.size = "Courier New", docx.shared.Pt(6.5)
                case Image(path, alternative, caption):
                    shape = word.add_picture(str(path), width=docx.shared.Inches(WIDTH))
                    shape._inline.docPr.set("descr", alternative)
                    word.add_paragraph().add_run(caption).italic = True
                case Table():
                    _add_table(word, block, docx)
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()


def _add_table(word: WordDocument, table: Table, docx: Any) -> None:  # noqa: ANN401 - the package
    caption = word.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.add_run(table.caption).bold = True
    made = word.add_table(rows=1, cols=len(table.head))
    _fill(made.rows[0].cells, table.head, docx)
    for row in table.rows:
        cells = made.add_row().cells
        _fill(cells, row, docx)
        if is_part(row):
            whole = cells[0].merge(cells[-1])
            for empty in whole.paragraphs[1:]:
                empty._element.getparent().remove(empty._element)
    _set_widths(made, table, docx)
    _repeat_head(made.rows[0], docx)
    _rule(made.rows[0].cells, docx, "top", "bottom")
    _rule(made.rows[-1].cells, docx, "bottom")
    if table.note:
        run = word.add_paragraph().add_run(table.note)
        run.italic, run.font.size = True, docx.shared.Pt(SMALL)


def _fill(cells: Any, texts: tuple[str, ...], docx: Any) -> None:  # noqa: ANN401 - the package's
    for place, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = docx.shared.Pt(0)
        run = paragraph.add_run(text.strip())
        run.font.size = docx.shared.Pt(SMALL)
        if place == 0 and text.startswith("    "):
            paragraph.paragraph_format.left_indent = docx.shared.Pt(9)


def _set_widths(made: Any, table: Table, docx: Any) -> None:  # noqa: ANN401 - the package's
    """Give each column a share of the width by its longest cell, no less than a tenth of the widest."""
    body = [row for row in (table.head, *table.rows) if not is_part(row)]
    longest = [min(max(len(row[i].strip()) for row in body), MOST_LETTERS) for i in range(len(table.head))]
    longest = [max(length, LEAST_LETTERS) for length in longest]
    made.autofit = False
    for column, length in zip(made.columns, longest, strict=True):
        column.width = width = docx.shared.Inches(WIDTH * length / sum(longest))
        for cell in column.cells:
            cell.width = width


def _repeat_head(row: Any, docx: Any) -> None:  # noqa: ANN401 - the package's
    """Let a table's first row stand again on each page."""
    row._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:tblHeader"))


def _rule(cells: Any, docx: Any, *sides: str) -> None:  # noqa: ANN401 - the package's
    """Draw a line on these sides of some cells."""
    qn, element = docx.oxml.ns.qn, docx.oxml.OxmlElement
    for cell in cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = element("w:tcBorders")
            properties.append(borders)
        for side in sides:
            line = element(f"w:{side}")
            for key, value in (("val", "single"), ("sz", "8"), ("color", "000000")):
                line.set(qn(f"w:{key}"), value)
            borders.append(line)
