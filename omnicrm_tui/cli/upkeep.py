"""`omnicrm backup`, `restore` and `verify`: the data as a whole."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from omnicrm_tui.cli.output import plain
from omnicrm_tui.cli.progress import progress
from omnicrm_tui.cli.secret_input import passphrase, passphrase_options
from omnicrm_tui.config_file import load_settings

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@passphrase_options
def backup(file: Path, passphrase_stdin: bool, passphrase_file: Path | None) -> None:
    """Write everything into FILE: data, keys, plays, templates and configuration, encrypted with a passphrase.

    Everybody may go on working meanwhile. Without the passphrase nobody can read FILE, you included.
    """
    from omnicrm_tui.upkeep.backup import make_backup
    from omnicrm_tui.upkeep.disk import megabytes

    settings = load_settings()
    secret = passphrase(passphrase_stdin, passphrase_file, new=True)
    with progress(_("Backing up")) as tell:
        made = make_backup(settings, file.absolute(), secret, tell=tell)
    click.echo(
        _("{file}: {rows} rows of {tables} tables and {files} files, {size}.").format(
            file=plain(str(made.path)),
            rows=f"{made.contents.rows:,}",
            tables=len(made.contents.tables),
            files=len(made.contents.files),
            size=megabytes(made.bytes),
        )
    )


@click.command()
@click.argument("file", type=FILE)
@click.option("--database", metavar="URL", help="Use this empty database, or 'sqlite' for a file in the home.")
@passphrase_options
def restore(file: Path, database: str | None, passphrase_stdin: bool, passphrase_file: Path | None) -> None:
    """Bring back what is in FILE: an empty home and an empty database become what was backed up.

    OMNICRM_HOME names the home. When this is interrupted, run it again.
    """
    from omnicrm_tui.upkeep.restore import restore as bring_back

    with progress(_("Restoring")) as tell:
        done = bring_back(file, passphrase(passphrase_stdin, passphrase_file), database=database, tell=tell)
    click.echo(
        _("{home} is as it was on {made}: {rows} rows of {tables} tables and {files} files, each compared.").format(
            home=plain(str(done.settings.home)),
            made=done.about.made,
            rows=f"{done.contents.rows:,}",
            tables=len(done.contents.tables),
            files=len(done.contents.files),
        )
    )
    for step in done.upgraded:
        click.echo(_("Upgraded to {step}").format(step=step))


@click.command()
@click.argument("file", type=FILE)
@passphrase_options
def verify(file: Path, passphrase_stdin: bool, passphrase_file: Path | None) -> None:
    """Prove FILE without restoring it: every byte, checksum and row, the books and the activity chain."""
    from omnicrm_tui.upkeep.proof import verify as prove

    with progress(_("Verifying")) as tell:
        found = prove(file, passphrase(passphrase_stdin, passphrase_file), tell=tell)
    for name, (rows, checksum) in found.contents.tables.items():
        click.echo(f"{name:<24} {rows:>12,}  {checksum[:16]}")
    click.echo(
        _("Made on {made} by version {program}, tables of version {revision}, {files} files.").format(
            made=found.about.made,
            program=found.about.program,
            revision=found.about.revision,
            files=len(found.contents.files),
        )
    )
    if found.problems:
        raise click.ClickException(
            _("The file is whole, but not the data in it:\n{problems}").format(problems="\n".join(found.problems))
        )
    click.echo(_("Everything is there, and everything adds up."))
