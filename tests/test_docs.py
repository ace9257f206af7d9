"""The documents are held against the code: formats, names, messages, links and code blocks."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

import bayes_sp as sp
from bayes_sp.analysis.criticism import diagnostics
from bayes_sp.cli.arguments import FILES
from bayes_sp.cli.durations import bootstrap_samples
from bayes_sp.cli.main import _parser
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import usual_options
from bayes_sp.model.distributions import COEFFICIENTS, DISTRIBUTIONS, SHARES
from bayes_sp.model.families.registry import FAMILIES, scalar_parameters
from bayes_sp.names import (
    BOOTSTRAP_COLUMNS,
    CHECK_COLUMNS,
    COEFFICIENT_COLUMNS,
    COMPARISON_COLUMNS,
    DIAGNOSTIC_COLUMNS,
    EFFECT_COLUMNS,
    INFLUENCE_COLUMNS,
    LOO_COLUMNS,
    MULTIVERSE_COLUMNS,
)
from bayes_sp.records.codebook.load import read_codebook
from bayes_sp.records.codebook.parts import KINDS, RULES
from bayes_sp.records.nonresponders import nonresponders_from_moments
from bayes_sp.records.reading.everything import FORMATS
from bayes_sp.records.scoring.scales import scales
from bayes_sp.sensitivity.prior.grid_file import read_grid

ROOT = Path(__file__).resolve().parents[1]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
QUICKSTART, SPECIFICATION, ESTIMANDS = DOCS["quickstart.md"], DOCS["specification.md"], DOCS["estimands.md"]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def table_rows(text: str, first_cell: str) -> list[list[str]]:
    """Cells of every row of a document's tables whose first cell is the given code."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if row[0] == first_cell]


ON_CODEBOOKS = ("codebook.md", "from_spss_and_process.md")
TOML_BLOCKS = [
    (name, block) for name, text in DOCS.items() if name not in ON_CODEBOOKS for block in blocks(text, "toml")
]
WHOLE = [(name, block) for name, block in TOML_BLOCKS if "title" in tomllib.loads(block) and name != "sensitivity.md"]
SPACES = {"sp": sp, "sp.sensitivity": sp.sensitivity, "sp.plot": sp.plot}
PYTHON_BLOCKS = [(name, block) for name, text in DOCS.items() for block in blocks(text, "python")]


@pytest.mark.parametrize(("name", "block"), TOML_BLOCKS)
def test_every_toml_block_is_toml(name: str, block: str):
    """A reader who copies a block gets a file that can be read."""
    assert tomllib.loads(block), name


@pytest.mark.parametrize(("name", "block"), WHOLE)
def test_whole_specifications_load(name: str, block: str):
    """A block with a title is a specification without a mistake."""
    assert sp.load_model(tomllib.loads(block)).named_paths(), name


def test_there_are_whole_specifications():
    """The quickstart and the reference each show one."""
    assert {name for name, _ in WHOLE} == {"quickstart.md", "specification.md"}


def test_parts_of_specifications_use_known_keys():
    """Parts that are not whole specifications are accepted when put into one."""
    primary = tomllib.loads((ROOT / "models" / "primary.toml").read_text(encoding="utf-8"))
    small = tomllib.loads(next(block for name, block in WHOLE if name == "specification.md"))
    for _, block in TOML_BLOCKS:
        part = tomllib.loads(block)
        if part.keys() & {"title", "moments", "citation"}:
            continue
        base = primary if "appointments_t1" in block else small
        if "priors" in part:
            priors = base["priors"] | part["priors"]
            priors["appointments_t1"] = base["priors"]["appointments_t1"] | part["priors"]["appointments_t1"]
            part = {"priors": priors}
        elif 'response = "calls"' in block:  # counts have a phi where the reference's own specification has a sigma
            priors = {name: prior for name, prior in base["priors"].items() if name != "sigma"}
            part |= {"priors": {**priors, "phi": primary["priors"]["appointments_t1"]["phi"]}}
        assert sp.load_model(base | part)


def test_files_of_sensitivity_can_be_read():
    """The grid of priors applies to the reference's own specification, and the moments are moments."""
    small = sp.load_model(tomllib.loads(next(block for name, block in WHOLE if name == "specification.md")))
    parts = [tomllib.loads(block) for name, block in TOML_BLOCKS if name == "sensitivity.md"]
    (grid,) = [part for part in parts if "cross" in part]
    (moments,) = [part for part in parts if "moments" in part]
    assert len(read_grid(small, grid).crossed(small)) == 6
    assert nonresponders_from_moments(moments).n == 452


def test_codebooks_in_the_docs_are_sound():
    """Whole ones are read; what is computed of the example's answers is as in the example's own codebook."""
    example = tomllib.loads((ROOT / "bayes_sp" / "records" / "example" / "codebook.toml").read_text(encoding="utf-8"))
    found = [tomllib.loads(block) for name in ON_CODEBOOKS for block in blocks(DOCS[name], "toml")]
    assert len(found) == 3
    for tables in found:
        assert read_codebook(tables if "variables" in tables else example | tables)


def test_every_key_and_scale_of_a_codebook_is_documented():
    """Keys that are read stand in a table of the page, with its scales."""
    page = DOCS["codebook.md"]
    with pytest.raises(BayesSpError) as caught:
        read_codebook({
            "z": 1, "long": {"wave": "w", "waves": {"0": "t0"}, "z": 1}, "id": "i", "variables": {"a": {"z": 1}},
            "derived": {
                "m": {"rule": "mean", "items": ["a"], "z": 1}, "t": {"rule": "ticks", "items": ["a"], "z": 1},
                "d": {"rule": "difference", "later": "a", "earlier": "a", "z": 1},
            },
        })  # fmt: skip
    known = [word for told in caught.value.problems if "unknown key; known: " in told
             for word in told.split("known: ")[1].split(", ")]  # fmt: skip
    assert len(known) > 20
    for word in {*known, *KINDS, *RULES, *scales()}:
        assert f"`{word}`" in page, word


def test_public_names_of_sensitivity_are_public():
    """Every name that the page gives is one of `sp.sensitivity`."""
    page = DOCS["sensitivity.md"]
    rows = [line.split("|")[-2] for line in page.splitlines() if line.startswith("| ") and "`--" in line]
    named = set(re.findall(r"`([a-z_]+)`", "".join(rows))) | set(re.findall(r"sp\.sensitivity\.([A-Za-z_]+)", page))
    assert len(named) >= 10
    assert named <= set(dir(sp.sensitivity))


def test_every_part_of_sensitivity_is_documented():
    """With its option."""
    missing = [part for part in sp.sensitivity.PARTS if f"--{part}`" not in DOCS["sensitivity.md"]]
    assert not missing, f"{missing}: a row in the first table of docs/sensitivity.md"


def test_an_equations_slope_goes_before_the_whole_models_prior():
    """The lookup order that the reference states."""
    tables = tomllib.loads((ROOT / "models" / "primary.toml").read_text(encoding="utf-8"))
    del tables["priors"]["appointments_t1"]["group_change"]
    prior = sp.load_model(tables).prior("appointments_t1", "group_change")
    assert prior is not None
    assert prior.values["sigma"] == tables["priors"]["appointments_t1"]["slope"]["sigma"]


def keys_read() -> set[str]:
    """Every key that the reader asks a table for by a literal name."""
    files = [ROOT / "bayes_sp" / "model" / "reading" / name for name in ("load.py", "parts.py", "priors.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    names = [
        call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("take")
    ]
    return {str(name.value) for name in names if isinstance(name, ast.Constant)}


def test_every_key_is_documented():
    """Each key that the reader takes stands in a table of the reference."""
    keys = keys_read()
    assert {"title", "equation", "levels", "why", "estimate"} <= keys
    documented = set(
        re.findall(
            r"`([a-z_0-9]+)`",
            "\n".join(line.split("|")[1] for line in SPECIFICATION.splitlines() if line.startswith("|")),
        )
    )
    missing = sorted(keys - documented)
    assert missing == [], f"no row in docs/specification.md: {missing}"


def test_every_distribution_is_documented_with_its_constants():
    """The catalogue has every distribution, its constants, which must be positive, and its support."""
    section = SPECIFICATION.partition("| `dist` | constants |")[2].partition("### Names")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE)) == set(DISTRIBUTIONS)
    for name, known in DISTRIBUTIONS.items():
        ((_, constants, support, _),) = table_rows(section, f"`{name}`")
        expected = [f"`{argument}`{' > 0' if argument in known.positive else ''}" for argument in known.arguments]
        assert constants == (", ".join(expected) or "none")
        assert support == known.support


def test_every_family_is_documented():
    """Link, parameter and where it may stand."""
    section = SPECIFICATION.partition("## Families")[2].partition("## `[variables]`")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE)) == set(FAMILIES)
    for name, family in FAMILIES.items():
        ((_, link, parameter, _, _, mediator, outcome),) = table_rows(section, f"`{name}`")
        assert link == family.link
        assert [f"`{p}`" for p in family.parameters] == re.findall(r"`[a-z]+`", parameter)
        assert (mediator, outcome) == tuple("yes" if place else "no" for place in (family.mediator, family.outcome))


def test_every_parameter_name_is_documented():
    """Names of priors beside those of variables."""
    for name in (*COEFFICIENTS, *scalar_parameters(), SHARES):
        assert table_rows(SPECIFICATION, f"`{name}`"), name


TABLES = [EFFECT_COLUMNS, COEFFICIENT_COLUMNS, COMPARISON_COLUMNS, BOOTSTRAP_COLUMNS, DIAGNOSTIC_COLUMNS]


@pytest.mark.parametrize("columns", TABLES)
def test_every_column_of_the_tables_is_explained(columns: tuple[str, ...]):
    """The quickstart names each column of each CSV file."""
    for column in columns:
        assert f"`{column}`" in QUICKSTART, column


@pytest.mark.parametrize("columns", [CHECK_COLUMNS, LOO_COLUMNS, INFLUENCE_COLUMNS, MULTIVERSE_COLUMNS])
def test_every_column_of_criticism_is_explained(columns: tuple[str, ...]):
    """The page on criticism names each column of each of its CSV files."""
    for column in columns:
        assert f"`{column}`" in DOCS["criticism.md"], column


def test_every_command_and_option_is_documented():
    """What `--help` offers stands in the quickstart."""
    (commands,) = [action for action in _parser()._actions if isinstance(action.choices, dict)]
    for name, command in commands.choices.items():
        assert f"python -m bayes_sp {name}" in QUICKSTART, f"{name}: a row of the commands in docs/quickstart.md"
        for action in command._actions:
            for option in action.option_strings:
                documented = option in ("-h", "--help") or f"`{option}" in QUICKSTART or f"{option} " in QUICKSTART
                assert documented, f"{name} {option}: in docs/quickstart.md"


def test_every_format_of_records_is_documented():
    """By the ends of its names, and by the word that `--help` has for it."""
    for suffix in FORMATS:
        assert f"`{suffix}`" in DOCS["own_file.md"], f"{suffix}: a row in docs/own_file.md, a word in cli/arguments.py"
    for word in re.split(", | or ", FILES):
        assert f"| {word}" in DOCS["own_file.md"], f"{word}, in FILES of cli/arguments.py: a row in docs/own_file.md"
    assert f"({FILES})" in (ROOT / "README.md").read_text(encoding="utf-8"), f"README.md should say ({FILES})"


def test_defaults_in_the_table_of_options_are_those_of_the_program():
    """Defaults of numbers."""
    options = vars(_parser().parse_args(["fit"]))
    options |= {name: getattr(usual_options(), name) for name in ("draws", "tune", "chains")}
    options["bootstrap"], _ = bootstrap_samples(options["bootstrap"], 178, 14)
    for name in ("seed", "draws", "tune", "chains", "bootstrap"):
        ((_, default, _),) = table_rows(QUICKSTART, f"`--{name}`")
        assert default == str(options[name])
    ((_, method, _),) = table_rows(QUICKSTART, "`--method`")
    assert method == f"`{options['method']}`"


def test_thresholds_of_the_verdict():
    """The estimands' table has the program's thresholds."""
    section = ESTIMANDS.partition("## Thresholds of the verdict")[2]
    assert f"at most {diagnostics.R_HAT_LIMIT}" in section
    assert f"at least {diagnostics.ESS_LIMIT}" in section
    assert f"above {diagnostics.BFMI_LIMIT}" in section


def problems(call, *arguments) -> str:
    with pytest.raises(BayesSpError) as caught:
        call(*arguments)
    return str(caught.value)


def test_messages_in_the_quickstart_are_those_of_the_program(tmp_path: Path):
    """The mistakes in the table of errors are made on purpose."""
    text = next(block for name, block in WHOLE if name == "quickstart.md")
    (head,) = blocks(QUICKSTART, "csv")
    model, found = sp.load_model(tomllib.loads(text)), []
    wrong = text.replace('"normal"\n', '"norml"\n').replace('"half_normal", sigma = 2', '"half_normal", sigma = -2')
    found.append(
        problems(sp.load_model, tomllib.loads(wrong.replace(', why = "days off are strongly overdispersed"', "")))
    )
    found.append(problems(sp.load_model, tomllib.loads(re.sub(r"^sigma .*\n", "", text, flags=re.MULTILINE))))
    for number, (old, new) in enumerate(
        [("days_off", "days_of"), (",2,41", ",2.5,41"), ("3,2,3.0", "3,?,3.0"), (",53,2", ",53,9")]
    ):
        (tmp_path / f"{number}.csv").write_text(head.replace(old, new), encoding="utf-8")
        found.append(problems(sp.read_survey, tmp_path / f"{number}.csv", model))
    (tmp_path / "run").mkdir()
    found.append(_existing(tmp_path / "run"))
    section = QUICKSTART.partition("## Errors and how to mend them")[2].partition("## Privacy")[0]
    messages = re.findall(r"^\| `(.+?)` \|", section, flags=re.MULTILINE)
    assert len(messages) == 9
    for message in messages:
        assert any(message in text for text in found), message


def _existing(folder: Path) -> str:
    from bayes_sp.report.folders.run import check_destination

    with pytest.raises(BayesSpError) as caught:
        check_destination(folder, overwrite=False)
    return str(caught.value)


def test_example_rows_of_the_quickstart_are_a_survey(tmp_path: Path):
    """The CSV example fits the specification beside it."""
    (head,) = blocks(QUICKSTART, "csv")
    (tmp_path / "staff.csv").write_text(head, encoding="utf-8")
    text = next(block for name, block in WHOLE if name == "quickstart.md")
    assert len(sp.read_survey(tmp_path / "staff.csv", sp.load_model(tomllib.loads(text)))) == 3


def test_messages_in_the_reference_stand_in_the_code():
    """Each quoted piece of an error is a piece of a message of the specification's room."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bayes_sp" / "model").rglob("*.py"))
    section = SPECIFICATION.partition("## Errors")[2]
    quoted = {
        piece
        for row in re.findall(r"^\| (`.+?) \|", section, flags=re.MULTILINE)
        for piece in re.findall(r"`([^`]+)`", row)
    }
    assert len(quoted) > 12
    written = {
        "unknown family": "unknown {name}",
        "unknown dist": "unknown {name}",
        "is a distribution on the real numbers": "is a distribution {",
    }
    for piece in quoted:
        assert written.get(piece, piece) in code, piece


def code_that_readers_see() -> list[tuple[str, str]]:
    """Return the Python of the documents, of the README and of the notebooks, without lines for notebooks alone."""
    readme = [("README.md", block) for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")]
    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found += [(path.name, s.replace("%matplotlib inline", "")) for s in sources if not s.startswith("%%sh")]
    return PYTHON_BLOCKS + readme + found


@pytest.mark.parametrize(("name", "block"), code_that_readers_see())
def test_readers_see_public_names_only(name: str, block: str):
    """Every block is Python, imports the package and nothing within it, and every name of it is public."""
    for node in ast.walk(ast.parse(block, filename=name)):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "bayes_sp" or alias.name == "bayes_sp" for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module == "bayes_sp":
            assert {alias.name for alias in node.names} <= {*sp.__all__}
        elif isinstance(node, ast.ImportFrom):
            assert not str(node.module).startswith("bayes_sp.")
        if isinstance(node, ast.Attribute) and (space := SPACES.get(ast.unparse(node.value))):
            assert node.attr in (*space.__all__, *(["__version__"] if space is sp else []))


def test_places_named_for_contributors_exist():
    """Every file, folder and test that the page names is there."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w/.]+)`", page) if "/" in name or name.endswith((".py", ".pyi"))}
    assert len(named) > 30
    inside = {path.name for path in (ROOT / "bayes_sp").rglob("*.py*")}
    lost = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "bayes_sp"))]
    assert [name for name in lost if name not in inside] == []


def test_the_code_that_readers_see_is_found():
    """Of the README, of four documents and of the notebooks."""
    assert len({name for name, _ in code_that_readers_see()}) >= 12


@pytest.mark.parametrize("name", sorted(DOCS))
def test_links_lead_somewhere(name: str):
    """Files exist, and headings that are linked to exist in them."""
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCS[name]):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = ROOT / "docs" / file if file else ROOT / "docs" / name
        assert path.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )


def test_citation_and_changelog_have_the_version_and_the_article():
    """What to cite is the version that is installed, and the article by its DOI."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    article = sp.published().citation
    assert f"\nversion: {sp.__version__}\n" in citation
    assert article.doi in citation
    assert article.title in citation
    for author in article.authors:
        family, _, given = author.partition(", ")
        assert f'{{family-names: "{family}", given-names: "{given}"}}' in citation
    assert f"## [{sp.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
