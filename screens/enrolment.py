"""Turning the second factor on: a code for the phone's camera, the same as text, codes for paper, and a proof."""

from __future__ import annotations

import asyncio
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from omnicrm_tui.errors import CrmError, InvalidInput
from omnicrm_tui.identity.schemas import Enrolment, Password, SecondFactorState
from omnicrm_tui.schemas import Input as Schema
from screens.base import Dialog
from screens.choose import Choose
from screens.desk import sentence
from screens.dialogs import Confirm, FormDialog
from screens.second_factor import DigitLine, digits_of
from widgets.clipboard import copy
from widgets.form import Field
from widgets.qr_code import fitting_qr_lines
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp
    from omnicrm_tui.identity.actor import Actor

CODE_COLUMNS, CODE_LINES = 47, 23
"""What is free for the drawing at 80x24."""


class BackupCodes(Dialog[bool]):
    """Ten backup codes, shown this once: `y` copies them, `E` writes them to a file, once (PLT-190, PLT-194)."""

    DEFAULT_CSS = """
    BackupCodes #box { width: 50; }
    BackupCodes .codes { text-style: bold; margin: 1 0 1 2; }
    BackupCodes #told { height: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_codes", _("Copy the codes"), priority=True, id="codes.copy"),
        Binding("E", "export_codes", _("Export the codes"), priority=True, id="codes.export"),
    ]

    heading = _("Backup codes")
    keys = _("y copy   E export   esc close")

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__()
        self._codes = codes
        self._exported = False

    def body(self) -> ComposeResult:
        yield Static(_("Each is good once, in place of the phone. They are shown only now: keep them elsewhere."))
        yield Static(in_two_columns(self._codes), classes="codes", markup=False)
        yield Static("", id="told", markup=False)

    def told(self, text: str) -> None:
        """Say what became of it."""
        self.query_one("#told", Static).update(visible(text))

    def action_copy_codes(self) -> None:
        """Put all codes on the clipboard of the machine where one sits."""
        copy(self.app, "\n".join(self._codes))
        self.told(_("The codes are copied."))

    def action_export_codes(self) -> None:
        """Write all codes to a private file, once."""
        if self._exported:
            self.told(_("The codes were exported already."))
            return
        self._exported = True
        self.do(self._export, on_error=self._not_exported)

    async def _export(self) -> None:
        from omnicrm_tui.exports import write_text

        folder = self.desk.settings.exports_folder
        path = await asyncio.to_thread(write_text, "\n".join(self._codes) + "\n", folder, "backup-codes")
        self.told(_("In {path}: print it, then delete it.").format(path=path))

    def _not_exported(self, error: CrmError) -> None:
        self._exported = False
        self.told(sentence(error))


class Enrol(BackupCodes):
    """Shows a new secret and its backup codes, until a code shows that the phone has it (PLT-189..193, BIL-423).

    At 80x24 there is room for a QR code of up to 41 modules with the quiet zone that cameras want; what is longer is
    shown as text. With `moved`, the second factor is on already and asks for this secret.
    """

    DEFAULT_CSS = """
    Enrol #box { layout: horizontal; width: 80; height: 24; border: none; padding: 0; }
    Enrol #code { width: auto; height: auto; color: #000000; background: #ffffff; }
    Enrol #uri { width: 45; height: auto; padding: 1; }
    Enrol #text { width: 1fr; height: 100%; padding: 0 0 0 1; }
    Enrol .enrol--heading { text-style: bold; color: $primary; margin: 0 0 1 0; }
    Enrol .codes { margin: 0 0 1 1; }
    Enrol .enrol--key { text-style: bold; margin: 0 0 1 1; }
    Enrol .enrol--keys { dock: bottom; height: auto; color: $text-muted; }
    Enrol #told { min-height: 2; max-height: 5; }
    Enrol #told.-wrong { color: $text-error; text-style: bold; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "copy_key", _("Copy the key"), priority=True, id="enrol.key"),
        Binding("t", "text", _("Text or QR code"), priority=True, id="enrol.text"),
    ]

    heading = ""
    keys = ""

    def __init__(self, enrolment: Enrolment, *, moved: bool = False) -> None:
        super().__init__(enrolment.backup_codes)
        self._enrolment = enrolment
        self._moved = moved
        self._checking = False
        self._drawing = fitting_qr_lines(enrolment.uri, CODE_COLUMNS, CODE_LINES)

    def body(self) -> ComposeResult:
        yield Static("\n".join(self._drawing), id="code", markup=False)
        yield Static(visible(self._enrolment.uri), id="uri", markup=False)
        keys = _("y copy codes   E export codes\nk copy key     t text\nenter go on    esc leave")
        yield Vertical(
            Static(_("Second factor"), classes="enrol--heading"),
            Static(_("Scan it with your authenticator, or type in this key:")),
            Static(in_groups(self._enrolment.secret), classes="enrol--key", markup=False),
            Static(_("Backup codes, each good once. Keep them where the phone is not:")),
            Static(in_two_columns(self._codes), classes="codes", markup=False),
            Static(_("The 6 digits that it shows now:")),
            DigitLine(),
            Static("", id="told", markup=False),
            Static(keys, classes="enrol--keys"),
            id="text",
        )

    def on_mount(self) -> None:
        self.query_one(DigitLine).focus()
        self._show(drawn=bool(self._drawing))

    def action_text(self) -> None:
        """Show the address in place of the drawing, or the drawing again: not every terminal draws it well."""
        self._show(drawn=bool(self._drawing) and not self.query_one("#code").display)

    def _show(self, *, drawn: bool) -> None:
        self.query_one("#code").display = drawn
        self.query_one("#uri").display = not drawn

    def action_copy_key(self) -> None:
        """Put the key on the clipboard of the machine where one sits."""
        copy(self.app, self._enrolment.secret)
        self.told(_("The key is copied."))

    def told(self, text: str) -> None:
        self.query_one("#told").remove_class("-wrong")
        super().told(text)

    # The proof

    def on_input_changed(self, message: Input.Changed) -> None:
        """The sixth digit sends the code."""
        message.stop()
        if digits_of(message.value):
            self._send(digits_of(message.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._send(message.value)

    def _send(self, code: str) -> None:
        if code and not self._checking:
            self._checking = True
            self.do(lambda: self._confirm(code), on_error=self._wrong)

    async def _confirm(self, code: str) -> None:
        user_id = self._enrolment.user_id
        try:
            await self.desk.change(lambda work: work.second_factor.confirm(user_id, code))
        finally:
            self._checking = False
        self.finish(True)

    def _wrong(self, error: CrmError) -> None:
        self.query_one(DigitLine).value = ""
        told = sentence(error)
        if isinstance(error, InvalidInput):
            told += " " + _("Wait for the next code; let the phone set its clock by itself.")
        self.told(told)
        self.query_one("#told").add_class("-wrong")

    def action_leave(self) -> None:
        """Ask first: what is shown here is shown once."""
        lost = (
            _("The second factor asks for this key from now on. Without it only the backup codes let you in.")
            if self._moved
            else _("The second factor stays off, and this key and these codes are not shown again.")
        )
        self.app.push_screen(Confirm(_("Leave without a code?"), lost, yes=_("Leave")), self._left)

    def _left(self, sure: bool | None) -> None:
        if sure:
            self.finish(False)


class _OwnPassword(Schema):
    password: Password


class _BackupCode(Schema):
    backup_code: str


async def manage(app: OmniCrmApp) -> None:
    """Turn the second factor on, or offer what can be done with one that is on."""
    user_id = _person(app.desk.actor)
    state = await app.desk.read(lambda work: work.second_factor.state(user_id))
    if not state.enabled:
        await _turn_on(app, user_id)
        return
    unused = _("New backup codes ({n} of the old ones are unused)").format(n=state.unused_codes)
    answers = (unused, _("Move to a new device, with a backup code"))
    chosen = await app.push_screen_wait(Choose(_("The second factor is on"), answers))
    if chosen == 0:
        await _replace_codes(app, user_id, state)
    elif chosen == 1:
        await _move(app, user_id)


async def enrol_first(app: OmniCrmApp, actor: Actor) -> Actor | None:
    """Let somebody turn it on who may do nothing before; return who they are then, None when they leave (PLT-162)."""
    if not await _turn_on(app, _person(actor)):
        return None
    return await app.desk.read(lambda work: work.identity.actor_again(actor))


async def _turn_on(app: OmniCrmApp, user_id: int) -> bool:
    field = Field("password", _("Current password"), "secret", required=True)

    async def issue(data: _OwnPassword) -> Enrolment:
        password = data.password.get_secret_value()
        return await app.desk.change(lambda work: work.second_factor.enable(user_id, password))

    form: FormDialog[Enrolment] = FormDialog(_("Turn the second factor on"), _OwnPassword, [field], issue)
    enrolment = await app.push_screen_wait(form)
    if enrolment is None or not await app.push_screen_wait(Enrol(enrolment)):
        return False
    app.notify(_("The second factor is on. From now on a log-in asks for its code."), markup=False)
    return True


async def _replace_codes(app: OmniCrmApp, user_id: int, state: SecondFactorState) -> None:
    lost = _("The old ones, {n} of them unused, open nothing any more.").format(n=state.unused_codes)
    field = Field("password", _("Current password"), "secret", required=True, hint=lost)

    async def issue(data: _OwnPassword) -> tuple[str, ...]:
        password = data.password.get_secret_value()
        return await app.desk.change(lambda work: work.second_factor.regenerate_backup_codes(user_id, password))

    form: FormDialog[tuple[str, ...]] = FormDialog(_("Make new backup codes"), _OwnPassword, [field], issue)
    codes = await app.push_screen_wait(form)
    if codes is not None:
        await app.push_screen_wait(BackupCodes(codes))


async def _move(app: OmniCrmApp, user_id: int) -> None:
    field = Field("backup_code", _("Backup code"), required=True)

    async def issue(data: _BackupCode) -> Enrolment:
        return await app.desk.change(lambda work: work.second_factor.reset_for_new_device(user_id, data.backup_code))

    form: FormDialog[Enrolment] = FormDialog(_("Move to a new device"), _BackupCode, [field], issue)
    enrolment = await app.push_screen_wait(form)
    if enrolment is not None:
        await app.push_screen_wait(Enrol(enrolment, moved=True))


def _person(actor: Actor | None) -> int:
    if actor is None or actor.user_id is None:
        raise InvalidInput(_("Only a person who has logged in has a second factor."))
    return actor.user_id


def in_groups(secret: str) -> str:
    """Return a key as people type it: four letters at a time, four times on a line."""
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    return "\n".join(" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4))


def in_two_columns(codes: tuple[str, ...]) -> str:
    """Return backup codes two to a line, split in the middle as people read them."""
    shown = [f"{code[:4]} {code[4:]}" for code in codes]
    return "\n".join("     ".join(shown[at : at + 2]) for at in range(0, len(shown), 2))
