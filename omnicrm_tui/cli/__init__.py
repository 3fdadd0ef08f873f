"""Front door 3: the `omnicrm` command. A command's module is imported when that command runs, and no sooner."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from omnicrm_tui import __version__
from omnicrm_tui.errors import CrmError, InvalidInput

COMMANDS = {
    "tui": ("terminal:tui", "Open the application (the default)."),
    "serve": ("serve:serve", "Serve the REST API."),
    "demo": ("demo:demo", "Fill an empty home with demo data."),
    "db": ("database:db", "Make, upgrade or check the database's tables."),
    "user": ("user:user", "Manage users from the command line."),
    "config": ("config:config", "Check or show the configuration."),
    "lab": ("lab:lab", "Run the pretend network of this home."),
}
INTERRUPTED = 130
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
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"omnicrm_tui.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, suggesting the nearest name for a mistyped one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            suggestion = f" Did you mean {near[0]}?" if near else f" Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"There is no command {args[0]!r}.{suggestion}", ctx)
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
        from omnicrm_tui.cli.terminal import tui

        context.invoke(tui)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    # What commands write (database, logs, exports) is for the operator alone.
    os.umask(0o077)
    # Looking for validation plug-ins, of which there are none, would cost every start 15 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = omnicrm.main(args=arguments, prog_name="omnicrm", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "omnicrm"
        return _say(f"{error.format_message()} Try '{where} --help'.", USAGE)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except CrmError as error:
        return _say(_sentence(error), 1)
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}.", 1)
    except Exception as error:
        return _say(f"This should not have happened: {_kept(error)}", 1)
    return result if isinstance(result, int) else 0


def _say(sentence: str, code: int) -> int:
    from omnicrm_tui.cli.output import plain

    for line in sentence.splitlines():
        click.echo(f"omnicrm: {plain(line)}", err=True)
    return code


def _sentence(error: CrmError) -> str:
    if isinstance(error, InvalidInput) and error.fields:
        return f"{error.message} {'; '.join(f'{name} {wrong}' for name, wrong in error.fields.items())}."
    return error.message


def _kept(error: Exception) -> str:
    """Keep the traceback where an administrator finds it, and return one sentence that says where."""
    from omnicrm_tui.cli.output import keep_traceback

    return keep_traceback(error)
