"""Where one lands whose roles open no room: a sentence in place of a refusal."""

from __future__ import annotations

from gettext import gettext as _

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from screens.base import CrmScreen


class NowhereScreen(CrmScreen):
    """Says what is missing, and what can be done all the same."""

    TITLE = _("No room is open")

    DEFAULT_CSS = """
    NowhereScreen #middle { align: center middle; height: 1fr; }
    NowhereScreen #middle > Static { width: 58; height: auto; }
    """

    def body(self) -> ComposeResult:
        told = _(
            "You are logged in, and none of your roles opens a room here. Ask an administrator for what you need, then "
            "log in again.\n\nPress : for your password, second factor and sessions, and to log out."
        )
        yield Vertical(Static(told, markup=False), id="middle")
