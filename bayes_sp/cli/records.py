"""Which records a command is about and how they are sampled, from its options."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.cli.arguments import MEMBERS, OMITTED
from bayes_sp.cli.terminal import say
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import LEAST_LAPLACE_DRAWS, SamplerOptions, usual_options

if TYPE_CHECKING:
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.records.survey import Survey


def check_records(options: argparse.Namespace) -> None:
    """Refuse options on records, sampler and replacement before anything slow is imported."""
    if options.data is not None and options.reconstruction is not None:
        raise BayesSpError("--reconstruction", ["goes without --data: records are yours or reconstructed, not both"])
    if options.data is not None and getattr(options, "members", None) is not None:
        raise BayesSpError("--members", ["goes without --data: it is the number of reconstructions"])
    if (
        getattr(options, "method", "") == "laplace"
        and options.draws is not None
        and options.draws < LEAST_LAPLACE_DRAWS
    ):
        raise BayesSpError("--draws", [f"--method laplace needs at least {LEAST_LAPLACE_DRAWS}, found {options.draws}"])
    if options.data is None and options.codebook is not None:
        raise BayesSpError("--codebook", ["goes with --data: it says what the columns of your file mean"])
    if options.data is None and getattr(options, "imputations", None):
        raise BayesSpError("--imputations", ["goes with --data: it names a column of your file"])
    for file in files_of(options):
        if not os.path.isfile(file):
            reason = "is not a file" if os.path.exists(file) else "there is no such file"
            raise BayesSpError(str(file), [f"{reason}; --data needs a CSV file"])
    if getattr(options, "out", "") is None and getattr(options, "overwrite", False):
        raise BayesSpError("--overwrite", ["replaces what is in --out: name that folder (without --out, a new one)"])


def files_of(options: argparse.Namespace) -> list[Path]:
    """Return the files that ``--data`` names, which some commands take several times."""
    return options.data if isinstance(options.data, list) else [] if options.data is None else [options.data]


def survey_of(options: argparse.Namespace, model: PathModel) -> Survey:
    """Return the records that the options name."""
    check_records(options)
    from bayes_sp.design.read import read_sets, read_survey, read_survey_of_default
    from bayes_sp.records.published.article import published
    from bayes_sp.records.published.members import ensemble
    from bayes_sp.records.published.reconstruct import reconstruct

    if files := files_of(options):
        say("reading the survey")
        if (column := getattr(options, "imputations", None)) or len(files) > 1:
            return read_sets(files, model, codebook=options.codebook, imputations=column or "")
        if options.codebook is None and options.model is OMITTED:
            return read_survey_of_default(files[0], model)
        return read_survey(files[0], model, options.codebook)
    if any(name not in published().names for name in model.columns):
        reason = f"needs your records: name their file with --data (columns {', '.join(model.columns)})"
        raise BayesSpError(model.name, [reason])
    seed = 1 if options.reconstruction is None else options.reconstruction
    members = getattr(options, "members", 1)
    return reconstruct(seed) if members == 1 else ensemble(members or MEMBERS, seed)


def sampler_of(options: argparse.Namespace, sets: int = 1) -> SamplerOptions:
    """Return how to sample each of so many sets of records."""
    usual = usual_options(1 if options.method == "laplace" else sets)
    given = {name: found for name in ("draws", "tune", "chains") if (found := getattr(options, name)) is not None}
    if "draws" in given:
        usual = replace(usual, most_draws=None)
    return replace(usual, **given, cores=options.cores, method=options.method)


def share_work(options: argparse.Namespace) -> None:
    """Start processes beside this one, which import what a fit needs while it does: as many as there is work for.

    One set of records keeps one busy with figures and the spread over reconstructions; several sets are shared out.
    """
    if not options.alone or options.cores < 2:
        return
    from bayes_sp.analysis.batch.beside import helpers

    several = options.members != 1 if options.data is None else bool(options.imputations) or len(options.data) > 1
    modules = ("bayes_sp.report.folders.drawings", "bayes_sp.analysis.ensemble")
    options.words.enter_context(helpers(options.cores - 1 if several else 1, modules))
