"""`omnicrm keys`: the keys that sign tokens, listed and renewed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext as _

import click

from omnicrm_tui.cli.printing import print_rows
from omnicrm_tui.cli.records import Form, forms
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor

# Whoever may run commands on this machine may read the keys themselves: nobody needs to be logged in.
ACTOR = system_actor("command line")


@click.group()
def keys() -> None:
    """List the keys that sign sessions' tokens, or renew the one that signs."""


@keys.command("list")
@forms
def list_keys(form: Form | None) -> None:
    """List the signing keys of the home; a former one is removed once nothing that it signed is left."""
    with _opened() as crm, crm.reading(ACTOR) as work:
        found = work.identity.signing_keys()
    if not found and form is None:
        click.echo(_("There are none: jwt_secret in the configuration signs."))
        return
    print_rows(iter(found), ("number", "made", "signs", "needed_until"), form or "text")


@keys.command()
def rotate() -> None:
    """Sign with a new key from now on, without logging anybody out: running programs take it up by themselves."""
    with _opened() as crm, crm.as_actor(ACTOR) as work:
        made = work.identity.rotate_signing_key()
    told = _("Key {number} signs from now on. What former keys signed stays good; 'omnicrm keys list' tells how long.")
    click.echo(told.format(number=made.number))


@contextmanager
def _opened() -> Iterator[Crm]:
    from omnicrm_tui.opening import open_crm

    crm = open_crm(load_settings())
    try:
        yield crm
    finally:
        crm.close()
