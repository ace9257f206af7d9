"""A finished run that reports itself, in the format that a file's name ends with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bayes_sp.errors import RunError
from bayes_sp.files import check_file, write_whole
from bayes_sp.report.document.content import document_of
from bayes_sp.report.document.markup import html_text, latex_text, markdown_text
from bayes_sp.report.document.parts import Document
from bayes_sp.report.document.word import word_file
from bayes_sp.report.folders import finished

FORMATS = (".html", ".md", ".docx", ".tex")


def write_report(
    run: finished.Run | str | Path, file: str | Path, *, sensitivity: str | Path | None = None, overwrite: bool = False
) -> Path:
    """Write the report of a finished run, and return where it stands.

    Parameters
    ----------
    run
        The run, or its folder.
    file
        Ends in ``.html`` (one page with its figures in it), ``.md``, ``.docx``, or ``.tex`` (the tables, for
        booktabs and longtable).
    sensitivity
        The folder of sensitivity analyses of the same specification.
    overwrite
        Replace the file.

    Raises
    ------
    RunError
        For another ending, a file that stands there already or cannot be written, and as `read_run`.
    """
    path = check_report(file, overwrite=overwrite)
    document = document_of(run, sensitivity)
    writers: dict[str, Callable[[Document], str | bytes]] = {
        ".html": html_text, ".md": markdown_text, ".docx": word_file, ".tex": latex_text
    }  # fmt: skip
    write_whole(path, writers[path.suffix.lower()](document), overwrite=overwrite)
    return path


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
