"""The commands and their options. A command's module is imported when that command runs, and no sooner."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from importlib import import_module
from inspect import cleandoc

import click

from omnicrm_tui import __version__
from omnicrm_tui.cli import INTERRUPTED, say

COMMANDS = {
    "tui": ("tui:tui", _("Open the application (the default).")),
    "serve": ("serve:serve", _("Serve the REST API.")),
    "worker": ("worker:worker", _("Deliver mail and SMS, look after jobs, keep the schedule.")),
    "init": ("init:init", _("Set up an empty home for a real operator.")),
    "demo": ("demo:demo", _("Fill an empty home with demo data.")),
    "db": ("database:db", _("Make, upgrade or check the database's tables.")),
    "backup": ("upkeep:backup", _("Write everything into one encrypted file.")),
    "restore": ("upkeep:restore", _("Bring a backup back, in an empty place.")),
    "verify": ("upkeep:verify", _("Prove a backup without restoring it.")),
    "drill": ("upkeep:drill", _("Prove that a backup could be restored now.")),
    "move": ("upkeep:move", _("Move all data to another database.")),
    "user": ("user:user", _("Add users, list them or show one.")),
    "config": ("config:config", _("Check or show the configuration.")),
    "doctor": ("doctor:doctor", _("Look at everything it stands on, and say how to mend it.")),
    "lab": ("lab:lab", _("Run the pretend network of this home.")),
    "login": ("session:login", _("Log in, so that the commands below act for you.")),
    "logout": ("session:logout", _("End that session.")),
    "session": ("session:session", _("List your open sessions, or end others than this one.")),
    "customer": ("records:customer", _("List customers, or show one.")),
    "contact": ("records:contact", _("List a customer's contacts.")),
    "site": ("records:site", _("List a customer's sites.")),
    "service": ("records:service", _("List services, or show one with its balances.")),
    "item": ("records:item", _("List stock items, or show one.")),
    "template": ("records:template", _("List the kinds of stock items.")),
    "product": ("records:product", _("List products, or show one.")),
    "transaction": ("records:transaction", _("List charges and credits, or show one.")),
    "invoice": ("records:invoice", _("List invoices, or show one.")),
    "status": ("status:status", _("Tell how the system does.")),
    "job": ("job:job", _("List provisioning jobs, show one, or follow one to its end.")),
    "activity": ("activity:activity", _("List the activity log, show an entry, or prove that nobody has changed it.")),
    "message": ("records:message", _("List the e-mails and SMS of the outbox, or show one.")),
    "api-key": ("api_key:api_key", _("List API keys, show, make, extend or revoke one.")),
    "keys": ("keys:keys", _("List the keys that sign tokens, or renew the one that signs.")),
    "impersonation": ("records:impersonation", _("List who acted as which other user.")),
    "role": ("records:role", _("List roles, or show one.")),
}
USAGE = 2


class LazyGroup(click.Group):
    """Knows its commands by name, and imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the named command; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _colon, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"omnicrm_tui.cli.{module}"), name)
        return _translated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, words) for name, (_module, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, suggesting the nearest name for a mistyped one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            suggestion = (
                _("Did you mean {name}?").format(name=near[0])
                if near
                else _("Commands: {commands}.").format(commands=", ".join(COMMANDS))
            )
            raise click.UsageError(
                _("There is no command {name!r}. {suggestion}").format(name=args[0], suggestion=suggestion), ctx
            )
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="omnicrm", message="%(prog)s %(version)s")
@click.pass_context
def omnicrm(context: click.Context) -> None:
    """A telecom operator's BSS/OSS desk in a terminal.

    OMNICRM_HOME holds all state (by default ~/.local/share/omnicrm), OMNICRM_CONFIG names the configuration
    (by default config.yaml in there).
    """
    if context.invoked_subcommand is None:
        from omnicrm_tui.cli.terminal import open_terminal

        open_terminal()


def _translated(command: click.Command) -> click.Command:
    """Say a command's help, its options' and its own commands' in the language of this process."""
    command.help = _(cleandoc(command.help)) if command.help else None
    for option in command.params:
        if isinstance(option, click.Option):
            option.help = _(option.help) if option.help else None
            option.prompt = _(option.prompt) if option.prompt else None
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _translated(below)
    return command


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name; return the exit status. Errors that are not about usage are raised."""
    try:
        result = _translated(omnicrm).main(args=arguments, prog_name="omnicrm", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "omnicrm"
        return say(_("{problem} Try '{where} --help'.").format(problem=error.format_message(), where=where), USAGE)
    except click.ClickException as error:
        return say(error.format_message(), error.exit_code)
    except click.exceptions.Abort:
        return INTERRUPTED
    return result if isinstance(result, int) else 0
