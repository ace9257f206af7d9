"""Every block of the README and of the docs that can run does so as it is written, page by page, in an empty folder."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from bayes_sp.cli.main import _parser, main

ROOT = Path(__file__).resolve().parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
EXAMPLES = ROOT / "docs" / "examples"
BLOCK = re.compile(r"^```(bash|console|python)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
INSTALLING = re.compile(r"^python3 -m pip install (--quiet )?uv && ")
PROGRAM = re.compile(r"^(python3 -m uv run (--quiet )?(--no-dev )?)?python -m bayes_sp ")
# The suite itself; and what takes seven minutes and is tried on the page on sensitivity with a smaller specification.
ELSEWHERE = ("python3 -m uv run --quiet --compile-bytecode pytest", "python3 -m uv run pytest",
             "python3 -m uv run --no-dev python -m bayes_sp sensitivity --all")  # fmt: skip


def lines_of(text: str) -> list[tuple[str, str]]:
    """Language and text of what can run on a page, in its order: each command, and each block of Python whole."""
    found = []
    for language, block in BLOCK.findall(text):
        pieces = [block] if language == "python" else [INSTALLING.sub("", line) for line in block.splitlines()]
        found += [(language, piece) for piece in pieces if piece not in ELSEWHERE]
    return found


def run_python(block: str) -> None:
    """Run a block on its own, in a namespace of its own."""
    exec(compile(block, "block", "exec"), {"__name__": "block"})  # noqa: S102 - our own docs


@pytest.fixture
def checkout(in_folder: Path) -> Path:
    """An empty folder with what the commands name: the examples."""
    shutil.copytree(EXAMPLES, in_folder / "docs" / "examples")
    return in_folder


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(name for name, text in PAGES.items() if lines_of(text)))
def test_what_can_run_runs(page: str, checkout: Path, capsys: pytest.CaptureFixture[str]):
    """Commands end with status 0, Python without an error, and each may use what those before it left."""
    for language, piece in lines_of(PAGES[page]):
        if language == "python":
            run_python(piece)
            continue
        assert PROGRAM.match(piece), f"{page}: {piece!r} is not a command of the program"
        status = main(shlex.split(PROGRAM.sub("", piece)))
        assert status == 0, f"{page}: {piece}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_command_is_one_of_the_program(page: str):
    """Also within sentences and tables, where a name in capitals stands for one of the reader's."""
    for command in re.findall(r"`(?:python3 -m uv run (?:--no-dev )?)?python -m bayes_sp ([^`]+)`", PAGES[page]):
        assert _parser().parse_args(shlex.split(command.replace("--help", ""))), command


def test_the_examples_are_what_the_quickstart_shows():
    """The specification to the letter, and the survey's first rows."""
    text = PAGES["quickstart.md"]
    assert f"```toml\n{(EXAMPLES / 'walks.toml').read_text(encoding='utf-8')}```" in text
    (head,) = re.findall(r"^```csv\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    survey = (EXAMPLES / "staff.csv").read_text(encoding="utf-8")
    assert survey.startswith(head)
    assert survey.count("\n") == 151


def numbers(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line)]


@pytest.mark.slow
def test_the_result_in_the_quickstart_is_what_the_program_prints(checkout: Path, capsys: pytest.CaptureFixture[str]):
    """Each row of the example's effects, up to three times the Monte Carlo error of a limit."""
    shown = PAGES["quickstart.md"].partition("From 150 invented employees")[2].partition("```text\n")[2]
    rows = [line for line in shown.partition("```")[0].splitlines() if numbers(line)]
    typed = "fit docs/examples/walks.toml --data docs/examples/staff.csv --bootstrap 0 --verbose"
    assert main(typed.split()) == 0
    printed = capsys.readouterr().out.splitlines()
    for row in rows:
        name = re.split(r"  +", row.strip())[0]
        now = numbers(next(line for line in printed if line.strip().startswith(f"{name}  ")))
        before = numbers(row)
        assert len(before) == len(now) == 7
        for start, stop in ((0, 3), (4, 7)):
            width = before[stop - 1] - before[stop - 2]
            assert now[start:stop] == pytest.approx(before[start:stop], abs=0.05 * width + 0.001), row
        assert now[3] == pytest.approx(before[3], abs=0.05)


def test_output_shown_in_the_quickstart_and_the_readme_is_of_one_summary():
    """What is quoted of the study's printout is of one run, whose summary is kept whole."""
    summary = (EXAMPLES / "summary.txt").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"same run:\n\n```text\n(.*?)^```", PAGES["README.md"], flags=re.DOTALL | re.MULTILINE)
    assert all(part in summary for part in quoted.split("\n\n"))
    blocks = re.findall(r"^```text\n(.*?)^```", PAGES["quickstart.md"], flags=re.DOTALL | re.MULTILINE)
    quoted = [block for block in blocks if "invented" not in block and "walks" not in block]
    assert len(quoted) == 3
    for block in quoted:
        for line in block.splitlines():
            assert line in summary, line


def test_the_result_in_the_tutorial_is_that_of_the_quickstart():
    """Both show the same run: differences, intervals and probabilities of the same rows."""
    (effects,) = re.findall(r"^Effects of walks.*?^   D", PAGES["tutorial.md"], flags=re.DOTALL | re.MULTILINE)
    rows = [" ".join(line.split()) for line in effects.splitlines() if numbers(line)]
    quickstart = {" ".join(line.split()) for line in PAGES["quickstart.md"].splitlines()}
    assert len(rows) == 3
    assert [row for row in rows if not any(line.startswith(row) for line in quickstart)] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "draft"])
def test_what_the_tutorial_shows_is_what_the_program_prints(command: str, checkout: Path, capsys):
    """Line by line, of the commands that look at the file."""
    (typed,) = [line for _, line in lines_of(PAGES["tutorial.md"]) if f"bayes_sp {command} " in line]
    shown = PAGES["tutorial.md"].partition(typed)[2].partition("```text\n")[2].partition("```")[0]
    assert main(shlex.split(PROGRAM.sub("", typed))) == 0
    assert shown.strip() in "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
