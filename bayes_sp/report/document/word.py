"""A document as a Word file: tables with three rules, as journals of psychology and medicine set them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from bayes_sp.errors import RunError
from bayes_sp.report.document.markup import WIDTH, column_widths, is_part, unbroken
from bayes_sp.report.document.parts import Bullets, Document, Image, Paragraph, Table, Verbatim

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

MARGIN, SMALL, PLAIN = 1.0, 8.5, 10.5  # inches on each side of a letter page; points


def word_file(document: Document) -> bytes:
    """Return a document as the content of a ``.docx`` file.

    Raises RunError where python-docx is not installed.
    """
    try:
        import docx
        import docx.enum.text
    except ModuleNotFoundError as error:
        todo = "pip install 'bayes_sp[word]', or ask for .html, .md or .tex"
        raise RunError("a Word file", [f"is written by python-docx, which is not installed: {todo}"]) from error
    word = docx.Document()
    word.core_properties.title, word.core_properties.language = document.title, document.language
    word.styles["Normal"].font.name, word.styles["Normal"].font.size = "Calibri", docx.shared.Pt(PLAIN)
    for paper in word.sections:
        paper.left_margin = paper.right_margin = docx.shared.Inches(MARGIN)
    word.add_heading(document.title, level=0)
    word.add_paragraph(document.subtitle)
    for section in document.sections:
        word.add_heading(section.title, level=1)
        for block in section.blocks:
            match block:
                case Paragraph(text, "heading"):
                    word.add_heading(text, level=2)
                case Paragraph(text, kind):
                    run = word.add_paragraph().add_run(unbroken(f"To write: {text}" if kind == "prompt" else text))
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
    widths, size = column_widths(table)
    _fill(made.rows[0], table.head, table, size, docx)
    for row in table.rows:
        new = made.add_row()
        _fill(new, row, table, size, docx)
        if is_part(row):
            whole = new.cells[0].merge(new.cells[-1])
            for empty in whole.paragraphs[1:]:
                empty._element.getparent().remove(empty._element)
            whole.paragraphs[0].paragraph_format.keep_with_next = True
            whole.paragraphs[0].runs[0].italic = True
    made.autofit = False
    for column, width in zip(made.columns, widths, strict=True):
        for cell in (column, *column.cells):
            cell.width = docx.shared.Inches(width)
    made.rows[0]._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:tblHeader"))  # it stands again on each page
    _rule(made.rows[0].cells, docx, "top", "bottom")
    _rule(made.rows[-1].cells, docx, "bottom")
    if table.note:
        run = word.add_paragraph().add_run(table.note)
        run.italic, run.font.size = True, docx.shared.Pt(SMALL)


def _fill(row: Any, texts: tuple[str, ...], table: Table, size: float, docx: Any) -> None:  # noqa: ANN401 - its types
    """Write a row, which no page's end divides: numbers on the right, words on the left."""
    row._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:cantSplit"))
    for place, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = docx.shared.Pt(0)
        paragraph.add_run(unbroken(text.strip())).font.size = docx.shared.Pt(size)
        if place == 0 and text.startswith("    "):
            paragraph.paragraph_format.left_indent = docx.shared.Pt(9)
        elif place and not table.words:
            paragraph.alignment = docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT


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
