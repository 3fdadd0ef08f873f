"""`omnicrm user`: users from the command line, above all the first administrator."""

from __future__ import annotations

import sys
from gettext import gettext as _

import click

from omnicrm_tui.cli.records import add_twin
from omnicrm_tui.cli.twins import TWINS
from omnicrm_tui.config_file import load_settings


@click.group()
def user() -> None:
    """Add users from the command line, list them, show or unlock one."""


add_twin(user, TWINS["user"])


@user.command()
@click.option("--email", required=True, help="The e-mail address; one logs in with it.")
@click.option("--username", help="Another name to log in with; by default the e-mail address.")
@click.option("--first-name", default="", help="By default what stands before the @.")
@click.option("--last-name", default="", help="By default the user's role.")
@click.option("--role", "roles", multiple=True, help="A role; may be given several times. [default: System Admin]")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create(
    email: str, username: str | None, first_name: str, last_name: str, roles: tuple[str, ...], password_stdin: bool
) -> None:
    """Create a user who can log in."""
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.identity.schemas import UserInput
    from omnicrm_tui.opening import open_crm
    from omnicrm_tui.schemas import parse

    crm = open_crm(load_settings())
    try:
        chosen = list(roles) or ["System Admin"]
        values = {
            "email": email,
            "username": username or email,
            "first_name": first_name or email.partition("@")[0],
            "last_name": last_name or chosen[0],
            "role": chosen,
            "password": read_password(from_stdin=password_stdin),
        }
        with crm.as_actor(system_actor("command line")) as work:
            made = work.identity.create_user(parse(UserInput, values))
    finally:
        crm.close()
    click.echo(
        _("Created user {id}, {email}, with the role {roles}.").format(
            id=made.id, email=made.email, roles=", ".join(made.roles)
        )
    )


@user.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Let a user who is locked out after failed log-ins try again at once.

    NAME is an e-mail address or a user name.
    """
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.opening import open_crm

    crm = open_crm(load_settings())
    try:
        with crm.as_actor(system_actor("command line")) as work:
            opened = work.identity.unlock(work.identity.user_by_login(name).id)
    finally:
        crm.close()
    click.echo(_("{name} can log in again.").format(name=opened.username))


def read_password(*, from_stdin: bool, confirm: bool = True) -> str:
    """Return the password from standard input, or ask for it where somebody sits there."""
    # Never an option: a command line is for everybody on the machine to read.
    if from_stdin or not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise click.UsageError(_("Standard input holds no password."))
        return password
    answer: str = click.prompt(_("Password"), hide_input=True, confirmation_prompt=confirm)
    return answer
