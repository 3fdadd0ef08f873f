"""What commands print: one line at a time, and nothing that a terminal would obey."""

from __future__ import annotations

import os
import traceback
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui.home import home_of

if TYPE_CHECKING:
    from omnicrm_tui.settings import LogsSection


def plain(text: str) -> str:
    """Return `text` with control characters made visible: it may hold a name that somebody typed."""
    shown = (character if _harmless(character) else ascii(character)[1:-1] for character in text)
    return "".join(shown)


def _harmless(character: str) -> bool:
    # Python does not call a firm space printable; the French write one before a colon.
    return character.isprintable() or character == "\N{NO-BREAK SPACE}"


def keep_traceback(error: BaseException) -> str:
    """Append the traceback to the home's log (0600) and return one sentence with the place; neither with secrets."""
    from omnicrm_tui.log_files import open_to_append
    from omnicrm_tui.redaction import Redactor

    redactor = Redactor()
    summary = redactor.text(f"{type(error).__name__}: {error}".splitlines()[0][:300])
    path = home_of(os.environ) / "logs" / "errors.log"
    limits = _limits()
    try:
        with os.fdopen(open_to_append(path, limits.max_bytes, limits.keep), "a", encoding="utf-8") as log:
            log.write(redactor.text("".join(traceback.format_exception(error))))
    except OSError:
        return summary
    return _("{summary} (details in {path})").format(summary=summary, path=path)


def _limits() -> LogsSection:
    """Return what the configuration says about logs; where it cannot be read, which may be the error, the usual."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.settings import LogsSection

    try:
        return load_settings().logs
    except Exception:
        return LogsSection()
