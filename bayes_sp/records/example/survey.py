"""The files of the example survey, written out to a folder."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from bayes_sp.endings import Interruptions
from bayes_sp.errors import RunError
from bayes_sp.files import Partial, check_place, claim

NAMES = ("survey.sav", "survey.csv", "codebook.toml", "plan.toml")


def write_example(folder: Path) -> tuple[str, ...]:
    """Write the example's files into a new folder, whole or not at all, and return their names.

    Raises RunError where the folder is there already, or cannot be written.
    """
    if os.path.lexists(folder):
        raise RunError(str(folder), ["exists already; name another folder"])
    check_place(folder)
    with Interruptions() as interruptions:
        place = folder.absolute()
        partial = Partial(place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial.path.mkdir()
            for name in NAMES:
                content = files("bayes_sp.records.example").joinpath(name).read_bytes()
                (partial.path / name).write_bytes(content)
            claim(partial.path, place)
        except OSError as error:
            raise RunError(str(folder), [f"cannot be written ({error.strerror or error})"]) from error
        finally:
            interruptions.hold = True
            partial.remove()
    return NAMES
