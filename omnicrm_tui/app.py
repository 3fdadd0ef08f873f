"""The Textual application: draws first, opens the service layer in a thread, then signs in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from omnicrm_tui.settings import Settings
from screens import rooms, themes
from screens.desk import Desk

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor


def open_crm(settings: Settings) -> Crm:
    """Import and open the service layer; called in a thread, after the first frame."""
    from omnicrm_tui.crm import Crm

    return Crm.open(settings)


class OmniCrmApp(App[None]):
    """The operator's desk."""

    TITLE = "OmniCRM"
    CSS_PATH = None
    ENABLE_COMMAND_PALETTE = False
    MODES = rooms.MODES
    DEFAULT_MODE = "login"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+k,colon", "palette", "Commands", id="app.palette", key_display=":", tooltip="Every action"),
        Binding("question_mark", "keys", "All keys", id="app.keys", key_display="?", tooltip="Keys of this place"),
        Binding("g", "go_prefix", "Go to…", id="app.go", show=False, tooltip="g, then the room's letter"),
        Binding("ctrl+q", "leave", "Quit", id="app.quit", show=False, tooltip="Leave the application"),
    ]

    def __init__(self, settings: Settings, desk: Desk | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.desk = desk or Desk(settings, open_crm)
        for theme in (themes.DARK, themes.LIGHT):
            self.register_theme(theme)
        self.theme = self._first_theme()
        self.animation_level = "none"

    @property
    def home_badge(self) -> str:
        """What every screen shows about the home: a demo says so, a real one names its operator."""
        return "DEMO" if self.settings.demo else self.settings.crm.company_name

    @property
    def person(self) -> str:
        """Who is signed in."""
        return self.desk.actor.name if self.desk.actor else ""

    def on_mount(self) -> None:
        """Open the service layer once the first frame is out."""
        self.call_after_refresh(self.desk.open)

    def signed_in(self, actor: Actor) -> None:
        """Go to the actor's first room (PLT-174, PLT-175)."""
        self.desk.actor = actor
        self.switch_mode(rooms.first_room(actor))

    def _first_theme(self) -> str:
        if "NO_COLOR" in os.environ or os.environ.get("TERM") in ("linux", "vt100", "vt220", "xterm-16color"):
            return themes.ANSI
        chosen = self.settings.crm.theme
        return chosen if chosen in themes.NAMES else themes.DARK.name


def run(settings: Settings) -> None:
    """Run the application until the person leaves."""
    OmniCrmApp(settings).run()
