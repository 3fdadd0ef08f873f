"""What is on this host: configuration, home and keys, disk, Ansible and plays, the terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from gettext import gettext as _
from gettext import ngettext

from omnicrm_tui.doctor.findings import Finding, broken, fine, look
from omnicrm_tui.settings import Settings

LEAST_FREE_BYTES = 200 * 1024 * 1024
LITTLE_FREE_BYTES = 2 * 1024 * 1024 * 1024
ANSIBLE_SECONDS = 30
_MIB = 1024 * 1024


def configuration(settings: Settings) -> Iterator[Finding]:
    """Look at the configuration: that it is right is known, since it was read (PLT-518)."""
    from omnicrm_tui.config_advice import advice

    name = _("Configuration")
    remarks = list(advice(settings))
    for remark in remarks:
        yield look(name, remark, _("Change it in the configuration, then start the programs again."))
    if not remarks:
        yield fine(name, str(settings.config_path or _("the defaults; there is no config.yaml")))


def home(settings: Settings) -> Iterator[Finding]:
    """Look at the state folder and its keys: they are for the operator alone."""
    name = _("State folder")
    open_to_others = [
        path
        for path in (settings.home, *settings.keys_folder.glob("*"))
        if path.exists() and path.stat().st_mode & 0o077
    ]
    for path in open_to_others:
        mode = 700 if path.is_dir() else 600
        yield broken(name, _("{path} can be read by others.").format(path=path), f"chmod {mode} {path}")
    if not os.access(settings.home, os.W_OK):
        mend = _("Give {path} to the account that runs OmniCRM.").format(path=settings.home)
        yield broken(name, _("{path} cannot be written.").format(path=settings.home), mend)
    elif not open_to_others:
        yield fine(name, str(settings.home))


def disk(settings: Settings) -> Iterator[Finding]:
    """Look at the room that is left on the disk of the state folder."""
    name = _("Disk")
    free = shutil.disk_usage(settings.home).free
    found = _("{free} MB free at {path}").format(free=f"{free // _MIB:,}", path=settings.home)
    mend = _("Make room, or move the state folder to a larger disk: database, jobs and logs stop when it is full.")
    if free < LEAST_FREE_BYTES:
        yield broken(name, found, mend)
    elif free < LITTLE_FREE_BYTES:
        yield look(name, found, mend)
    else:
        yield fine(name, found)


def ansible(settings: Settings) -> Iterator[Finding]:
    """Run ansible-playbook once: jobs cannot do without it."""
    from omnicrm_tui.provisioning.ansible_process import RunSettings

    name = "Ansible"
    program = RunSettings(settings.provisioning.ansible_playbook or None).program()
    mend = _("Set provisioning.ansible_playbook to a working ansible-playbook (ansible-core 2.19).")
    try:
        done = subprocess.run(  # noqa: S603 - the program that the operator configured, without a shell
            [program, "--version"], capture_output=True, text=True, timeout=ANSIBLE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield broken(name, _("{program} does not run: {error}").format(program=program, error=error), mend)
        return
    first = (done.stdout or done.stderr).strip().splitlines()[:1]
    if done.returncode:
        yield broken(name, _("{program} fails: {error}").format(program=program, error=" ".join(first)), mend)
    else:
        yield fine(name, " ".join(first))


def plays(settings: Settings) -> Iterator[Finding]:
    """Read every play of the operator (SVC-131..138); ours are read by their own tests."""
    from omnicrm_tui.provisioning.play_file import PlayProblem
    from omnicrm_tui.provisioning.play_lint import lint_play

    name = _("Plays")
    files = sorted(settings.plays_folder.glob("play_*.y*ml"))
    wrong = 0
    for file in files:
        try:
            remarks = lint_play(file)
        except PlayProblem as problem:
            wrong += 1
            mend = _("Mend the file: a job that needs it fails at once.")
            yield broken(name, f"{file.name}: {problem}", mend)
            continue
        if remarks:
            wrong += 1
            first = remarks[0]
            count = len(remarks)
            found = ngettext(
                "{file}: {n} remark, at line {line}: {why}", "{file}: {n} remarks, first at line {line}: {why}", count
            )
            yield look(
                name,
                found.format(file=file.name, n=count, line=first.line, why=first.message),
                _("Follow the rules for authors of plays, so that a failure leaves nothing behind."),
            )
    if not wrong:
        own = ngettext("{n} play of your own", "{n} plays of your own", len(files)).format(n=len(files))
        yield fine(name, own)


def terminal(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the terminal that the command runs in."""
    name = _("Terminal")
    term = environ.get("TERM", "")
    size = shutil.get_terminal_size()
    encoding = (environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "").upper().replace("-", "")
    if not term or term == "dumb":
        yield look(
            name,
            _("There is none, or one that can do nothing (TERM is {term}).").format(term=term or '""'),
            _("Open the application in a terminal such as xterm-256color; commands work anywhere."),
        )
    elif size.columns < 80 or size.lines < 24:
        yield look(
            name,
            _("It has {columns} columns and {lines} lines.").format(columns=size.columns, lines=size.lines),
            _("The application needs 80 columns and 24 lines."),
        )
    elif "UTF8" not in encoding and not encoding.startswith("C.UTF"):
        yield look(
            name,
            _("It does not say that it shows UTF-8 (LANG is {lang}).").format(lang=environ.get("LANG") or '""'),
            _("Set LANG=C.UTF-8, or the frames and names of other scripts are garbled."),
        )
    else:
        yield fine(name, f"{term}, {size.columns}x{size.lines}")
