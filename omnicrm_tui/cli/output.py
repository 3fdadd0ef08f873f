"""What commands print: one line at a time, and nothing that a terminal would obey."""

from __future__ import annotations

import os
import traceback
from gettext import gettext as _

from omnicrm_tui.home import home_of


def plain(text: str) -> str:
    """Return `text` with control characters made visible: it may hold a name that somebody typed."""
    shown = (character if _harmless(character) else ascii(character)[1:-1] for character in text)
    return "".join(shown)


def _harmless(character: str) -> bool:
    # Python does not call a firm space printable; the French write one before a colon.
    return character.isprintable() or character == "\N{NO-BREAK SPACE}"


def keep_traceback(error: BaseException) -> str:
    """Append the traceback to the home's log (0600) and return one sentence with the place; neither with secrets."""
    from omnicrm_tui.redaction import Redactor

    redactor = Redactor()
    summary = redactor.text(f"{type(error).__name__}: {error}".splitlines()[0][:300])
    folder = home_of(os.environ) / "logs"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / "errors.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as log:
            log.write(redactor.text("".join(traceback.format_exception(error))))
    except OSError:
        return summary
    return _("{summary} (details in {path})").format(summary=summary, path=folder / "errors.log")
