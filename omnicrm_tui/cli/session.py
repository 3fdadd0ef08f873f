"""`omnicrm login`, `logout` and `session`: the session with which other commands and the next terminal here go on."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from omnicrm_tui.cli.caller import calling
from omnicrm_tui.cli.printing import print_rows
from omnicrm_tui.cli.records import Form, forms
from omnicrm_tui.cli.user import read_password
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.errors import NotAuthenticated

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.schemas import LoginResult
    from screens.seat import Seat


@click.command()
@click.option("--email", prompt="E-mail", help="The e-mail address or user name to log in with.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.option("--code", help="The six digits of the second factor; asked for where one is needed.")
def login(email: str, password_stdin: bool, code: str | None) -> None:
    """Log in, so that commands act for you."""
    from omnicrm_tui.identity.actor import visitor
    from omnicrm_tui.opening import open_crm
    from screens.seat import Seat

    settings = load_settings()
    seat = Seat(settings.home)
    if seat.session is None:
        raise NotAuthenticated(_("People cannot be told apart here, so nothing is remembered. Use an API key."))
    password = read_password(from_stdin=password_stdin, confirm=False)
    crm = open_crm(settings)
    try:
        with crm.as_actor(visitor(seat.source_address)) as work:
            result = work.identity.login(email, password, seat.source_address, remember=True)
        if result.requires_2fa:
            result = _second_factor(crm, seat, result, code)
        if result.tokens is None or result.actor is None:
            raise NotAuthenticated(_("The password is a temporary one. Open 'omnicrm' and choose your own first."))
        seat.session.remember(result.tokens.refresh_token)
    finally:
        crm.close()
    click.echo(_("Logged in as {name}.").format(name=result.actor.name))


def _second_factor(crm: Crm, seat: Seat, result: LoginResult, code: str | None) -> LoginResult:
    from omnicrm_tui.identity.actor import visitor

    given: str = code or click.prompt(_("Code of the authenticator"))
    with crm.as_actor(visitor(seat.source_address)) as work:
        return work.second_factor.verify(result.challenge_token, given, seat.source_address)


@click.command()
def logout() -> None:
    """End the session that is remembered here."""
    from omnicrm_tui.identity.actor import visitor
    from omnicrm_tui.opening import open_crm
    from screens.seat import Seat

    settings = load_settings()
    seat = Seat(settings.home)
    token = seat.session.forget() if seat.session else None
    if token is None:
        click.echo(_("Nobody is logged in here."))
        return
    crm = open_crm(settings)
    try:
        with crm.as_actor(visitor(seat.source_address)) as work:
            work.identity.logout(token)
    finally:
        crm.close()
    click.echo(_("Logged out."))


@click.group()
def session() -> None:
    """List your open sessions, or end others than this one."""


@session.command("list")
@forms
def list_sessions(form: Form | None) -> None:
    """List your open sessions, the newest first."""
    with calling() as caller:
        rows = caller.read(lambda work: work.identity.sessions_of(caller.actor.user_id or 0))
    columns = ("session_id", "started", "source_address", "last_used", "ends", "remembered", "current")
    print_rows(iter(rows), columns, form or "text")


@session.command()
@click.argument("session_id", default="")
@click.option("--others", is_flag=True, help="All but the one that is remembered here.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def end(session_id: str, others: bool, password_stdin: bool) -> None:
    """End one of your sessions, or all others, with your password."""
    if others == bool(session_id):
        raise click.UsageError(_("Name a session, or give --others."))
    password = read_password(from_stdin=password_stdin, confirm=False)
    with calling() as caller:
        user_id = caller.actor.user_id or 0
        number = caller.change(lambda work: work.identity.end_own_sessions(user_id, password, session_id))
    click.echo(_("Sessions ended: {n}").format(n=number))
