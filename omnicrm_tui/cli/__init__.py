"""Front door 3: the `omnicrm` command. What a command needs is imported when that command runs, and no sooner."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from omnicrm_tui import languages
from omnicrm_tui.errors import CrmError, InvalidInput

INTERRUPTED = 130

FOR_PROGRAMS = ("serve", "worker", "lab")
"""Commands whose words go to other systems, into logs and into the database: they speak English."""

FORMS_FOR_PROGRAMS = frozenset({"--json", "--csv"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    # What commands write (database, logs, exports) is for the operator alone.
    os.umask(0o077)
    # Looking for validation plug-ins, of which there are none, would cost every start 15 ms and 2 MiB.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    try:
        code = _command(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except CrmError as error:
        return say(_sentence(error), 1)
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return say(f"{where}{error.strerror or error}.", 1)
    except Exception as error:
        from gettext import gettext as _

        return say(_("This should not have happened: {error}").format(error=_kept(error)), 1)
    return code


def _command(arguments: list[str]) -> int:
    if arguments in ([], ["tui"], ["tui", "--confined"]):
        # The application begins 20 ms sooner without a parser for arguments that are hardly there.
        from omnicrm_tui.cli.terminal import open_terminal

        open_terminal(confined=len(arguments) == 2)
        return 0
    _speak(arguments)
    from omnicrm_tui.cli.commands import run

    return run(arguments)


def _speak(arguments: Sequence[str]) -> None:
    """Bind the language before the command's texts are imported: English for programs, which read JSON and CSV too."""
    for_programs = arguments[0] in FOR_PROGRAMS or not FORMS_FOR_PROGRAMS.isdisjoint(arguments)
    languages.speak(languages.ENGLISH if for_programs else languages.configured())


def say(sentence: str, code: int) -> int:
    """Print what went wrong, and return the exit status."""
    from omnicrm_tui.cli.output import plain

    for line in sentence.splitlines():
        print(f"omnicrm: {plain(line)}", file=sys.stderr)
    return code


def _sentence(error: CrmError) -> str:
    if isinstance(error, InvalidInput) and error.fields:
        return f"{error.message} {'; '.join(f'{name} {wrong}' for name, wrong in error.fields.items())}."
    return error.message


def _kept(error: Exception) -> str:
    """Keep the traceback where an administrator finds it, and return one sentence that says where."""
    from omnicrm_tui.cli.output import keep_traceback

    return keep_traceback(error)
