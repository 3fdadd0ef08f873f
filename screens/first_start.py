"""The first screen of a home that nobody has set up: a few answers, each tested as it is entered.

What is entered is remembered, except the password: whoever is interrupted goes on where it was left.
"""

from __future__ import annotations

import asyncio
from gettext import gettext as _
from threading import Lock
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from omnicrm_tui.errors import CrmError, InvalidInput, OutsideSystemError
from omnicrm_tui.first_start.answers import Answers, check_database, check_ocs, keep, kept, zone_of_host
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import Settings
from screens.base import CrmScreen
from screens.desk import sentence
from widgets.controls import TextLine
from widgets.form import Form, fields_of
from widgets.text import visible

LABELS = {
    "company_name": _("Company"),
    "currency": _("Currency"),
    "timezone": _("Time zone"),
    "language": _("Language"),
    "default_country": _("Country"),
    "email": _("Administrator"),
    "password": _("Password"),
    "database_url": _("Database"),
    "ocs": _("Charging system"),
    "ocs_tenant": _("Tenant there"),
}
HINTS = {
    "email": _("the e-mail address that you will log in with"),
    "password": _("at least 8 characters: upper and lower case, a digit, a special one"),
    "database_url": _("blank: a file here; or postgresql+psycopg://user:password@host/omnicrm"),
    "ocs": _("host:port of CGRateS's JSON-RPC; may stay blank for now"),
}
_TESTED = {"database_url": "database_url", "ocs": "ocs", "ocs_tenant": "ocs"}
"""Fields that name something to be asked, and whose answer it is."""


class FirstStart(CrmScreen):
    """Sets up a real operator's home."""

    TITLE = _("First start")

    DEFAULT_CSS = """
    FirstStart #middle { align-horizontal: center; height: 1fr; }
    FirstStart #start { width: 76; height: 1fr; }
    FirstStart #welcome { height: auto; color: $text-muted; margin: 0 0 1 0; }
    FirstStart Form { max-height: 1fr; height: auto; }
    FirstStart #told { height: auto; min-height: 1; }
    FirstStart #told.-problem { color: $text-error; text-style: bold; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "finish", _("Set up"), id="first-start.finish", priority=True, tooltip=_("Check and set up")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._working = False
        self._newest: dict[str, str] = {}
        self._keeping = Lock()
        self._without_ocs = False
        self._form: Form | None = None

    def body(self) -> ComposeResult:
        home = self.crm_app.settings.home
        fields = fields_of(Answers, LABELS, labels=LABELS, hints=HINTS)
        self._form = Form(fields, {"timezone": zone_of_host(), **kept(home)})
        welcome = _("Welcome. Nothing is set up here yet.\nFor a try-out, leave with ctrl+q and run: omnicrm demo")
        with Vertical(id="middle"), Vertical(id="start"):
            yield Static(_lines(welcome), id="welcome", markup=False)
            yield self._form
            yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        for line in self.query(TextLine):
            line.select_on_focus = True  # what stands there is a suggestion: typing takes its place
        self._entries.focus_first()

    @property
    def _entries(self) -> Form:
        assert self._form is not None
        return self._form

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field was left: remember what is in it, and ask what it names."""
        name = next((name for name in LABELS if self._entries.control(name) is event.widget), "")
        values = self._entries.values()
        if not name or self._working:
            return
        self._newest = values
        asked = _TESTED.get(name) if values.get(name) else None
        self.do(lambda: self._left(asked, values), group="left", exclusive=True, on_error=self._wrong)

    async def _left(self, asked: str | None, values: dict[str, str]) -> None:
        await asyncio.to_thread(self._keep)
        if asked:
            said = await asyncio.to_thread(self._test, asked, values)
            self._tell(_("{label}: {said}").format(label=LABELS[asked], said=said))

    def _keep(self) -> None:
        """Called in a thread: several fields may have been left meanwhile, and the first to come keeps them all."""
        with self._keeping:
            if not self._working:
                keep(self.crm_app.settings.home, self._newest)

    def _test(self, name: str, values: dict[str, str]) -> str:
        """Called in a thread."""
        if name == "database_url":
            return check_database(self.crm_app.settings.home, values[name])
        return check_ocs(values.get("ocs", ""), values.get("ocs_tenant", ""))

    def on_form_completed(self) -> None:
        """Enter on the last field sets up."""
        self.action_finish()

    def action_finish(self) -> None:
        """Check everything, then make keys, tables, the administrator and the configuration."""
        if self._working:
            return
        try:
            answers = parse(Answers, self._entries.values())
        except InvalidInput as error:
            self._wrong(error)
            return
        self._entries.show_errors({})
        self._working = True
        self._tell(_("Setting up…"))
        self.do(lambda: self._set_up(answers), group="finish", exclusive=True, on_error=self._wrong)

    async def _set_up(self, answers: Answers) -> None:
        try:
            await asyncio.to_thread(check_database, self.crm_app.settings.home, answers.database_url)
            await self._test_ocs(answers)
            settings = await asyncio.to_thread(self._made, answers)
        except Exception:
            self._working = False
            raise
        self.crm_app.begin_with(settings)

    async def _test_ocs(self, answers: Answers) -> None:
        try:
            await asyncio.to_thread(check_ocs, answers.ocs, answers.ocs_tenant)
        except OutsideSystemError as error:
            if self._without_ocs:
                return
            self._without_ocs = True
            again = _("{problem} ctrl+s again goes on without it.")
            raise OutsideSystemError(again.format(problem=error.message)) from error

    def _made(self, answers: Answers) -> Settings:
        """Called in a thread."""
        from omnicrm_tui.first_start.finish import finish
        from omnicrm_tui.home import config_path

        home = self.crm_app.settings.home
        with self._keeping:
            return finish(home, config_path({}, home)[0], answers, lambda _step: None)

    def _wrong(self, error: CrmError) -> None:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        elsewhere = self._entries.show_errors(fields)
        self._tell(elsewhere if fields else sentence(error), problem=bool(elsewhere or not fields))

    def _tell(self, text: str, *, problem: bool = False) -> None:
        line = self.query_one("#told", Static)
        line.update(_lines(text))
        line.set_class(problem, "-problem")


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.splitlines())
