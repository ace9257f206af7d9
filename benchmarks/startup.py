"""Start-up: what a user waits for before anything is computed."""

from __future__ import annotations

from benchmarks.figure import Figure, Settings, figure, ratio, repeat
from benchmarks.process import seconds_of


def figures(settings: Settings) -> list[Figure]:
    """Time whole processes: the package, its help and a refused command, beside Python itself and the sampler."""
    bare = _process("python -c pass", ["-c", "pass"], settings, note="the interpreter alone")
    package = _process('python -c "import bayes_sp"', ["-c", "import bayes_sp"], settings)
    shown = _process("python -m bayes_sp --help", ["-m", "bayes_sp", "--help"], settings)
    refused = _process("python -m bayes_sp fit no_such_model", ["-m", "bayes_sp", "fit", "no_such_model"], settings, 2)
    found = [bare, package, shown, refused]
    if not settings.quick:
        sampler = _process(
            "import of all a fit needs",
            ["-c", "import bayes_sp.analysis.workflow"],
            settings,
            note="pymc, nutpie, arviz, ...",
        )
        found += [sampler, ratio("import of all a fit needs / help", sampler, shown, "what loading on first use saves")]
    found.append(ratio("import bayes_sp / python alone", package, bare))
    found.append(ratio("help / python alone", shown, bare))
    return found


def _process(name: str, arguments: list[str], settings: Settings, status: int = 0, note: str = "") -> Figure:
    """Time a command three times (ten when it is short), after one run that fills the disk's cache."""
    seconds_of(arguments, statuses=(status,))
    times = 3 if settings.quick else 10
    return figure(name, repeat(lambda: seconds_of(arguments, statuses=(status,)), times), note=note)
