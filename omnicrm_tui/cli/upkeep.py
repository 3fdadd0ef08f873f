"""`omnicrm backup`, `restore`, `verify`, `drill` and `move`: the data as a whole."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from omnicrm_tui.cli.output import plain
from omnicrm_tui.cli.progress import progress
from omnicrm_tui.cli.secret_input import passphrase, passphrase_options, private_line
from omnicrm_tui.cli.whole_home import settings_of_whole_home
from omnicrm_tui.errors import CrmError, InvalidInput

FILE = click.Path(path_type=Path, dir_okay=False)
URL_FILE = click.option(
    "--database-url-file", type=click.Path(path_type=Path), help="Read the database's URL from this file (0600)."
)


@click.command()
@click.argument("file", type=FILE)
@passphrase_options
def backup(file: Path, passphrase_stdin: bool, passphrase_file: Path | None) -> None:
    """Write everything into FILE: data, keys, plays, templates and configuration, encrypted with a passphrase.

    Everybody may go on working meanwhile. Without the passphrase nobody can read FILE, you included.
    """
    from omnicrm_tui.upkeep.backup import make_backup
    from omnicrm_tui.upkeep.disk import megabytes

    settings = settings_of_whole_home()
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
@URL_FILE
@passphrase_options
def restore(
    file: Path,
    database: str | None,
    database_url_file: Path | None,
    passphrase_stdin: bool,
    passphrase_file: Path | None,
) -> None:
    """Bring back what is in FILE: an empty home and an empty database become what was backed up.

    OMNICRM_HOME names the home. When this is interrupted, run it again.
    """
    from omnicrm_tui.upkeep.restore import restore as bring_back

    database = _address(database, database_url_file)
    secret = passphrase(passphrase_stdin, passphrase_file)
    with progress(_("Restoring")) as tell:
        done = bring_back(file, secret, database=database, tell=tell)
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

    secret = passphrase(passphrase_stdin, passphrase_file)
    with progress(_("Verifying")) as tell:
        found = prove(file, secret, tell=tell)
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


@click.command()
@click.option("--in", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to do it.")
def drill(folder: Path | None) -> None:
    """Back up, restore into a temporary place, compare everything, and clean up; nothing is changed."""
    from omnicrm_tui.upkeep.disk import megabytes
    from omnicrm_tui.upkeep.drill import drill as run_drill

    settings = settings_of_whole_home()
    with progress(_("Drill")) as tell:
        done = run_drill(settings, folder, tell)
    click.echo(f"{_('table'):<24} {_('backed up'):>14} {_('restored'):>14}")
    for name, (before, after) in done.tables.items():
        click.echo(f"{name:<24} {before:>14,} {after:>14,}  {'' if before == after else _('differs')}".rstrip())
    for currency, (charged, invoiced) in done.totals.items():
        click.echo(
            _("Books in {currency}: {charged} charged less credits, {invoiced} invoiced.").format(
                currency=currency, charged=_amount(charged), invoiced=_amount(invoiced)
            )
        )
    click.echo(_("Items that jobs hold: {number}.").format(number=done.reserved))
    click.echo(
        _("Activity chain: {entries} entries, the last one's hash is {hash}.").format(
            entries=f"{done.chain.entries:,}", hash=done.chain.last_hash
        )
    )
    click.echo(_("The backup had {size}; everything temporary is gone.").format(size=megabytes(done.bytes)))
    if done.problems:
        raise click.ClickException(_("The drill failed:\n{problems}").format(problems="\n".join(done.problems)))
    click.echo(_("What was backed up came back, and everything adds up."))


@click.command()
@click.argument("url", required=False)
@click.option("--switch", is_flag=True, help="Write the new address into the configuration.")
@URL_FILE
@click.option("--ask-password", is_flag=True, help="Ask for the database's password, which URL must not hold.")
@click.option("--cancel", "give_up", is_flag=True, help="Give up a move that was begun: let everybody write again.")
def move(url: str | None, switch: bool, database_url_file: Path | None, ask_password: bool, give_up: bool) -> None:
    """Move all data to the empty database at URL, such as postgresql://user@host/database, or 'sqlite'.

    Meanwhile, and afterwards, nobody can change the old database. When this is interrupted, run it again.
    """
    from omnicrm_tui.upkeep.address import HOME_SQLITE, database_url
    from omnicrm_tui.upkeep.alone import AtWork
    from omnicrm_tui.upkeep.move import cancel, is_held
    from omnicrm_tui.upkeep.move import move as move_data

    settings = settings_of_whole_home()
    config = settings.config_path or settings.home / "config.yaml"
    if give_up:
        cancel(settings)
        click.echo(_("Everybody can change the data again. What was copied meanwhile is of no use."))
        return
    url = _address(url, database_url_file)
    if not url:
        raise click.UsageError(_("Say where to: the URL of an empty database, or 'sqlite'."))
    password = click.prompt(_("Password"), hide_input=True, err=True) if ask_password else None
    target = database_url(url, settings.home, password)
    try:
        with progress(_("Moving")) as tell:
            done = move_data(settings, target, tell=tell)
    except CrmError as error:
        # Whose move is under way decides what becomes of it.
        if not isinstance(error, AtWork) and is_held(settings):
            hint = _("The data still refuse changes: run this again, or let people write with 'omnicrm move --cancel'.")
            raise CrmError(f"{error.message}\n{hint}") from error
        raise
    click.echo(
        _("{rows} rows of {tables} tables are in the new database, each compared with the old one.").format(
            rows=f"{done.rows:,}", tables=done.tables
        )
    )
    _say_where(config, HOME_SQLITE if url == HOME_SQLITE else target, switch)
    click.echo(_("Then start servers and workers anew, and let everybody open the application again."))
    click.echo(_("The old database is as it was and refuses changes. Delete it when you do not need it any more."))


def _address(shown: str | None, file: Path | None) -> str | None:
    """Return a database's URL as the command line has it, or else the file; raises InvalidInput for a shown password.

    Others can read what is an argument (`ps`), so a URL with a password is only taken from a private file.
    """
    from omnicrm_tui.first_start.answers import names_password

    if names_password(shown or ""):
        raise InvalidInput(_("A command line is for everybody on the host to read: use --database-url-file."))
    if file is None:
        return shown
    if shown:
        raise click.UsageError(_("Give the database's URL in one way, not in two."))
    url = private_line(file).strip()
    if not url:
        raise InvalidInput(_("{path} holds no URL.").format(path=plain(str(file))))
    return url


def _say_where(config: Path, address: str, switch: bool) -> None:
    from omnicrm_tui.upkeep.address import without_password
    from omnicrm_tui.upkeep.config_switch import lines_for, point_at

    name = plain(str(config))
    if switch:
        point_at(config, address)
        click.echo(_("{path} names it now. What stood there before is a comment.").format(path=name))
    elif lines := lines_for(without_password(address)):
        click.echo(_("Put this into {path}, in the place of the section 'database':").format(path=name))
        click.echo(lines, nl=False)
    else:
        click.echo(_("Take the section 'database' out of {path}.").format(path=name))


def _amount(units: int) -> str:
    return f"{units / 10**4:,.2f}"
