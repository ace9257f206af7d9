"""Notebooks run, their stored output is what they print now, and they carry nothing of the machine that ran them."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from stored_notebooks import NAMES, ROOT, executed, printed, shown, stored

REANALYSIS = "Kellezi-BMJOpen-2019"
SERIAL = r"Serial path: (-?[\d.]+) appointments per patient per three months, 95 % interval \[(-?[\d.]+), (-?[\d.]+)\]"
HEADLINES = {  # what is held against the stored output, and how far each number may be from it on another machine
    REANALYSIS: (SERIAL, 0.005),
    "audit_and_ensemble": (r"In short: .*", 0.01),
    "choosing_a_likelihood": (r"In short: .*", 0.02),
    "moderation_and_contrasts": (r"In short: .*", 0.1),
    "planning_a_study": (r"In short: .*", 0.15),
    "prior_sensitivity": (r"In short: .*", 0.08),
    "your_own_survey": (r"In short: .*", 0.02),
}
FACTS = """
import json
serial_draws = effects.draws["average"].sel(path=SERIAL, scale="difference")
print(json.dumps({
    "trustworthy": verdict.trustworthy,
    "mark": survey.mark,
    "lower": float(serial_draws.quantile(0.025)),
    "upper": float(serial_draws.quantile(0.975)),
    "reproduced": len(check) - len(beyond),
    "prior_above_50": float((prior_means > 50).mean()),
    "agrees": agrees,
}))
"""
LARGEST = 150_000  # bytes of a picture


def numbers(text: str) -> list[float]:
    """Every number of a text."""
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_and_shows_what_is_stored(name: str):
    """Without an error or a warning: outputs of the same kinds, and the headline's numbers within Monte Carlo error."""
    before = stored(name)
    now = executed(before, *([FACTS] if name == REANALYSIS else []))
    assert printed(now, "stderr") == ""
    if name == REANALYSIS:
        facts_hold(json.loads(now.cells.pop().outputs[0].text))
    assert shown(now) == shown(before)
    pattern, apart = HEADLINES[name]
    lines = [re.findall(pattern, printed(notebook)) for notebook in (before, now)]
    assert len(lines[0]) == len(lines[1]) == 1
    found, known = numbers(str(lines[1])), numbers(str(lines[0]))
    assert len(known) >= 3
    assert found == pytest.approx(known, abs=apart)


def facts_hold(facts: dict[str, Any]) -> None:
    """What the text of the re-analysis builds on."""
    assert facts["trustworthy"]
    assert facts["mark"] == "178 records reconstructed from published moments (seed 1)"
    assert facts["lower"] < facts["upper"] < 0
    assert facts["reproduced"] == 95
    assert facts["prior_above_50"] < 0.03
    assert facts["agrees"] == ["group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"]


@pytest.mark.parametrize("name", NAMES)
def test_is_stored_with_outputs_in_order(name: str):
    """Code cells were run once each, from the first to the last, without an error."""
    cells = [cell for cell in stored(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(output.output_type != "error" for cell in cells for output in cell.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_holds_nothing_of_a_machine(name: str):
    """No path, time, address or warning of the machine that ran it."""
    notebook = stored(name)
    pictures = [o.data.pop("image/png", "") for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    assert all(len(base64.b64decode(picture)) < LARGEST for picture in pictures)
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    folders = [f"{folder}/" for folder in (Path.home(), Path(tempfile.gettempdir()), ROOT)]
    for trace in (
        *folders,
        "/home/",
        "/Users/",
        "site-packages",
        "stderr",
        "Warning",
        "created_at",
        " at 0x",
        "image/svg",
    ):
        assert trace not in outputs
    assert all(not cell.metadata for cell in notebook.cells)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


@pytest.mark.parametrize("name", NAMES)
def test_words_of_the_posterior(name: str):
    """No posterior is called significant."""
    text = "\n".join(cell.source for cell in stored(name).cells).lower()
    assert "significant" not in text
    assert "p-value" not in text


def test_the_index_names_every_notebook():
    """In the README; each has a title of its own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"(notebooks/{name}.ipynb)" not in readme] == []
    titles = [cell.source.splitlines()[0] for name in NAMES for cell in stored(name).cells[:1]]
    assert all(title.startswith("# ") for title in titles)
    assert len(set(titles)) == len(NAMES)
    assert set(HEADLINES) == set(NAMES)
