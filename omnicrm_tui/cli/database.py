"""`omnicrm db`: the database's tables."""

from __future__ import annotations

import sys
from gettext import gettext as _

import click

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database import migrate


@click.group()
def db() -> None:
    """Make, upgrade or check the database's tables."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the tables to REVISION, by default the newest."""
    from omnicrm_tui import opening

    steps = opening.upgrade(load_settings(), revision)
    for step in steps:
        click.echo(_("Upgraded to {step}").format(step=step))
    if not steps:
        click.echo(_("The database is up to date."))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the tables back to REVISION, by default by one step; 'base' drops all of them, with the data."""
    settings = load_settings()
    if not yes and sys.stdin.isatty():
        click.confirm(
            _("This drops what came after {revision}, with the data in it. Go on?").format(revision=revision),
            abort=True,
        )
    steps = migrate.downgrade(settings, revision)
    for step in steps:
        click.echo(_("Took back {step}").format(step=step))
    if not steps:
        click.echo(_("There is nothing to take back."))


@db.command()
def current() -> None:
    """Say which version the database has."""
    version = migrate.current_version(load_settings())
    words = {
        migrate.SchemaState.EMPTY: "empty",
        migrate.SchemaState.CURRENT: f"{version.revision} (current)",
        migrate.SchemaState.OLDER: _("{revision} (older: this program works with {head})").format(
            revision=version.revision, head=migrate.HEAD
        ),
        migrate.SchemaState.NEWER: _("{revision} (newer: this program works with {head})").format(
            revision=version.revision, head=migrate.HEAD
        ),
        migrate.SchemaState.LOADING: _("being filled by a restore or a move"),
    }
    click.echo(words[version.state])


@db.command()
def check() -> None:
    """Say what an upgrade would do; exit with 1 when there is something to do."""
    steps = migrate.pending(load_settings())
    for step in steps:
        click.echo(_("An upgrade would bring {step}").format(step=step))
    if steps:
        sys.exit(1)
    click.echo(_("The database is up to date."))
