"""``python tests/stored_notebooks.py [NAME ...]``: run notebooks, all by default, and store what they show."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def stored(name: str) -> NotebookNode:
    """Return a notebook as it is stored."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def executed(notebook: NotebookNode, *cells: str) -> NotebookNode:
    """Return a notebook with the outputs of a fresh run, of further cells at its end too."""
    fresh = nbformat.from_dict(json.loads(json.dumps(notebook)))
    fresh.cells += [nbformat.v4.new_code_cell(source) for source in cells]
    resources = {"metadata": {"path": str(ROOT)}}
    client = NotebookClient(fresh, timeout=300, kernel_name="python3", resources=resources, record_timing=False)
    return joined(client.execute())


def joined(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook in which a cell's text is one output, however it was cut on its way."""
    for cell in notebook.cells:
        whole: list[NotebookNode] = []
        for output in cell.get("outputs", []):
            last = whole[-1] if whole else None
            if last and output.output_type == last.output_type == "stream" and output.name == last.name:
                last.text += output.text
            else:
                whole.append(output)
        if cell.cell_type == "code":
            cell.outputs = whole
    return notebook


def shown(notebook: NotebookNode) -> list[list[tuple[str, ...]]]:
    """Return of each code cell what kinds of output it has."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[(o.output_type, *sorted(o.get("data", {}))) for o in cell.outputs] for cell in cells]


def printed(notebook: NotebookNode, stream: str = "stdout") -> str:
    """Return everything that the code cells print."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(o.text for o in outputs if o.output_type == "stream" and o.name == stream)


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        notebook = executed(stored(name))
        notebook.metadata.pop("language_info", None)
        nbformat.write(notebook, FOLDER / f"{name}.ipynb")
