"""A finished run that reports itself, in the format that a file's name ends with."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.errors import RunError
from bayes_sp.files import check_file, write_whole
from bayes_sp.report.document.content import document_of
from bayes_sp.report.document.markup import html_text, latex_text, markdown_text
from bayes_sp.report.document.parts import Block, Document, Image
from bayes_sp.report.document.word import word_file
from bayes_sp.report.folders import finished

if TYPE_CHECKING:
    from bayes_sp.analysis.fit import Fit

FORMATS = (".html", ".md", ".docx", ".tex")


def write_report(
    run: finished.Run | str | Path, file: str | Path, *, sensitivity: str | Path | None = None, overwrite: bool = False
) -> Path:
    """Write the report of a finished run, and return where it stands.

    Raises RunError for another ending, a file that stands there already or cannot be written, and as `read_run`.

    ``file`` ends in ``.html`` (one page with its figures in it), ``.md``, ``.docx``, or ``.tex`` (the tables, for
    array, booktabs and longtable).
    """
    path = check_report(file, overwrite=overwrite)
    _write(document_of(run, sensitivity), path, overwrite=overwrite)
    return path


def write_fit_report(
    fit: Fit, file: str | Path, *, sensitivity: str | Path | None = None, check: bool = False, replicates: int = 5000,
    overwrite: bool = False, notify: Callable[[str], None] = lambda _: None,
) -> Path:  # fmt: skip
    """Write the report of a fit that is not saved, and return where it stands.

    As `write_report`, of one fit or one of several sets of records; the figures of a Markdown file stand in a folder
    beside it. With ``check`` the fit is also criticised; 0 ``replicates`` make no bootstrap.
    """
    from bayes_sp.analysis.workflow import analyse_fit  # which the report of a finished run does not need
    from bayes_sp.report.folders.analysis import save_analysis
    from bayes_sp.report.text.summary import summary_text

    path = check_report(file, overwrite=overwrite)
    analysis = analyse_fit(fit, replicates=replicates, check=check, notify=notify)
    with tempfile.TemporaryDirectory() as place:
        run = save_analysis(analysis, Path(place) / "run", summary=summary_text(analysis))
        document = document_of(run, sensitivity, saved=False)
        if path.suffix.lower() == ".md":
            document = _figures_beside(document, path)
        _write(document, path, overwrite=overwrite)
    return path


def _write(document: Document, path: Path, *, overwrite: bool) -> None:
    writers: dict[str, Callable[[Document], str | bytes]] = {
        ".html": html_text, ".md": lambda found: markdown_text(found, path.parent), ".docx": word_file,
        ".tex": latex_text,
    }  # fmt: skip
    write_whole(path, writers[path.suffix.lower()](document), overwrite=overwrite)


def _figures_beside(document: Document, path: Path) -> Document:
    """Copy a document's figures into a folder beside a file, and return the document that names them there."""
    folder = path.with_name(f"{path.stem}-figures")
    folder.mkdir(exist_ok=True)

    def moved(block: Block) -> Block:
        if not isinstance(block, Image):
            return block
        return replace(block, path=Path(shutil.copy(block.path, folder / block.path.name)))

    sections = tuple(replace(own, blocks=tuple(map(moved, own.blocks))) for own in document.sections)
    return replace(document, sections=sections)


def check_report(file: str | Path, *, overwrite: bool) -> Path:
    """Refuse a file of no known format, or one that cannot be written, before any work."""
    path = Path(file)
    if path.suffix.lower() not in FORMATS:
        raise RunError(str(path), [f"must end in one of {', '.join(FORMATS)}"])
    check_file(path, overwrite=overwrite)
    return path


class Run(finished.Run):
    """A finished run as read back from its folder, which can write its report."""

    def report(self, file: str | Path, *, sensitivity: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the report of this run; see `write_report`."""
        return write_report(self, file, sensitivity=sensitivity, overwrite=overwrite)


def read_run(folder: str | Path) -> Run:
    """Read a finished run.

    Parameters
    ----------
    folder
        The run's folder, as ``fit --out`` wrote it.

    Returns
    -------
    Run
        Its tables as data frames, its draws for ArviZ, and ``report()``.

    Raises
    ------
    RunError
        Naming every file that is missing, cannot be read, or is not as the run wrote it.
    """
    return Run(**vars(finished.read_run(folder)))
