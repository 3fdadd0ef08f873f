"""Secrets that a command is given: typed, from standard input or from a private file; never on the command line."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


def passphrase_options(command: Command) -> Command:
    """Add --passphrase-stdin and --passphrase-file to a command."""
    for option in (
        click.option(
            "--passphrase-file", type=click.Path(path_type=Path), help="Read the passphrase from this file (0600)."
        ),
        click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input."),
    ):
        command = option(command)
    return command


def passphrase(from_stdin: bool, file: Path | None, *, new: bool = False) -> str:
    """Return the passphrase from where the options say, or ask for it; a `new` one is asked for twice."""
    if from_stdin and file is not None:
        raise click.UsageError(_("Give the passphrase in one way, not in two."))
    if file is not None:
        return _first_line(private_line(file), str(file))
    if from_stdin or not sys.stdin.isatty():
        return _first_line(sys.stdin.readline(), _("Standard input"))
    answer: str = click.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=new, err=True)
    return answer


def private_line(path: Path) -> str:
    """Return the first line of a file that only its owner can read; raises UsageError for one that others can."""
    with path.open(encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise click.UsageError(_("{path} can be read by others: chmod 600 it.").format(path=path))
        return file.readline()


def _first_line(text: str, where: str) -> str:
    line = text.rstrip("\r\n")
    if not line:
        raise click.UsageError(_("{where} holds no passphrase.").format(where=where))
    return line
