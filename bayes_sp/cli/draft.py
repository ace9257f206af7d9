"""The command that drafts a specification from a file."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import FILES, Commands, file_path
from bayes_sp.cli.statuses import OK
from bayes_sp.errors import BayesSpError
from bayes_sp.records.example.typed import DRAFT, MODERATED
from bayes_sp.safe_text import one_line


def add_draft(commands: Commands) -> None:
    """Add the command that drafts a specification."""
    draft = commands.add_parser(
        "draft",
        help="draft a specification from a file's columns",
        description="Families, constants and priors are guessed from each column's own values, never from how columns "
        "go together; every guess is written out with its reason, to be looked at and edited.",
    )
    add = draft.add_argument
    add("file", type=file_path, metavar="FILE", help=FILES)
    add("--codebook", type=file_path, metavar="FILE", help="what its columns mean (bayes_sp codebook)")
    add("--exposure", required=True, nargs="+", metavar="X", help="its column; several are compared one by one")
    add("--mediators", required=True, nargs="+", metavar="M", help="their columns, in the order of the chain")
    add("--outcome", required=True, metavar="Y", help="its column")
    add("--covariates", nargs="+", default=[], metavar="C", help="their columns")
    add(
        "--moderators", nargs="+", default=[], metavar="W",
        help='columns on which arrows may depend, each "W: X -> M, M -> Y", or W alone for every arrow; '
        '"W:Z: X -> M" for two moderators and their product',
    )  # fmt: skip
    add("--parallel", action="store_true", help="mediators side by side: none is a parent of another")
    add("--without", nargs="+", default=[], metavar="ARROW", help='arrows that are left out, each "M1 -> M2"')
    add("--latent", nargs="+", default=[], metavar="M", help="mediators measured with error: scores of the codebook, "
        "or with a reliability of your own, as in mood=0.87")  # fmt: skip
    add("--out", type=file_path, metavar="FILE", help="the TOML file to write (default: print)")
    add("--overwrite", action="store_true", help="replace an existing file")
    draft.examples = (f"{DRAFT} --out my.toml --overwrite", f"{MODERATED} --out moderated.toml")
    draft.set_defaults(command=_draft)


def _draft(options: argparse.Namespace) -> int:
    from bayes_sp.design.draft import draft_with_reasons
    from bayes_sp.design.drafting.arrows import moderators_of_texts
    from bayes_sp.design.read import read_survey
    from bayes_sp.files import check_file, write_whole
    from bayes_sp.report.text.layout import wrapped

    if options.out is not None:
        check_file(options.out, overwrite=options.overwrite, read=options.file)
    survey = read_survey(options.file, codebook=options.codebook)
    found = draft_with_reasons(
        survey, exposure=options.exposure, mediators=options.mediators, outcome=options.outcome,
        covariates=options.covariates, parallel=options.parallel, without=options.without,
        latent=_latent(options.latent), moderators=moderators_of_texts(options.moderators),
    )  # fmt: skip
    by = f", read by the codebook {one_line(options.codebook.name)}" if options.codebook else ""
    text = f"# Of {one_line(options.file.name)}{by}\n{found.text()}"
    _ = found.model  # a draft that cannot be read back is never written
    if options.out is None:
        options.output.write(text)
        return OK
    write_whole(options.out, text, overwrite=options.overwrite)
    options.output.saved = f"the specification is saved in {options.out}"
    for name, reason in found.reasons.items():
        options.output.write("\n".join(wrapped(f"{name}: {reason}", rest="   ", margin="")) + "\n")
    book = f" --codebook {options.codebook}" if options.codebook else ""
    then = f"python -m bayes_sp fit {options.out} --data {options.file}{book}"
    options.output.write(f"\nSaved in {options.out}; look at it, then: {then}\n")
    return OK


def _latent(asked: list[str]) -> dict[str, float | None]:
    """Read names, some with a reliability: mood=0.87."""
    found = dict[str, float | None]()
    for each in asked:
        name, sign, number = each.rpartition("=") if "=" in each else (each, "", "")
        try:
            found[name] = float(number) if sign else None
        except ValueError:
            reason = f"must be a name, or a name and a number as in mood=0.87, found {each!r}"
            raise BayesSpError("--latent", [reason]) from None
    return found
