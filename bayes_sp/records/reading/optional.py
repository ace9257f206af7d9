"""Readers that are installed on demand."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from bayes_sp.errors import SurveyError


def needed(module: str, extra: str, path: Path) -> ModuleType:
    """Import the library that reads a format.

    Raises SurveyError where it is not installed, with what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        todo = f"pip install 'bayes_sp[{extra}]', or save the file as CSV"
        raise SurveyError(str(path), [f"is read by {module}, which is not installed: {todo}"]) from error
