"""Reporting guidelines: which items a report covers, which its author must write, which were not done.

AGReMA: Lee et al. (2021), JAMA 326(11), 1045-1056. doi:10.1001/jama.2021.14075
BARG: Kruschke (2021), Nature Human Behaviour 5, 1282-1291. doi:10.1038/s41562-021-01177-7
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bayes_sp.report.document.parts import Table

FILE = Path(__file__).with_name("guidelines.toml")
COVERED, AUTHOR, NOT_DONE = "covered", "by the author", "not done"
HEAD = ("item", "what is asked for", "state", "where, or what to write")


def guideline_tables(titles: Mapping[str, str], done: Mapping[str, bool]) -> Iterator[Table]:
    """Yield a table for each guideline: every item with its state.

    ``titles`` are of the sections that the report has; a section of which ``done`` says nothing was done.
    """
    for name, guideline in tomllib.loads(FILE.read_text(encoding="utf-8")).items():
        rows = []
        for item in guideline["item"]:
            section, prompt = item.get("section", ""), item.get("prompt", "")
            covered = section in titles and done.get(section, True)
            state = AUTHOR if prompt else COVERED if covered else NOT_DONE
            place = f"see “{titles[section]}”" if section in titles else ""
            rows.append((str(item["number"]), item["asks"], state, "; ".join(text for text in (place, prompt) if text)))
        yield Table(name.lower(), f"{name} ({guideline['source']})", HEAD, tuple(rows), words=True)
