"""What a specification may hold, from the reader itself, from the families and from the distributions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bayes_sp.model.distributions import DISTRIBUTIONS
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.model.reading.table import Table

ROOT = Path(__file__).resolve().parents[2]
TYPES = {
    "take": "more than one type", "take_text": "text", "take_number": "number", "take_positive": "number above 0",
    "take_numbers": "list of numbers", "take_texts": "list of texts", "take_optional_texts": "list of texts",
    "take_choice": "one of", "take_table": "table", "take_tables": "array of tables",
}  # fmt: skip
NAMED = ("[variables]", "[covariates]", "[exposures]", "[joint]", "[moderators]", "[contrasts]", "[unmeasured]",
         "[unmeasured] NAME", "[missing_shift]")  # fmt: skip
PRIOR = "[priors] NAME"
type Taken = dict[tuple[str, str], tuple[str, bool]]


def keys() -> str:
    """Return a table of keys for each table of a specification: those that the reader asks for, as it asks for them."""
    taken = _taken()
    lines = []
    for place in dict.fromkeys(place for place, _ in taken):
        rows = [(key, *found) for (where, key), found in taken.items() if where == place]
        lines += [f"## {f'`{place}`' if place else 'Top level'}", "", "| key | type | |", "|---|---|---|"]
        lines += [f"| `{key}` | {what} | {'required' if required else ''} |" for key, what, required in rows]
        lines.append("")
        if place == PRIOR:
            lines += ["and the constants of the distribution, all of them. A table named as a response holds priors of "
                      "its equation.", ""]  # fmt: skip
    named = ", ".join(f"`{place}`" for place in NAMED if f"{place} NAME" not in {place for place, _ in taken})
    lines.append(f"In {named} every key is a name of yours: of a variable, a covariate, a response or a confounder.\n")
    return "\n".join(lines)


def families() -> str:
    """Return the table of families."""
    rows = [
        f"| `{name}` | {_codes(family.synonyms)} | {family.link} | {family.response} | `{family.equation}` "
        f"| {'; '.join(f'`{each.name}`, {each.words}' for each in family.scalars) or 'none'} "
        f"| {_yes(family.mediator)} | {_yes(family.outcome)} | {_yes(family.kernel)} |"
        for name, family in FAMILIES.items()
    ]
    head = (
        "| family | other names | link | response | equation | parameters | mediator | outcome | maximum likelihood |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def distributions() -> str:
    """Return the table of priors."""
    rows = [
        f"| `{name}` | {_codes(tuple(f'{a} > 0' if a in known.positive else a for a in known.arguments)) or 'none'} "
        f"| {known.support} |"
        for name, known in DISTRIBUTIONS.items()
    ]
    return "\n".join(["| `dist` | constants | support |", "|---|---|---|", *rows])


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _taken() -> Taken:
    """Read every shipped specification, and the documents' own, and return which keys the reader asked for."""
    page = (ROOT / "docs" / "specification.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(text) for text in re.findall(r"^```toml\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)]
    (small,) = [tables for tables in blocks if "title" in tables]
    found: Taken = {}
    with _recorded(found):
        for path in (*shipped_models().values(), *sorted((ROOT / "docs" / "examples").glob("walks.toml"))):
            load_model(path)
        load_model(small | {"exposures": {"walks_per_week": {"contrast": [0, 1]}}})
        load_model(small | {"practical": {"lower": -1, "upper": 1, "why": "half a day"}})
        load_model(small | {"unmeasured": {"U": {"sleep": 0.1, "days_off": 0.1}}})
    return found


@contextmanager
def _recorded(found: Taken) -> Iterator[None]:
    """Note what is asked of a table: only by the outermost of methods that call each other."""
    inside: list[str] = []

    def noting(name: str, method: Any) -> Any:
        def asked(self: Table, key: str, *arguments: Any, **options: Any) -> Any:
            place = _place(self.path)
            if not inside and place not in (None, *NAMED) and not (place == PRIOR and key not in ("dist", "why")):
                what = TYPES[name]
                if name == "take_choice":
                    what += f" {_codes(tuple(arguments[0]))}"
                required = bool(options.get("required")) or (name == "take_choice" and len(arguments) == 1)
                found.setdefault((place, key), (what, required))
            inside.append(name)
            try:
                return method(self, key, *arguments, **options)
            finally:
                inside.pop()

        return asked

    with patch.multiple(Table, **{name: noting(name, getattr(Table, name)) for name in TYPES}):
        yield


def _place(path: str) -> str | None:
    """Return the table that a path speaks of, with ``NAME`` for what users name; None for a part of one."""
    path = re.sub(r"\[\d+\]", "", path)
    top, _, rest = path.partition(".")
    if top == "equation" or top == "published":
        return f"[[{top}]]"
    if top == "priors":
        return PRIOR if rest else None
    return f"[{top}] NAME" if rest else (f"[{top}]" if top else "")
