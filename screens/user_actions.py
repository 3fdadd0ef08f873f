"""What one does to a user, in the list and on the user's page: the same keys, offered only where they make sense."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from screens.base import AtDesk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from omnicrm_tui.identity.schemas import ReasonInput, UserRow, UserView

    Subject = UserRow | UserView

USER_KEYS: list[BindingType] = [
    Binding("e", "edit", _("Edit"), id="user.edit", tooltip=_("Edit the user")),
    Binding("p", "password", _("Password"), id="user.password", tooltip=_("Reset the user's password")),
    Binding("t", "second_factor", _("Reset 2FA"), id="user.second-factor", tooltip=_("Reset the user's second factor")),
    Binding("u", "unlock", _("Unlock"), id="user.unlock", tooltip=_("Let the locked-out user log in again")),
    Binding("w", "welcome", _("Welcome"), id="user.welcome", tooltip=_("Send the user a welcome mail")),
    Binding("l", "act_as", _("Log in as"), id="user.act-as", tooltip=_("See what the user sees, as the user")),
    Binding("d", "delete", _("Delete"), id="user.delete", tooltip=_("Delete the user; this can be taken back")),
    Binding("R", "restore", _("Restore"), id="user.restore", tooltip=_("Restore the deleted user")),
]


def full_name(user: Subject) -> str:
    """Return first and last name."""
    return f"{user.first_name} {user.last_name}".strip()


class UserActions(AtDesk):
    """Mix in before the widget's class, with `USER_KEYS` among its bindings."""

    @property
    def subject(self) -> Subject | None:
        """The user that the keys are about."""
        raise NotImplementedError

    def subject_changed(self) -> None:
        """Show what is new."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense: a second factor is reset where there is one, a welcome is for who never came."""
        user = self.subject
        if action == "act_as":
            return user is not None and self._may_be_acted_as(user) and self.desk.may("can_impersonate")
        if action in ("edit", "password", "delete"):
            return user is not None and not user.deleted
        if action == "restore":
            return user is not None and user.deleted
        if action == "second_factor":
            return user is not None and user.is_2fa_enabled and not user.deleted
        if action == "unlock":
            return user is not None and user.locked_until is not None and not user.deleted
        if action == "welcome":
            return user is not None and user.login_count == 0 and user.active and not user.deleted
        return super().check_action(action, parameters)

    def _may_be_acted_as(self, user: Subject) -> bool:
        actor = self.desk.actor
        mine = actor is None or user.id in (actor.user_id, actor.real_user_id)
        return not mine and user.active and not user.deleted and not (user.is_customer and user.contact_id is None)

    def action_act_as(self) -> None:
        """Log in as the user, without its password (BIL-416)."""
        if self.subject is not None:
            self.crm_app.acting.ask(self.subject.id, full_name(self.subject))

    def action_edit(self) -> None:
        """Change names, roles and state."""
        if self.subject is not None:
            number = self.subject.id
            self.do(lambda: self._edit(number), group="edit", exclusive=True)

    async def _edit(self, number: int) -> None:
        from screens.user_forms import edit_user

        user, roles = await self.desk.read(lambda work: (work.identity.user(number), work.identity.role_list()))
        if await self.app.push_screen_wait(edit_user(self.desk, user, [role.name for role in roles])) is not None:
            self.subject_changed()

    def action_password(self) -> None:
        """Set another password, or have one made and shown once."""
        if self.subject is not None:
            user = self.subject
            self.do(lambda: self._password(user), group="password", exclusive=True)

    async def _password(self, user: Subject) -> None:
        from screens.user_forms import TemporaryPassword, new_password

        made = await self.app.push_screen_wait(new_password(self.desk, user))
        if made is None:
            return
        if made:
            await self.app.push_screen_wait(TemporaryPassword(full_name(user), made))
        else:
            self.tell(_("{name} has a new password; all sessions are over.").format(name=full_name(user)))
        self.subject_changed()

    def action_second_factor(self) -> None:
        """Take the second factor away, with the reason."""
        user = self.subject
        if user is None:
            return
        number, name = user.id, full_name(user)

        async def reset(data: ReasonInput) -> bool:
            await self.desk.change(lambda work: work.identity.reset_second_factor(number, data.reason))
            return True

        hint = _(
            "How you made sure who asks: an identity card, a call back, a look at recent orders. {name} can then log "
            "in with the password alone, and should turn the second factor on again."
        ).format(name=name)
        done = _("{name} can log in with the password alone.").format(name=name)
        self._with_reason(_("Reset the second factor of {name}?").format(name=name), hint, reset, done)

    def action_unlock(self) -> None:
        """Ask, then end the lock that failed log-ins have put on the account."""
        user = self.subject
        if user is None:
            return
        number, name = user.id, full_name(user)

        async def unlock() -> None:
            await self.desk.change(lambda work: work.identity.unlock(number))
            self._done(_("{name} can log in again.").format(name=name))

        text = _("Make sure that it was the user who mistyped: others may have been guessing.")
        self.ask_first(_("Unlock {name}?").format(name=name), text, unlock, yes=_("Unlock"))

    def action_welcome(self) -> None:
        """Ask, then put the welcome mail into the outbox."""
        user = self.subject
        if user is None:
            return
        number = user.id

        async def send() -> None:
            address = await self.desk.change(lambda work: work.identity.send_welcome(number))
            self._done(_("The welcome mail to {address} is on its way.").format(address=address))

        text = _("To {address}: a welcome, how to log in, and whom to ask. It holds no password.")
        question = _("Send a welcome mail to {name}?").format(name=full_name(user))
        self.ask_first(question, text.format(address=user.email), send, yes=_("Send"))

    def action_delete(self) -> None:
        """Delete the user, with the reason; what the user did stays."""
        user = self.subject
        if user is None:
            return
        number, name = user.id, full_name(user)

        async def delete(data: ReasonInput) -> bool:
            await self.desk.change(lambda work: work.identity.delete_user(number, data.reason))
            return True

        hint = _(
            "{name} ({address}) cannot log in any more, and all sessions end at once. What the user did stays; the "
            "account can be restored. The reason goes into the activity log."
        ).format(name=name, address=user.email)
        done = _("{name} is deleted. The filter Deleted shows who can be restored.").format(name=name)
        self._with_reason(_("Delete the user {name}?").format(name=name), hint, delete, done)

    def action_restore(self) -> None:
        """Ask, then let a deleted user log in again."""
        user = self.subject
        if user is None:
            return
        from omnicrm_tui.identity.schemas import UserChange

        number, name = user.id, full_name(user)

        async def restore() -> None:
            await self.desk.change(lambda work: work.identity.update_user(number, UserChange(deleted=False)))
            self._done(_("{name} can log in again.").format(name=name))

        text = _("The old password and the roles hold again.")
        self.ask_first(_("Restore {name}?").format(name=name), text, restore, yes=_("Restore"))

    def _with_reason(
        self, question: str, hint: str, change: Callable[[ReasonInput], Awaitable[bool]], done: str
    ) -> None:
        from screens.user_forms import ask_reason

        self.app.push_screen(ask_reason(question, hint, change), lambda sure: self._done(done) if sure else None)

    def _done(self, message: str) -> None:
        self.tell(message)
        self.subject_changed()
