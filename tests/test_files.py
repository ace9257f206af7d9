"""Files are written whole or not at all, and nothing that stands there is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bayes_sp.errors import RunError
from bayes_sp.files import WholeFile, check_place, claim, write_whole


def fill_a_disk(path: Path) -> None:
    with WholeFile(path, overwrite=True) as partial:
        partial.write_bytes(b"ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_too_late(path: Path) -> None:
    with WholeFile(path) as partial:
        partial.write_bytes(b"new")
        path.write_bytes(b"somebody's")


def test_a_text_file_is_written_whole_or_not_at_all(tmp_path):
    """An existing file stays unless it may be replaced, and a folder or a missing parent is refused."""
    write_whole(tmp_path / "a.csv", "one")
    with pytest.raises(RunError, match="exists already; name another file, or add --overwrite"):
        write_whole(tmp_path / "a.csv", "two")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "one"
    write_whole(tmp_path / "a.csv", "two", overwrite=True)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "two"
    for place, words in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "no" / "a.csv", "cannot be written"),
        (tmp_path / "a.csv" / "x", "cannot be written"),
        (tmp_path / ("x" * 300), "cannot be written"),
        (tmp_path.joinpath(*["x" * 200] * 30), "cannot be written"),
    ):
        with pytest.raises(RunError, match=words):
            write_whole(place, "x", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path):
    """What was there stays, and nothing half-written stands beside it."""
    write_whole(tmp_path / "a.png", b"old")
    with pytest.raises(RunError, match=r"a.png: cannot be written \(No space left on device\)"):
        fill_a_disk(tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    """It was not there when the writing began."""
    with pytest.raises(RunError, match="exists by now"):
        write_too_late(tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"somebody's"]


def test_a_link_to_a_file_is_followed(tmp_path):
    """The file that it points at is replaced, and the link stays."""
    write_whole(tmp_path / "a.csv", "one")
    (tmp_path / "link").symlink_to("a.csv")
    write_whole(tmp_path / "link", "two", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "two"


@pytest.mark.parametrize("links", [True, False])
def test_a_name_is_claimed_once(tmp_path, monkeypatch, links):
    """Also on a disk that knows no second name of a file."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    for make in (Path.touch, Path.mkdir):
        for name in ("one", "two"):
            make(tmp_path / name)
        claim(tmp_path / "one", tmp_path / "it")
        with pytest.raises(FileExistsError):
            claim(tmp_path / "two", tmp_path / "it")
        for path in tmp_path.iterdir():
            (path.rmdir if path.is_dir() else path.unlink)()


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    """A folder can still be made on it, a byte cannot be written; nothing is left."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="No space left on device"):
        check_place(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_file_of_another_kind_is_refused(tmp_path):
    """A figure does not come in place of the records that its name is a link to."""
    records = tmp_path / "survey.csv"
    records.write_text("x\n1\n", encoding="utf-8")
    (tmp_path / "figure.png").symlink_to(records)
    with pytest.raises(RunError, match=r"is a link to .*survey\.csv, a file of another kind; it is not replaced"):
        write_whole(tmp_path / "figure.png", "new", overwrite=True)
    assert records.read_text(encoding="utf-8") == "x\n1\n"
