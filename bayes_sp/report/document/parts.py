"""What a document is made of: sections of paragraphs, lists, tables, figures, without markup."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from bayes_sp.shown import signed, worded


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text."""

    text: str  # without markup
    # ``plain``; ``heading``, of a part of a section; ``note``, how to read what stands above; ``alarm``, what must be
    # seen first; ``prompt``, what the author has to write.
    kind: str = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    name: str  # of its file, and the end of its address in a page
    caption: str  # above the table
    head: tuple[str, ...]  # names of the columns
    rows: tuple[tuple[str, ...], ...]  # cells; a row with a first cell only is a heading within the table
    note: str = ""  # below the table
    words: bool = False  # whether its cells are words, which stand on the left


@dataclass(frozen=True)
class Verbatim:
    """Text in lines of its own, as it was printed."""

    text: str


@dataclass(frozen=True)
class Image:
    """A figure: its file, what it shows in words, and its caption."""

    path: Path
    alternative: str
    caption: str


type Block = Paragraph | Bullets | Table | Verbatim | Image


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def as_shown(block: Block) -> Block:
    """Return a block as it is shown.

    A minus sign, at which no line breaks, stands in numbers in place of a hyphen, and people have their name.
    """
    match block:
        case Paragraph(text, kind):
            return Paragraph(_shown(text), kind)
        case Bullets(items):
            return Bullets(tuple(map(_shown, items)))
        case Table():
            rows = tuple(tuple(map(_shown, row)) for row in block.rows)
            head = tuple(map(_shown, block.head))
            return replace(block, caption=_shown(block.caption), head=head, rows=rows, note=_shown(block.note))
        case Image(path, alternative, caption):
            return Image(path, worded(alternative), _shown(caption))
    return block


def _shown(text: str) -> str:
    return signed(worded(text))


@dataclass(frozen=True)
class Document:
    """A document, from its title to its last section."""

    # title, subtitle: in the head.
    title: str
    subtitle: str
    sections: tuple[Section, ...] = field(default=())  # in their order
    language: str = "en"  # of its text

    @property
    def tables(self) -> list[Table]:
        """Every table, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]
