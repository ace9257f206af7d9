"""Where a text is no TOML: the line, a caret under the place, and what to do about usual mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bayes_sp.safe_text import one_line

PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
HEADER = re.compile(r"\s*\[")
STATEMENT = re.compile(r"\s*(?:\[+\s*[\w\"']|[\w\"'.-]+\s*=)")
MOST = 20  # mistakes told at once
SHOWN = 90  # signs of a line
LONGEST = 2000  # signs of a line in which a usual mistake is looked for
BACKSLASH = "a backslash in a text; write it twice, or use single quotation marks ('...')"
TWICE = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Duplicate inline", "Cannot mutate")

# What people write -> what to do. The group of a pattern is the place; strings and comments are blanked before.
USUAL = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        ("([\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb])",
         'curly quotation marks, where TOML needs straight ones ("); some editors put them in by themselves'),
        ("([\u00a0\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff])",
         "an invisible sign that is no usual blank, such as a no-break space or a byte order mark; type a blank"),
        (r"([\u2212\u2010-\u2015])\s*\.?\d", "a minus sign or dash of a text editor; write the keyboard's hyphen"),
        (r"=\s*[+-]?\d[\d.']*(,)\d+\s*(?:[,}]|$)", "numbers have a decimal point, not a comma"),
        (r"\d\s*(%)", "numbers have no % behind them; write 0.05 for 5 %"),
        (r"[=,\[]\s*[+-]?(\.)\d", "numbers have a digit before the decimal point: 0.5, not .5"),
        (r"[=,\[]\s*[+-]?\d+(\.)(?!\d)", "numbers have a digit after the decimal point: 5.0 or 5, not 5."),
        (r"[=,\[]\s*[+-]?(0)\d", "numbers have no zeros in front; a code such as 01 stands in quotation marks"),
        (r"^\s*(//|;|--|/\*|%|REM\b)", "comments begin with #"),
        (r"[\w\x00\]}]\s*(;|//)\s*\S", "comments begin with #"),
        (r"(\r)", "an end of line as old programs wrote it (CR alone); save the file with usual ends of lines"),
        (r"^[^=]*?[\w\x00]\s*(:)(?!.*=\s*[^\s=])", "a key and its value are separated by =, not by a colon"),
        (r"[=,\[]\s*(True|TRUE|False|FALSE|Yes|YES|No|NO|yes|no|on|off)\b",
         "true and false are written so, in small letters"),
        (r"[=,\[]\s*(None|NONE|null|NULL|NA|NaN|undefined)\b", "where there is no value, leave the key out"),
        (r"(=)\s*$", "there is no value behind the ="),
        (r"=\s*(?!true\b|false\b|inf\b|nan\b)([^\W\d]\w*)", 'a text stands in straight quotation marks: "..."'),
        (r"=\s*\[(?:[^\]]*?,)??\s*(?!true\b|false\b|inf\b|nan\b)([^\W\d]\w*)",
         'texts in a list stand in quotation marks: ["a", "b"]'),
        (r"^[^\[{]*[\w\x00.\s]([,;])\s*$", "nothing stands at the end of a line, neither a comma nor a semicolon"),
        (r"^\s*(\[\[?)[^\[\]]*\]?$", "the name of a table stands between as many closing brackets as opening ones"),
        (r"(\{)[^}]*$", "a table in braces stands on one line; or give it a [section] of its own"),
        (r"^\s*([^=\[\]\x00]*[^\w\s.=\[\]\x00-][^=\[\]\x00]*?)\s*=",
         "a key of other signs than letters, digits, _ and - stands in quotation marks"),
        (r"^\s*([^=\[\]\x00]*?[^\x00-\x7f][^=\[\]\x00]*?)\s*=",
         "a key of other signs than the letters a to z, digits, _ and - stands in quotation marks"),
        (r"^\s*([\w.-]+(?:\s+[\w.-]+)+)\s*=", "a key with blanks in it stands in quotation marks"),
        (r"^\s*()[^=\[]*$", "there is no =; a line is key = value, a [table], or a comment after #"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Mistake:
    """A place in a text (from 0), what is wrong there, and whether the line alone shows that."""

    line: int
    column: int
    words: str
    sure: bool

    def told(self, lines: list[str]) -> str:
        """Return the mistake as a sentence, the line below it, and a caret below that."""
        line = lines[self.line] if self.line < len(lines) else ""
        start = max(0, min(self.column - SHOWN // 2, len(line) - SHOWN))
        before, shown = line[start : self.column], line[start : start + SHOWN]
        dots = "..." if start else ""
        plain, width = one_line(shown.replace("\t", " ")), len(one_line(before.replace("\t", " ")))
        more = "..." if start + SHOWN < len(line) else ""
        return (
            f"is not valid TOML in line {self.line + 1}, column {self.column + 1}: {self.words}\n"
            f"      {dots}{plain}{more}\n      {' ' * (len(dots) + width)}^"
        )


def mistakes(text: str, parse: Callable[[str], object]) -> list[str]:
    """Return everything that keeps a text from being TOML, each with its line.

    ``parse`` raises ``ValueError`` for a text that is no TOML, as ``tomllib.loads`` does. A line with a usual mistake
    is taken out, so that the next one is found; what only follows from the first mistake is never told.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    left, found = list(lines), list[Mistake]()
    while len(found) < MOST:
        try:
            parse("\n".join(left))
        except ValueError as error:
            mistake = _mistake(left, str(error))
            if found and not mistake.sure:
                break
            found.append(mistake)
            if not mistake.sure or HEADER.match(left[mistake.line]) or not left[mistake.line].strip():
                break
            left[mistake.line] = ""
        else:
            break
    return [mistake.told(lines) for mistake in found]


def _mistake(lines: list[str], message: str) -> Mistake:
    """Return the place that a parser's message names, or where the mistake behind it was made."""
    place = PLACE.search(message)
    words = message[: place.start()] if place else message
    number = min(int(place[1]) - 1, len(lines) - 1) if place and place[1] else _last(lines)
    column = int(place[2]) - 1 if place and place[2] else len(lines[number])
    if message.startswith(TWICE):
        return _twice(lines, number, column, words)
    if not place and (token := words.split(" ")[0]):
        number = next((i for i, line in enumerate(lines) if token in line), 0)
        return Mistake(number, max(lines[number].find(token), 0), words, sure=False)
    if (opened := _unclosed(lines, number, at_end=not (place and place[1]))) is not None:
        return opened
    line = lines[number]
    if words.startswith("Unescaped"):
        return Mistake(number, max(line.rfind("\\", 0, column), 0), BACKSLASH, sure=True)
    bare = _bare(line)[:LONGEST]
    if (quote := re.search("[\"']", bare)) and not re.search("[\u2018-\u201e]", bare):
        return Mistake(number, quote.start(), f"the text that begins here has no closing {quote[0]}", sure=True)
    for pattern, advice in USUAL:
        if at := pattern.search(bare):
            return Mistake(number, at.start(1), advice, sure=True)
    return Mistake(number, column, words, sure=False)


def _last(lines: list[str]) -> int:
    return max((i for i, line in enumerate(lines) if line.strip()), default=0)


def _bare(line: str) -> str:
    """Return a line with its texts blanked and its comment left out, places unchanged."""
    return STRING.sub(lambda found: "\x00" * len(found[0]), line).partition("#")[0]


def _twice(lines: list[str], number: int, column: int, words: str) -> Mistake:
    """Return a mistake of a key or table that stands twice, with the line of the first."""
    line = lines[number].strip()
    key = line if line.startswith("[") else line.partition("=")[0].strip()
    start = len(lines[number]) - len(lines[number].lstrip())
    for earlier in range(number - 1, -1, -1):
        other = lines[earlier].strip()
        if key and (other if key.startswith("[") else other.partition("=")[0].strip()) == key:
            return Mistake(number, start, f"{key} stands in line {earlier + 1} already", sure=False)
    return Mistake(
        number, min(start, column), f"{key} stands twice, or as a value and as a table ({words})", sure=False
    )


def _unclosed(lines: list[str], number: int, *, at_end: bool) -> Mistake | None:
    """Return the list or long text that begins before a line and does not end before it, where the line begins anew."""
    opened = list(_open(lines[:number] if not at_end else lines))
    if not opened or not (at_end or STATEMENT.match(lines[number])):
        return None
    line, column, sign = opened[-1]
    closing = {"[": "]", "{": "}"}.get(sign, sign)
    what = "list" if sign == "[" else "table in braces" if sign == "{" else "text"
    return Mistake(line, column, f"the {what} that begins here has no closing {closing}", sure=True)


def _open(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield where brackets and long texts are opened that no later sign closes, as (line, column, sign)."""
    opened: list[tuple[int, int, str]] = []
    for number, line in enumerate(lines):
        if not opened and HEADER.match(line):
            continue
        for found in re.finditer(
            r"\"\"\"|'''|[\[\]{}]", _bare(line) if '"""' not in line and "'''" not in line else line
        ):
            sign = found[0]
            inside = opened and len(opened[-1][2]) == 3
            if (inside and sign == opened[-1][2]) or (not inside and sign in "]}" and opened):
                opened.pop()
            elif not inside and sign not in "]}":
                opened.append((number, found.start(), sign))
    yield from opened
