"""Write the table of modules in ARCHITECTURE.md from their docstrings: ``python tests/architecture_table.py``."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, PAGE = ROOT / "bayes_sp", ROOT / "ARCHITECTURE.md"
HEAD = "| module | holds |\n|---|---|\n"


def architecture_table(order: Sequence[str]) -> str:
    """Return a row for each file, and one for each folder, in the order of the rooms."""

    def place(path: Path) -> tuple[int, list[tuple[bool, str]]]:
        parts = path.relative_to(PACKAGE).parts
        inside = [(folder, part) for part, folder in zip(parts, [False] + [True] * len(parts), strict=False)]
        return order.index(parts[0].removesuffix(".py")), [
            (len(parts) > k + 1, part) for k, (_, part) in enumerate(inside)
        ]

    rows = []
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda p: (-1, []) if p == PACKAGE / "__init__.py" else place(p)):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        sentence = " ".join(docstring.split("\n\n")[0].split()).rstrip(".").replace("|", "\\|")
        name = path.relative_to(PACKAGE).as_posix()
        if path.name == "__init__.py" and path.parent != PACKAGE:
            rows.append(f"| **`{name.removesuffix('__init__.py')}`** | **{sentence}** |")
        else:
            rows.append(f"| `{name}` | {sentence} |")
    return HEAD + "\n".join(rows) + "\n"


def write_table(order: Sequence[str]) -> None:
    """Put the table in the place of the one that stands there."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)*", lambda _: architecture_table(order), text), encoding="utf-8")


if __name__ == "__main__":
    from test_architecture import ORDER

    write_table(ORDER)
