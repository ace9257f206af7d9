"""A run's folder is written whole or not at all, and nothing that is not a run is ever replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bayes_sp.errors import RunError
from bayes_sp.files import Partial, _here
from bayes_sp.report.folders.finished import read_run
from bayes_sp.report.folders.run import RUN_FILE, Destination, RunFolder, check_destination, default_folder

WRITER = """
import signal
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    signal.signal(number, handler)  # nohup and a shell's background jobs ignore them
import sys, time
from pathlib import Path
from bayes_sp.cli import main as cli
from bayes_sp.cli.stopping import Watch
from bayes_sp.report.folders.run import RunFolder
def drops(_):  # as a callback of a compiled library does
    print("half written", flush=True)
    time.sleep(60)
class Loses:
    def __del__(self):
        drops(self)
def write(options):
    with RunFolder(Path(sys.argv[1])) as new:
        new.file("run.toml").write_text("half")
        if sys.argv[2] == "lost":
            Loses()
        else:
            drops(None)
class Parser:
    def parse_args(self, arguments):
        return type("Options", (), {"command": staticmethod(write), "name": "fit", "json": False, "quiet": False})
cli._parser = Parser
with Watch():  # as the command has it: a signal just before a long call would wait for its end
    status = cli.main([])
sys.exit(status)
"""


def write_run(folder: Path | Destination, text: str = "seed = 1", **options) -> Path:
    with RunFolder(folder, **options) as new:
        new.file(RUN_FILE).write_text(f'bayes_sp = "1"\n{text}', encoding="utf-8")
    return new.folder


def said(folder: Path) -> str:
    return (folder / RUN_FILE).read_text(encoding="utf-8").splitlines()[1]


def fail_half_way(folder: Path, error: BaseException, **options) -> None:
    with RunFolder(folder, **options) as new:
        new.file(RUN_FILE).touch()
        raise error


def stop_in_the_middle(folder: Path, with_signal: int, how: str = "seen") -> int:
    """Start a process that writes a run, stop it half way, and return its exit status."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), how], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half written\n"
            process.send_signal(with_signal)
            return process.wait(timeout=30)
        finally:
            process.kill()


def test_a_whole_run_takes_its_name(tmp_path):
    """What was written into the temporary folder stands in the named one, and nothing else stands beside it."""
    write_run(tmp_path / "deep" / "run")
    assert said(tmp_path / "deep" / "run") == "seed = 1"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing(tmp_path, error):
    """A block that raises, or is interrupted, leaves neither the folder nor a part of it, nor the folder above."""
    with pytest.raises(error):
        fail_half_way(tmp_path / "runs" / "run", error())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_error_leaves_nothing_and_is_the_users(tmp_path):
    """What the disk refuses is reported with the folder's name."""
    with (
        pytest.raises(RunError, match=r"run: cannot be written \(No such file"),
        RunFolder(tmp_path / "run") as new,
    ):
        new.file("missing/file").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replacement_keeps_the_old_run(tmp_path):
    """With --overwrite, the old run goes only when the new one is whole."""
    write_run(tmp_path / "run", "old = 1")
    with pytest.raises(ValueError, match="half way"):
        fail_half_way(tmp_path / "run", ValueError("half way"), overwrite=True)
    assert said(tmp_path / "run") == "old = 1"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_replacement_leaves_nothing_of_the_old_run(tmp_path):
    """An overwritten folder holds the new run's files alone."""
    write_run(tmp_path / "run", "old = 1")
    (tmp_path / "run" / "effects.csv").touch()  # as a run of an earlier version, which had no list of its files
    (tmp_path / "run" / ".DS_Store").touch()
    write_run(tmp_path / "run", "new = 1", overwrite=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [RUN_FILE]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_killed_process_leaves_nothing_that_looks_finished(tmp_path):
    """After SIGKILL there is no run; what is left is hidden, and the next run to the same place removes it."""
    assert stop_in_the_middle(tmp_path / "run", signal.SIGKILL) == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".bayes_sp-partial-")
    with pytest.raises(RunError, match="no such folder"):
        read_run(tmp_path / "run")
    write_run(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(("with_signal", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("how", ["seen", "lost"])
def test_a_stopped_command_leaves_nothing(tmp_path, with_signal, status, how):
    """A signal ends a command after it has cleaned up, also where a library's callback drops its exception."""
    assert stop_in_the_middle(tmp_path / "run", with_signal, how) == status
    assert list(tmp_path.iterdir()) == []


def leave(folder: Path, machine: str, process: int | str, *, old: bool = False) -> Path:
    """Leave what an unfinished run of a process leaves."""
    left = Partial(folder, old=old).path
    start, _, _ = left.name.rsplit("-", 3)[0].rpartition("-")
    place = left.with_name(f"{start}-{'old' if old else 'new'}-{machine}-{process}-abc")
    place.mkdir()
    return place


def test_only_what_dead_processes_of_this_machine_left_is_removed(tmp_path):
    """What a living process, another machine or another destination has stays; our own number is an old one's."""
    folder, here = tmp_path / "run", _here()
    stays = [leave(folder, here, os.getppid()), leave(folder, "elsewhere", 999999), leave(folder, here, "notes"),
             leave(tmp_path / "run2", here, 999999)]  # fmt: skip
    goes = [leave(folder, here, os.getpid()), leave(folder, here, 999999)]
    write_run(folder)
    assert all(path.exists() for path in stays)
    assert not any(path.exists() for path in goes)


def test_what_a_killed_process_had_moved_away_comes_back(tmp_path):
    """Killed between the old run's going and the new one's coming: the next run brings the old one back."""
    folder = tmp_path / "run"
    (leave(folder, _here(), 999999, old=True) / "kept.txt").touch()
    assert write_run(folder) == tmp_path / "run-2"
    assert [path.name for path in folder.iterdir()] == ["kept.txt"]


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
    with pytest.raises(RunError, match="more than 100 folders in one another"):
        check_destination(tmp_path / Path(*"d" * 1500), overwrite=False)
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


def test_the_old_run_is_there_until_the_new_one_is_whole(tmp_path):
    """While a replacement is being written, the folder still holds the old run."""
    write_run(tmp_path / "run", "old = 1")
    with RunFolder(tmp_path / "run", overwrite=True) as new:
        new.file(RUN_FILE).write_text('bayes_sp = "1"\nnew = 1', encoding="utf-8")
        assert said(tmp_path / "run") == "old = 1"
    assert said(tmp_path / "run") == "new = 1"


RACER = """
import sys
from pathlib import Path
from bayes_sp.report.folders.run import RunFolder, check_destination
checked = check_destination(Path(sys.argv[1]), overwrite=sys.argv[2] == "overwrite")
print("checked", flush=True)
sys.stdin.readline()
with RunFolder(checked) as new:
    new.file("run.toml").write_text(f'bayes_sp = "1"\\nby = {sys.argv[3]}')
print(new.folder)
"""


@pytest.mark.parametrize("how", ["new", "overwrite"])
def test_of_runs_at_once_none_is_lost(tmp_path, how):
    """Six processes that began with the same folder save six runs; with --overwrite the old run alone is replaced."""
    if how == "overwrite":
        write_run(tmp_path / "run", "old = 1")
    processes = [
        subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path / "run"), how, str(number)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(6)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "checked\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    folders = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert folders == {str(path) for path in tmp_path.iterdir()}
    assert folders == {str(tmp_path / f"run{end}") for end in ("", "-2", "-3", "-4", "-5", "-6")}
    assert sorted(said(Path(folder)) for folder in folders) == [f"by = {number}" for number in range(6)]


def test_files_of_others_are_never_removed(tmp_path):
    """A file or folder that the run did not write, before or while the new one is made, saves the old folder."""
    write_run(tmp_path / "run", 'files = ["run.toml", "a[1]*.csv"]')
    (tmp_path / "run" / "a[1]*.csv").touch()
    destination = check_destination(tmp_path / "run", overwrite=True)
    for name, make in (("notes.txt", Path.touch), ("a1.csv", Path.touch), ("plots", Path.mkdir)):
        strange = tmp_path / "run" / name
        make(strange)
        with pytest.raises(RunError, match=f"holds {name}, which the run in it did not write; move what is yours"):
            check_destination(tmp_path / "run", overwrite=True)
        assert write_run(destination, "new = 1") != tmp_path / "run"
        assert strange.exists()
        (strange.rmdir if strange.is_dir() else strange.unlink)()
    assert write_run(destination, "new = 1") == tmp_path / "run"


def test_a_run_toml_of_another_program_is_no_run(tmp_path):
    """Nor is one that cannot be read."""
    for text in ("x = 1", "x = ", "x = " + "[" * 100_000):
        (tmp_path / RUN_FILE).write_text(text, encoding="utf-8")
        with pytest.raises(RunError, match=r"holds a run.toml that is not a run's"):
            check_destination(tmp_path, overwrite=True)


def test_a_link_is_followed_and_stays(tmp_path):
    """The run that it points at is replaced; one that points nowhere is refused before any work."""
    (tmp_path / "disk").mkdir()
    write_run(tmp_path / "disk" / "run", "old = 1")
    (tmp_path / "link").symlink_to("disk/run")
    with pytest.raises(RunError, match="exists already"):
        write_run(tmp_path / "link")
    assert write_run(tmp_path / "link", "new = 1", overwrite=True) == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert said(tmp_path / "disk" / "run") == "new = 1"
    assert len(list((tmp_path / "disk").iterdir())) == 1
    (tmp_path / "lost").symlink_to("nowhere")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="is a link to nowhere, which does not exist"):
            check_destination(tmp_path / "lost", overwrite=overwrite)


@pytest.mark.parametrize("name", ["x" * 245, "deep/" + "x" * 240, "\u00e4" * 120])
def test_a_long_name_serves(tmp_path, name):
    """As long as the disk takes it with a number after it; a second run takes that."""
    destination = check_destination(tmp_path / name, overwrite=False)
    assert write_run(destination) == tmp_path / name
    assert write_run(destination) == tmp_path / f"{name}-2"


@pytest.mark.parametrize("name", ["x" * 255, "y/" + "x" * 300, "x" * 300 + "/y"])
def test_a_name_that_the_disk_does_not_take_is_refused_before_any_work(tmp_path, name):
    """Nothing is left of the trial."""
    with pytest.raises(RunError, match=r"cannot be written \(File name too long\)"):
        check_destination(tmp_path / name, overwrite=False)
    assert list(tmp_path.iterdir()) == []
