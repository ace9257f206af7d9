"""A run's folder is written whole or not at all, and nothing that is not a run is ever replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bayes_sp.errors import RunError
from bayes_sp.runs import RUN_FILE, check_destination, default_folder, read_run, run_folder, write_whole

WRITER = """
import sys, time
from pathlib import Path
from bayes_sp import cli
from bayes_sp.runs import run_folder
def write(options):
    with run_folder(Path(sys.argv[1])) as partial:
        (partial / "run.toml").write_text("half")
        print("half written", flush=True)
        time.sleep(60)
class Parser:
    def parse_args(self, arguments):
        return type("Options", (), {"command": staticmethod(write)})
cli._parser = Parser
sys.exit(cli.main([]))
"""


def write_run(folder: Path, text: str = "seed = 1", **options) -> None:
    with run_folder(folder, **options) as partial:
        (partial / RUN_FILE).write_text(text, encoding="utf-8")


def fail_half_way(folder: Path, error: BaseException, **options) -> None:
    with run_folder(folder, **options) as partial:
        (partial / RUN_FILE).touch()
        raise error


def stop_in_the_middle(folder: Path, with_signal: int) -> int:
    """Start a process that writes a run, stop it half way, and return its exit status."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half written\n"
    process.send_signal(with_signal)
    status = process.wait(timeout=30)
    process.stdout.close()
    return status


def test_a_whole_run_takes_its_name(tmp_path):
    """What was written into the temporary folder stands in the named one, and nothing else stands beside it."""
    write_run(tmp_path / "deep" / "run")
    assert (tmp_path / "deep" / "run" / RUN_FILE).read_text(encoding="utf-8") == "seed = 1"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing(tmp_path, error):
    """A block that raises, or is interrupted, leaves neither the folder nor a part of it."""
    with pytest.raises(error):
        fail_half_way(tmp_path / "run", error())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_error_leaves_nothing_and_is_the_users(tmp_path):
    """What the disk refuses is reported with the folder's name."""
    with (
        pytest.raises(RunError, match=r"run: cannot be written \(No such file"),
        run_folder(tmp_path / "run") as partial,
    ):
        (partial / "missing" / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replacement_keeps_the_old_run(tmp_path):
    """With --overwrite, the old run goes only when the new one is whole."""
    write_run(tmp_path / "run", "old = 1")
    with pytest.raises(ValueError, match="half way"):
        fail_half_way(tmp_path / "run", ValueError("half way"), overwrite=True)
    assert (tmp_path / "run" / RUN_FILE).read_text(encoding="utf-8") == "old = 1"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_replacement_leaves_nothing_of_the_old_run(tmp_path):
    """An overwritten folder holds the new run's files alone."""
    write_run(tmp_path / "run", "old = 1")
    (tmp_path / "run" / "old.csv").touch()
    write_run(tmp_path / "run", "new = 1", overwrite=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [RUN_FILE]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_killed_process_leaves_nothing_that_looks_finished(tmp_path):
    """After SIGKILL there is no run; what is left is hidden, and the next run to the same place removes it."""
    assert stop_in_the_middle(tmp_path / "run", signal.SIGKILL) == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".run.partial-")
    with pytest.raises(RunError, match="no such folder"):
        read_run(tmp_path / "run")
    write_run(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_stopped_command_leaves_nothing(tmp_path):
    """SIGTERM ends a command with status 143 after it has cleaned up."""
    assert stop_in_the_middle(tmp_path / "run", signal.SIGTERM) == 143
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_command_leaves_nothing(tmp_path):
    """Ctrl-C ends a command with status 130 after it has cleaned up."""
    assert stop_in_the_middle(tmp_path / "run", signal.SIGINT) == 130
    assert list(tmp_path.iterdir()) == []


def test_only_what_dead_processes_left_is_removed(tmp_path):
    """The unfinished folder of a living process, and folders of other names, stay; our own number is an old one's."""
    stays = {f".run.partial-{os.getppid()}", ".run.partial-notes", ".run2.partial-999999", "run.partial-999999"}
    goes = {f".run.partial-{os.getpid()}", ".run.partial-999999", ".run.partial-old-999999"}
    for name in stays | goes:
        (tmp_path / name).mkdir()
    write_run(tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == stays | {"run"}


def test_a_name_with_signs_of_patterns_is_a_plain_name(tmp_path):
    """Brackets and stars in a folder's name match nothing but themselves."""
    (tmp_path / ".run[1]*.partial-999999").mkdir()
    (tmp_path / ".run1.partial-999999").mkdir()
    write_run(tmp_path / "run[1]*")
    assert {path.name for path in tmp_path.iterdir()} == {"run[1]*", ".run1.partial-999999"}


def test_an_existing_folder_is_refused(tmp_path):
    """Nothing is replaced unless it is asked for."""
    write_run(tmp_path / "run")
    with pytest.raises(RunError, match=r"exists already; name another folder with --out, or add --overwrite"):
        check_destination(tmp_path / "run", overwrite=False)


def test_what_is_not_a_run_is_never_replaced(tmp_path):
    """A folder of other files and a plain file are refused even with --overwrite; an empty folder may be taken."""
    for name in ("photos", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    (tmp_path / "notes.txt").write_text("dear", encoding="utf-8")
    for name in ("photos", "notes.txt"):
        with pytest.raises(RunError, match=r"is not the folder of a run \(it has no run.toml\); it is not replaced"):
            write_run(tmp_path / name, overwrite=True)
    write_run(tmp_path / "empty", overwrite=True)
    assert (tmp_path / "empty" / RUN_FILE).is_file()
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "dear"


def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    """A parent that is a file, or that is not ours to write, is found at once."""
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file is not a folder that you may write to"):
        check_destination(tmp_path / "file" / "run", overwrite=False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(RunError, match="is not a folder that you may write to"):
        check_destination(tmp_path / "a" / "run", overwrite=False)


def test_the_default_folder_is_named_after_what_it_holds(in_folder):
    """Model, data digest and seed; taken names are numbered."""
    assert default_folder("primary", "0123456789abcdef", 7) == Path("runs/primary-01234567-7")
    for number in ("", "-2"):
        (in_folder / f"runs/primary-01234567-7{number}").mkdir(parents=True)
    assert default_folder("primary", "0123456789abcdef", 7) == Path("runs/primary-01234567-7-3")
    assert default_folder("my model/../x", "ab", 1) == Path("runs/my_model_.._x-ab-1")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "is not a finished run: run.toml is missing"),
        ({"run.toml": "seed = "}, "run.toml cannot be read"),
        ({"run.toml": "seed = 1", "effects.csv": ""}, "effects.csv cannot be read"),
        ({"run.toml": "seed = 1", "posterior.nc": "no netCDF"}, "posterior.nc cannot be read"),
    ],
)
def test_a_folder_that_is_no_run_is_refused(tmp_path, files, problem):
    """Missing and broken files are named."""
    if files:
        for name in ("posterior.nc", "effects.csv", "comparison.csv", "diagnostics.csv", "bootstrap.csv"):
            (tmp_path / name).write_text("path\n", encoding="utf-8")
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert problem in str(caught.value)


def test_every_missing_file_is_named(tmp_path):
    """A folder without anything lacks all six files of a run."""
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert len(caught.value.problems) == 6


def test_a_text_file_is_written_whole_or_not_at_all(tmp_path):
    """An existing file stays unless it may be replaced, and a folder or a missing parent is refused."""
    write_whole(tmp_path / "a.csv", "one")
    with pytest.raises(RunError, match="exists already; name another file, or add --overwrite"):
        write_whole(tmp_path / "a.csv", "two")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "one"
    write_whole(tmp_path / "a.csv", "two", overwrite=True)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "two"
    for place, words in ((tmp_path, "is a folder; name a file"), (tmp_path / "no" / "a.csv", "cannot be written")):
        with pytest.raises(RunError, match=words):
            write_whole(place, "x", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_old_run_is_there_until_the_new_one_is_whole(tmp_path):
    """While a replacement is being written, the folder still holds the old run."""
    write_run(tmp_path / "run", "old = 1")
    with run_folder(tmp_path / "run", overwrite=True) as partial:
        (partial / RUN_FILE).write_text("new = 1", encoding="utf-8")
        assert (tmp_path / "run" / RUN_FILE).read_text(encoding="utf-8") == "old = 1"
    assert (tmp_path / "run" / RUN_FILE).read_text(encoding="utf-8") == "new = 1"
