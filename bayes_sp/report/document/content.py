"""A finished run -> Document: the answer first, then everything that a reader or an editor asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bayes_sp.analysis.comparison.recovery import RECONSTRUCTION_NOTE
from bayes_sp.errors import RunError, SpecificationError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.people import speaking_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.report.document.parts import (
    Block,
    Bullets,
    Document,
    Image,
    Paragraph,
    Section,
    Table,
    Verbatim,
    as_shown,
)
from bayes_sp.report.document.tables import (
    coefficient_table,
    comparison_tables,
    diagnostics_table,
    effects_table,
    other_tables,
    prior_table,
)
from bayes_sp.report.document.words import answer, equations, how_to_cite, methods_paragraph, results_paragraph
from bayes_sp.report.folders.finished import Run, read_run
from bayes_sp.report.folders.run import RUN_FILE
from bayes_sp.report.text.assumptions import assumptions, listed

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


SUMMARY_FILE = "summary.txt"
_NO_SENSITIVITY = (
    "No sensitivity analysis stands beside this report: python -m bayes_sp sensitivity --out FOLDER, then "
    "python -m bayes_sp report RUN --sensitivity FOLDER."
)
_PATHS = "Path diagram; its arrows stand in the list of equations, their numbers in the table of coefficients."
_FOREST = "Forest plot of effects; its points and intervals stand in the tables before it."
_BESIDE = {"bootstrap": "bootstrap", "published": "publication"}  # what Bayes is compared with
_NO_CHECKS = "The fit was not checked against replicated records: python -m bayes_sp fit ... --check."


def document_of(run: Run | str | Path, sensitivity: str | Path | None = None, *, saved: bool = True) -> Document:
    """Return the report of a finished run.

    Raises RunError for a folder that holds no finished run, no specification that can be read, or no sensitivity
    analyses.

    ``sensitivity`` is the folder that ``python -m bayes_sp sensitivity`` wrote; not ``saved``, the run's folder does
    not stay where it is.
    """
    run = run if isinstance(run, Run) else read_run(run)
    try:
        model = load_model(run.info["specification"], name=str(run.info["model"]))
    except (KeyError, SpecificationError) as error:
        raise RunError(str(run.folder), [f"run.toml holds no specification of this version ({error})"]) from error
    done = {"sensitivity": sensitivity is not None, "checks": (run.folder / "predictive.csv").is_file()}
    with speaking_of(model, [str(run.info["data"]["source"])]):
        found = dict(_sections(run, model, sensitivity, saved=saved))
        titles = {name: title for name, (title, _) in found.items()}
        found["guidelines"] = ("Reporting guidelines", tuple(guideline_tables(titles, done)))
        sections = tuple(Section(name, title, tuple(map(as_shown, blocks))) for name, (title, blocks) in found.items())
    return Document(model.title, f"{model.name}; {run.info['data']['source']}", sections)


def _sections(
    run: Run, model: PathModel, sensitivity: str | Path | None, *, saved: bool
) -> Iterator[tuple[str, tuple[str, tuple[Block, ...]]]]:
    yield "answer", ("Answer", tuple(_answer(run, model)))
    yield "effects", ("Effects", tuple(_effects(run, model)))
    compared = [name for key, name in _BESIDE.items() if (run.comparison["inference"] == key).any()]
    yield "comparison", (listed(["Bayes", *compared]), tuple(_comparison(run, model)))
    yield "coefficients", ("Coefficients", tuple(coefficient_table(run, model)))
    yield "assumptions", ("Assumptions", (Bullets(assumptions(model)),))
    yield "model", ("Model and priors", tuple(_model(run, model)))
    yield "diagnostics", ("Diagnostics", tuple(_diagnostics(run)))
    yield "checks", ("Predictive checks", tuple(_checks(run)))
    yield "sensitivity", ("Sensitivity", tuple(_sensitivity(run, sensitivity)))
    yield "data", ("Data and missing values", tuple(_data(run)))
    yield "text", ("Paragraphs to edit", (
        Paragraph("Methods", "heading"), Paragraph(methods_paragraph(run, model)),
        Paragraph("Results", "heading"), Paragraph(results_paragraph(run, model)),
    ))  # fmt: skip
    yield "provenance", ("Provenance", tuple(_provenance(run, saved=saved)))
    yield "cite", ("How to cite", (Bullets(tuple(how_to_cite(run))),))


def _answer(run: Run, model: PathModel) -> Iterator[Block]:
    verdict = run.info.get("verdict", {})
    if not verdict.get("trustworthy"):
        reasons = "; ".join(str(reason) for reason in verdict.get("reasons", ()))
        yield Paragraph(f"This fit failed its diagnostics and must not be used: {reasons}.", "alarm")
    if run.info["data"].get("reconstructed_from_published_moments"):
        yield Paragraph(RECONSTRUCTION_NOTE, "note")
    for sentence in answer(model, run.effects, run.comparison):
        yield Paragraph(sentence)


def _effects(run: Run, model: PathModel) -> Iterator[Block]:
    yield from effects_table(run, model)
    yield from _image(run, "paths.png", _PATHS, "Posterior median and interval of every arrow.")
    yield from other_tables(run, model)


def _comparison(run: Run, model: PathModel) -> Iterator[Block]:
    yield from comparison_tables(run, model)
    caption = "Every path effect by inference and likelihood, with 95 % intervals."
    yield from _image(run, "comparison.png", _FOREST, caption)


def _model(run: Run, model: PathModel) -> Iterator[Block]:
    yield from [Paragraph(model.question)] if model.question else []
    yield Bullets(tuple(equations(model)))
    yield from prior_table(model)
    yield Paragraph(f"Digest of the specification: {run.info.get('specification_digest', '')}.", "note")


def _diagnostics(run: Run) -> Iterator[Block]:
    verdict = run.info.get("verdict", {})
    numbers = {key: value for key, value in verdict.items() if isinstance(value, float)}
    names = {
        "r_hat": "largest R-hat", "ess_bulk": "smallest bulk ESS", "ess_tail": "smallest tail ESS",
        "divergences": "divergent transitions", "e_bfmi": "smallest E-BFMI", "pareto_k": "Pareto k",
    }  # fmt: skip
    yield Bullets(tuple(f"{words}: {_number(numbers[key])}" for key, words in names.items() if key in numbers))
    for caution in verdict.get("cautions", ()):
        yield Paragraph(str(caution), "note")
    yield from diagnostics_table(run)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3f}"


def _checks(run: Run) -> Iterator[Block]:
    shown = list(
        _image(run, "predictive.png", "Observed and replicated records", "Replicated records and the observed.")
    )
    shown += _image(run, "loo_pit.png", "PIT of patients left out", "Leave-one-out probability integral transforms.")
    yield from shown
    if not shown:
        yield Paragraph(_NO_CHECKS, "prompt")


def _sensitivity(run: Run, folder: str | Path | None) -> Iterator[Block]:
    if folder is None:
        yield Paragraph(_NO_SENSITIVITY, "prompt")
        return
    name = RUN_FILE
    try:
        info = tomllib.loads((Path(folder) / name).read_text(encoding="utf-8"))
        name = SUMMARY_FILE
        text = (Path(folder) / name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(str(folder), [f"{name} of a sensitivity analysis cannot be read ({reason})"]) from error
    if "sensitivity" not in info:
        raise RunError(str(folder), ["is not what python -m bayes_sp sensitivity wrote"])
    if info.get("fitted", {}).get("specification_digest") != run.info.get("specification_digest"):
        other = info["sensitivity"].get("model", "")
        raise RunError(str(folder), [f'holds analyses of another specification than this run\'s ("{other}")'])
    own = run.info["data"]
    if not own.get("reconstructed_from_published_moments") and info["data"].get("digest") != own.get("digest"):
        raise RunError(str(folder), [f"holds analyses of other records than this run's ({info['data'].get('source')})"])
    yield Verbatim(text.strip("\n"))
    for image in sorted(Path(folder).glob("*.png")):
        yield Image(image, f"Figure of the sensitivity analysis: {image.stem}", image.stem.replace("_", " "))


def _data(run: Run) -> Iterator[Block]:
    data = run.info["data"]
    count, source = f"{data.get('records', '')} records", str(data["source"])
    said = source if source.startswith(count) else f"{count}: {source}"
    yield Paragraph(f"{said}. Digest {str(data.get('digest', ''))[:16]}.")
    lines = (run.folder / SUMMARY_FILE).read_text(encoding="utf-8").splitlines()
    start = next((i for i, line in enumerate(lines) if line.split()[:2] == ["n", "missing"]), None)
    if start is not None:
        length = next((i for i, line in enumerate(lines[start:]) if not line.strip()), len(lines) - start)
        yield Verbatim("\n".join(lines[start : start + length]))


def _provenance(run: Run, *, saved: bool) -> Iterator[Block]:
    info: Mapping[str, Any] = run.info
    rows = [("seed", str(info.get("seed", "")))]
    rows += [(f"sampler: {key}", str(value)) for key, value in info.get("sampler", {}).items()]
    rows += [(f"version: {key}", str(value)) for key, value in info.get("versions", {}).items()]
    yield Table("provenance", "What the numbers depend on", ("what", "value"), tuple(rows), words=True)
    if saved:
        yield Paragraph(
            "The folder of the run holds every number of this report, and run.toml a checksum of each file."
        )
    else:
        yield Paragraph("Made from a fit that is not saved; the same specification, records and seed give it again.")


def _image(run: Run, name: str, alternative: str, caption: str) -> Iterator[Image]:
    if (run.folder / name).is_file():
        yield Image(run.folder / name, alternative, caption)
