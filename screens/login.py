"""The login screen: drawn before the service layer is open, so that one types while it opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from omnicrm_tui.errors import AccountLocked, CrmError
from screens.base import CrmScreen
from screens.desk import ASKS_FOR_2FA, sentence
from widgets.controls import TextLine, Toggle
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.identity.schemas import LoginResult

DEMO_LOGIN = "admin@demo.example"
DEMO_PASSWORD = "Demo-Passw0rd!"  # noqa: S105 - shown on the screen of a demo, and accepted in demos alone

ADVICE_SECONDS = 10.0
"""How long the reminder of the second factor is shown."""


class LoginScreen(CrmScreen):
    """E-mail, password, and whether to remember (PLT-168..173); a problem with opening is told here."""

    TITLE = _("Log in")

    DEFAULT_CSS = """
    LoginScreen #login { width: 58; height: auto; margin: 2 0 0 0; }
    LoginScreen #middle { align-horizontal: center; height: 1fr; }
    LoginScreen .login--brand { text-style: bold; color: $primary; width: 1fr; text-align: center; }
    LoginScreen .login--tagline { color: $text-muted; width: 1fr; text-align: center; height: auto; margin: 0 0 1 0; }
    LoginScreen Horizontal { height: 1; margin: 0 0 1 0; }
    LoginScreen .login--label { width: 12; color: $text-muted; }
    LoginScreen #message { height: auto; min-height: 2; width: 1fr; }
    LoginScreen #message.-problem { color: $text-error; text-style: bold; }
    LoginScreen #demo { color: $text-muted; height: auto; border-top: solid $border; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+t",
            "reveal",
            _("Show password"),
            id="login.reveal",
            priority=True,
            tooltip=_("Show or hide the password"),
        ),
        Binding(
            "ctrl+r",
            "forgotten",
            _("Forgot password?"),
            id="login.forgotten",
            priority=True,
            tooltip=_("Have a code mailed, and choose a new password with it"),
        ),
        Binding("up", "step(-1)", _("Previous field"), show=False, id="login.previous"),
        Binding("down", "step(1)", _("Next field"), show=False, id="login.next"),
        Binding("r", "retry", _("Try again"), id="login.retry"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._checking = False
        self._problem = ""
        self._message = ""

    def body(self) -> ComposeResult:
        settings = self.crm_app.settings
        with Vertical(id="middle"), Vertical(id="login"):
            names = (settings.crm.company_name, settings.branding.portal_name)
            yield Static(visible("  ".join(filter(None, names))), classes="login--brand", markup=False)
            yield Static(visible(settings.crm.tagline), classes="login--tagline", markup=False)
            with Horizontal():
                yield Static(_("E-mail"), classes="login--label")
                yield TextLine(id="name")
            with Horizontal():
                yield Static(_("Password"), classes="login--label")
                yield TextLine(password=True, id="password")
            if self.crm_app.seat.folder is not None:
                with Horizontal():
                    yield Static("", classes="login--label")
                    yield Toggle(label=_("Remember me for {n} days").format(n=self._days), id="remember")
            yield Static("", id="message", markup=False)
            if settings.demo:
                account = _("This is a demo. Log in as\n{name}  with  {password}")
                yield Static(account.format(name=DEMO_LOGIN, password=DEMO_PASSWORD), id="demo", markup=False)

    @property
    def _days(self) -> int:
        return self.crm_app.settings.security.refresh_token_days

    def on_mount(self) -> None:
        self._tell()

    def show(self, *, message: str = "", problem: str = "") -> None:
        """Say why one is here again, or what keeps the service layer from opening; before mounting too."""
        self._message, self._problem = message, problem
        if self.is_mounted:
            self.show_person()
            self._tell()

    def _tell(self) -> None:
        problem = self._problem
        hint = _("{problem}\nPress r to try again, ctrl+q to leave.").format(problem=problem)
        self._say(hint if problem else self._message, wrong=bool(problem))
        for control in self.query("TextLine, Toggle"):
            control.disabled = bool(problem)
        self.refresh_bindings()
        name = self.query_one("#name", TextLine)
        # What one types while the service layer opens stays, and so does the place where one types it.
        if not problem and (not name.text or self.focused is None):
            self.query_one("#password", TextLine).value = ""
            name.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`r` is for a problem alone: otherwise it is a letter like others."""
        if action == "forgotten":
            return not self._problem
        return bool(self._problem) if action == "retry" else super().check_action(action, parameters)

    def action_forgotten(self) -> None:
        """Lead to a new password (PLT-197)."""
        self.do(self._forgotten, group="forgotten", exclusive=True)

    async def _forgotten(self) -> None:
        from screens.forgotten import forgotten

        if await forgotten(self.crm_app, self.query_one("#name", TextLine).text):
            self._say(_("Password has been reset successfully. Log in with it."))

    def action_retry(self) -> None:
        """Open the service layer again."""
        self.show(message=_("Trying again…"))
        self.crm_app.open_desk()

    def action_reveal(self) -> None:
        """Show or hide the password (PLT-170)."""
        line = self.query_one("#password", TextLine)
        line.password = not line.password

    def action_step(self, by: int) -> None:
        """Go to the next or previous field."""
        self.focus_next() if by > 0 else self.focus_previous()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter goes from the name to the password, and from there in."""
        message.stop()
        name, password = self.query_one("#name", TextLine), self.query_one("#password", TextLine)
        if not name.text:
            name.focus()
        elif not password.text:
            password.focus()
        elif not self._checking:
            self._checking = True
            self._say(_("Checking…"))
            remember = any(toggle.on for toggle in self.query(Toggle))
            self.do(lambda: self._log_in(name.text, password.text, remember), on_error=self._refused)

    def log_in_by_key(self) -> None:
        """Let in whom the connection's SSH key stands for; who is mapped to nobody goes on with the password."""
        self._checking = True
        self.do(self._log_in_by_key, on_error=self._refused)

    async def _log_in_by_key(self) -> None:
        by_key = self.crm_app.sign_in.login_by_ssh
        await self._come_in(by_key, lambda _password: by_key(), remember=False)

    async def _log_in(self, name: str, password: str, remember: bool) -> None:
        log_in = partial(self.crm_app.sign_in.login, name, remember=remember)
        await self._come_in(lambda: log_in(password), log_in, remember=remember)

    async def _come_in(
        self,
        begin: Callable[[], Awaitable[LoginResult | None]],
        again: Callable[[str], Awaitable[LoginResult | None]],
        *,
        remember: bool,
    ) -> None:
        """Go through all that a log-in asks for; `again` follows a new password (PLT-178)."""
        try:
            result = await begin()
            if result is not None and result.must_change_password:
                new = await self._new_password(result)
                result = await again(new) if new else result
            if result is not None and result.requires_2fa:
                result = await self._with_second_factor(result, remember)
        finally:
            self._checking = False
        self._say(self._message if result is None else "")
        if result is not None and result.actor is not None:
            self.query_one("#name", TextLine).value = ""
            self.query_one("#password", TextLine).value = ""
            await self._go_in(result.actor, advise_2fa=result.advise_2fa and not result.actor.must_enable_2fa)

    async def _go_in(self, actor: Actor, *, advise_2fa: bool) -> None:
        """Go to the first room; whom the operator asks for a second factor, once it is on (PLT-162, PLT-196)."""
        app = self.crm_app
        if actor.must_enable_2fa:
            from screens.enrolment import enrol_first

            app.desk.actor = actor
            enrolled = await enrol_first(app, actor)
            if enrolled is None:
                await app.sign_in.log_out()
                app.sign_out(ASKS_FOR_2FA)
                return
            actor = enrolled
        app.signed_in(actor)
        if advise_2fa:
            advice = _("Your account has no second factor yet. Press : and choose Second factor to turn it on.")
            app.notify(advice, timeout=ADVICE_SECONDS, markup=False)

    async def _new_password(self, result: LoginResult) -> str | None:
        """Let a temporary password be replaced before anything else (PLT-178)."""
        from screens.password import ChangePassword

        return await self.app.push_screen_wait(ChangePassword(result.user_id, challenge=result.challenge_token))

    async def _with_second_factor(self, result: LoginResult, remember: bool) -> LoginResult:
        from screens.second_factor import SecondFactor

        return await self.app.push_screen_wait(SecondFactor(result.challenge_token, remember)) or result

    def _refused(self, error: CrmError) -> None:
        text = sentence(error)
        if isinstance(error, AccountLocked):
            text = _("{text} An administrator can open it at once.").format(text=text)
        self._say(text, wrong=True)
        password = self.query_one("#password", TextLine)
        password.value = ""
        name = self.query_one("#name", TextLine)
        (password if name.text else name).focus()

    def _say(self, text: str, *, wrong: bool = False) -> None:
        line = self.query_one("#message", Static)
        line.set_class(wrong, "-problem")
        line.update("\n".join(visible(part) for part in text.splitlines()))
