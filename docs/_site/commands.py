"""The command line, from the program's own parser."""

from __future__ import annotations

import argparse

from bayes_sp.cli.main import _parser


def commands() -> str:
    """Return a section for each command: what it does, how it is called, and its arguments with their help."""
    program = _parser()
    (choices,) = [action for action in program._actions if isinstance(action, argparse._SubParsersAction)]
    helps = {action.dest: action.help or "" for action in choices._choices_actions}
    formatter = program._get_formatter()
    own = [_row(action, formatter) for action in program._actions if action not in (choices, program._actions[0])]
    head = ["| argument, before any command | meaning |", "|---|---|", *own, ""]
    return "\n".join([*head, *(_section(name, helps.get(name, ""), each) for name, each in choices.choices.items())])


def _section(name: str, what: str, parser: argparse.ArgumentParser) -> str:
    formatter = parser._get_formatter()
    called = parser.format_usage().removeprefix("usage: ").rstrip()
    lines = [f"## {name}", "", f"{_sentence(what)} {parser.description or ''}".strip(), ""]
    lines += ["```text", f"python -m {called}", "```", ""]
    rows = [_row(action, formatter) for action in parser._actions if action.dest != "help"]
    if rows:
        lines += ["| argument | meaning |", "|---|---|", *rows, ""]
    return "\n".join([*lines, parser.epilog or "", ""])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _row(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    value = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
    names = [f"`{option} {value}`" if value else f"`{option}`" for option in action.option_strings] or [
        f"`{formatter._format_args(action, action.dest.upper())}`"
    ]
    meaning = formatter._expand_help(action) if action.help else ""
    choices = ", ".join(f"`{choice}`" for choice in action.choices or ())
    if choices and "{" in value:
        meaning = f"{meaning} (one of {choices})"
    return f"| {', '.join(names)} | {_escaped(meaning)} |".replace("| `[", "| `[")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
