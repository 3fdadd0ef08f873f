"""The forms about users: a new one, a change, a password, a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from omnicrm_tui.identity.schemas import CreatedUser, ReasonInput, UserChange, UserInput, UserView
from omnicrm_tui.schemas import Input as Schema
from screens.base import Dialog
from screens.dialogs import FormDialog
from screens.views import values_of
from widgets.clipboard import copy
from widgets.form import Field, fields_of

if TYPE_CHECKING:
    from screens.desk import Desk
    from screens.user_actions import Subject

LABELS = {
    "username": _("Login name"),
    "email": _("E-mail"),
    "phone_number": _("Phone"),
    "role": _("Roles"),
    "contact_id": _("Contact"),
    "welcome_email": _("Welcome mail"),
    "active": _("May log in"),
    "is_customer": _("A customer's user"),
}


class _NewPassword(Schema):
    new_password: SecretStr | None = None
    force_change: bool = True


def new_user(desk: Desk, roles: Sequence[str]) -> FormDialog[CreatedUser]:
    """Return the form for a user who is not there yet."""
    names = ("username", "email", "first_name", "middle_name", "last_name", "phone_number", "role", "password")
    hints = {
        "password": _("left empty, one is made and shown once, to be changed at the first login"),
        "contact_id": _CONTACT,
    }
    fields = _fields(UserInput, (*names, "contact_id", "welcome_email"), roles, hints)

    async def create(data: UserInput) -> CreatedUser:
        return await desk.change(lambda work: work.identity.create_user(data))

    return FormDialog(_("New user"), UserInput, fields, create, about="new user", again="new")


def edit_user(desk: Desk, user: UserView, roles: Sequence[str]) -> FormDialog[UserView]:
    """Return the form that changes a user; a new address waits until it is verified (BIL-430)."""
    names = ["first_name", "middle_name", "last_name", "email", "phone_number", "role", "active", "contact_id"]
    names += ["is_customer"] if user.is_customer else []
    waiting = _("{address} waits to be verified").format(address=user.pending_email)
    hints = {
        "email": waiting if user.pending_email else _("a new address holds once it is verified"),
        "contact_id": _CONTACT,
        "is_customer": _("without a contact it may not log in; turn this off to make it a user of staff"),
    }
    fields = _fields(UserChange, names, roles, hints)
    values = {**values_of(user, [name for name in names if name != "role"]), "role": ",".join(user.roles)}

    async def save(change: UserChange) -> UserView:
        return await desk.change(lambda work: work.identity.update_user(user.id, change))

    return FormDialog(
        _("Edit user"),
        UserChange,
        fields,
        save,
        values=values,
        only_changed=True,
        extra={"version": user.version},
        about=f"edit user {user.id}",
        again="edit",
    )


_CONTACT = _("the number of a customer's contact, as enter shows it there: the user then sees that customer alone")


def _fields(schema: type[Schema], names: Sequence[str], roles: Sequence[str], hints: dict[str, str]) -> list[Field]:
    fields = fields_of(schema, names, labels=LABELS, hints=hints)
    several = {"kind": "several", "choices": [(name, name) for name in roles], "default": "", "blank_is_none": False}
    changed = {"role": several, "active": {"kind": "bool"}, "is_customer": {"kind": "bool"}}
    return [replace(field, **changed.get(field.name, {})) for field in fields]  # type: ignore[arg-type]


def new_password(desk: Desk, user: Subject) -> FormDialog[str]:
    """Return the form for an administrator's reset; its result is the password that was made, "" where one was typed.

    The user's address is in the heading: people share names (PLT-212).
    """
    hint = _("left empty, 12 characters are made up and shown once")
    fields = [
        Field("new_password", _("New password"), "secret", hint=hint, blank_is_none=True),
        Field("force_change", _("Temporary"), "bool", default=True, hint=_("to be changed at the next login")),
    ]

    async def save(data: _NewPassword) -> str:
        if data.new_password is None:
            return await desk.change(lambda work: work.identity.reset_password(user.id))
        typed, force = data.new_password.get_secret_value(), data.force_change
        await desk.change(lambda work: work.identity.set_password(user.id, typed, force_change=force))
        return ""

    return FormDialog(_("Reset the password of {address}").format(address=user.email), _NewPassword, fields, save)


def ask_reason(question: str, hint: str, act: Callable[[ReasonInput], Awaitable[bool]]) -> FormDialog[bool]:
    """Return a question that is answered with a reason."""
    fields = fields_of(ReasonInput, hints={"reason": hint}, labels={"reason": _("Reason")})
    return FormDialog(question, ReasonInput, fields, act)


class TemporaryPassword(Dialog[None]):
    """Shows a password once (PLT-213)."""

    DEFAULT_CSS = """
    TemporaryPassword #password { height: 3; content-align: center middle; text-style: bold; }
    TemporaryPassword #warning { height: auto; color: $text-warning; }
    TemporaryPassword #told { height: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", _("Copy"), id="password.copy", tooltip=_("Copy the password")),
    ]

    keys = _("y copy   esc close")

    def __init__(self, name: str, password: str) -> None:
        super().__init__()
        self.heading = _("Temporary password of {name}").format(name=name)
        self._password = password

    def body(self) -> ComposeResult:
        yield Static(self._password, id="password", markup=False)
        yield Static(
            _(
                "It is shown this once. Hand it over by a safe way, not by e-mail or an open message. It opens nothing "
                "but the choice of a password of one's own."
            ),
            id="warning",
        )
        yield Static("", id="told", markup=False)

    def action_copy(self) -> None:
        """Copy it (OSC 52)."""
        copy(self.app, self._password)
        self.query_one("#told", Static).update(_("Copied."))
