"""What one does with API keys, from their list and from a key's page: make, edit, extend, make anew, revoke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from omnicrm_tui.errors import InvalidInput, NotFound
from omnicrm_tui.languages import said
from screens.base import AtDesk
from screens.desk import permission_label

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_rules import Preset
    from omnicrm_tui.identity.key_schemas import ApiKeyInput, ApiKeyRow, ApiKeyView, NewApiKey
    from widgets.form import Field

MANAGES = "manage_api_keys"
EDIT_KEYS: list[BindingType] = [
    Binding("e", "edit", _("Edit"), id="keys.edit", tooltip=_("Change name, description, end or protection")),
    Binding("m", "permissions", _("Permissions"), id="keys.permissions", tooltip=_("Choose what the key may do")),
    Binding("x", "extend", _("Extend"), id="keys.extend", tooltip=_("Let the key end later")),
    Binding("R", "regenerate", _("Make anew"), id="keys.regenerate", tooltip=_("Replace the key by another at once")),
    Binding("d", "revoke", _("Revoke"), id="keys.revoke", tooltip=_("Revoke the key for good")),
]
OF_ONE_KEY = ("edit", "permissions", "extend", "regenerate", "revoke")


class KeyWork(AtDesk):
    """Mix in beside a widget; `chosen` is the key that actions are about, `keys_changed` reads anew."""

    NEEDS: ClassVar = dict.fromkeys(("new", *OF_ONE_KEY), MANAGES)

    LASTS: ClassVar[int] = 365
    """Days that are suggested for a key's life."""

    @property
    def chosen(self) -> ApiKeyRow | ApiKeyView | None:
        """The key that is meant."""
        raise NotImplementedError

    def keys_changed(self) -> None:
        """Read what is shown anew."""
        raise NotImplementedError

    # Making one

    def action_new(self) -> None:
        """Ask which kind of key, then for its name and end, then what it may do."""
        from omnicrm_tui.identity.key_rules import PRESETS
        from screens.choose import Choose

        kinds = [_("Name and permissions of your own"), *(_kind(preset) for preset in PRESETS)]
        note = _("A usual kind is a start; all of it can be changed.")
        self.app.push_screen(Choose(_("Which kind of API key?"), kinds, note), self._kind_chosen)

    def _kind_chosen(self, at: int | None) -> None:
        from omnicrm_tui.identity.key_rules import PRESETS, last_day

        if at is None:
            return
        preset = PRESETS[at - 1] if at else None
        days = preset.days if preset else self.LASTS
        end = last_day(self.desk.now(), days, self._zone) if days else None
        values = {"expiry_date": end.isoformat() if end else ""}
        if preset:
            values |= {"name": preset.name, "description": said(preset.description)}
        self._ask_for_key(values, preset.permissions if preset else ())

    def _ask_for_key(self, values: dict[str, str], permissions: Sequence[str]) -> None:
        from omnicrm_tui.identity.key_schemas import ApiKeyInput
        from screens.dialogs import FormDialog

        fields = self._fields(ApiKeyInput, ("name", "description", "expiry_date", "customer_id", "protected"))
        form = FormDialog(_("New API key"), ApiKeyInput, fields, self._checked, values=values)
        self.app.push_screen(form, partial(self._entered, permissions))

    async def _checked(self, data: ApiKeyInput) -> ApiKeyInput:
        """Say what is wrong with end and customer while their fields are there."""
        from omnicrm_tui.identity.key_rules import expiry_of

        wrong = {}
        if expiry_of(data.expiry_date, self._zone) <= self.desk.now():
            wrong["expiry_date"] = _("is in the past")
        number = data.customer_id
        if number is not None:
            try:
                await self.desk.read(lambda work: work.customers.get(number))
            except NotFound as error:
                wrong["customer_id"] = error.message
        if wrong:
            raise InvalidInput(_("Some fields are not right."), wrong)
        return data

    def _entered(self, permissions: Sequence[str], data: ApiKeyInput | None) -> None:
        if data is None:
            return

        async def make(names: list[str]) -> NewApiKey:
            whole = data.model_copy(update={"permissions": names})
            return await self.desk.change(lambda work: work.identity.create_api_key(whole))

        self._ask_for_permissions(_("What may {name} do?").format(name=data.name), permissions, make, self._made)

    def _ask_for_permissions(self, heading: str, marked: Sequence[str], save: Any, done: Any) -> None:
        from screens.key_dialogs import ChoosePermissions

        async def ask() -> None:
            roles: list[str] = []
            if self.desk.may("admin"):
                roles = [role.name for role in await self.desk.read(lambda work: work.identity.roles())]
            offered = self._offered(roles, marked)
            self.app.push_screen(ChoosePermissions(heading, offered, marked, save), done)

        self.do(ask, group="ask", exclusive=True)

    def _offered(self, roles: Sequence[str], marked: Sequence[str]) -> list[tuple[str, str]]:
        """Return the usual permissions, then all others that the person holds, then roles (PLT-259)."""
        from omnicrm_tui.identity.key_rules import SHORT_LIST
        from omnicrm_tui.identity.permissions import BESIDE, PERMISSIONS

        names = [name for name, _label in SHORT_LIST] + [*PERMISSIONS, *sorted(BESIDE)]
        held = [name for name in names if self.desk.may(name)]
        known = dict.fromkeys([*held, *marked])
        found = [(name, permission_label(name)) for name in known if name not in roles]
        return found + [(name, _("All that the role may")) for name in roles]

    def _made(self, made: NewApiKey | None) -> None:
        if made is not None:
            from screens.key_dialogs import ShownOnce

            self.keys_changed()
            self.app.push_screen(ShownOnce(made))

    # Changing one

    def action_edit(self) -> None:
        """Change name, description, end and protection; key, maker and date stay."""
        self._with_view(self._edit)

    def _edit(self, key: ApiKeyView) -> None:
        from omnicrm_tui.identity.key_schemas import ApiKeyChange
        from screens.dialogs import FormDialog

        async def save(change: ApiKeyChange) -> ApiKeyView:
            return await self.desk.change(lambda work: work.identity.update_api_key(key.api_key_id, change))

        values = {"name": key.name, "description": key.description, "protected": key.protected}
        dialog = FormDialog(
            _("Edit API key {name}").format(name=key.name),
            ApiKeyChange,
            self._fields(ApiKeyChange, ("name", "description", "expiry_date", "protected")),
            save,
            values=values | {"expiry_date": self._typed_end(key)},
            only_changed=True,
            extra={"version": key.version},
        )
        self.app.push_screen(dialog, self._changed)

    def action_permissions(self) -> None:
        """Choose anew what the key may do."""
        self._with_view(self._permissions)

    def _permissions(self, key: ApiKeyView) -> None:
        from omnicrm_tui.identity.key_schemas import ApiKeyChange

        async def save(names: list[str]) -> ApiKeyView:
            change = ApiKeyChange(version=key.version, permissions=names)
            return await self.desk.change(lambda work: work.identity.update_api_key(key.api_key_id, change))

        self._ask_for_permissions(_("What may {name} do?").format(name=key.name), key.permissions, save, self._changed)

    def action_extend(self) -> None:
        """Ask for a later end."""
        key = self.chosen
        if key is None:
            return
        from omnicrm_tui.identity.key_rules import last_day
        from omnicrm_tui.identity.key_schemas import ExtensionInput
        from screens.dialogs import FormDialog

        async def save(data: ExtensionInput) -> ApiKeyView:
            return await self.desk.change(lambda work: work.identity.extend_api_key(key.api_key_id, data))

        from_then = max(self.desk.now(), key.expiry_date or self.desk.now())
        end = last_day(from_then, self.LASTS, self._zone).isoformat()
        heading = _("Extend API key {name}").format(name=key.name)
        fields = self._fields(ExtensionInput, ("expiry_date",))
        self.app.push_screen(
            FormDialog(heading, ExtensionInput, fields, save, values={"expiry_date": end}), self._changed
        )

    def action_regenerate(self) -> None:
        """Ask, then replace the key by another."""
        key = self.chosen
        if key is None:
            return
        from screens.dialogs import Confirm

        warning = _("The old key is refused at once: whatever uses it stops until it is given the new one.")
        heading = _("Make API key {name} anew?").format(name=key.name)
        question = Confirm(heading, f"{warning}\n{self._told_use(key)}", yes=_("Make anew"))
        self.app.push_screen(question, lambda sure: self._regenerate(key.api_key_id) if sure else None)

    def _regenerate(self, api_key_id: int) -> None:
        async def regenerate() -> None:
            self._made(await self.desk.change(lambda work: work.identity.regenerate_api_key(api_key_id)))

        self.do(regenerate)

    def action_revoke(self) -> None:
        """Ask, then revoke the key."""
        key = self.chosen
        if key is None:
            return
        from screens.dialogs import Confirm

        warning = _("Its next request is refused. This cannot be taken back.")
        heading = _("Revoke API key {name}?").format(name=key.name)
        question = Confirm(heading, f"{warning}\n{self._told_use(key)}", yes=_("Revoke"))
        self.app.push_screen(question, lambda sure: self._revoke(key.api_key_id) if sure else None)

    def _revoke(self, api_key_id: int) -> None:
        async def revoke() -> None:
            await self.desk.change(lambda work: work.identity.revoke_api_key(api_key_id))
            self.keys_changed()

        self.do(revoke)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer changes where there is a key that is not revoked."""
        if action in OF_ONE_KEY:
            key = self.chosen
            if key is None or key.revoked is not None:
                return False
        return super().check_action(action, parameters)

    # Parts

    @property
    def _zone(self) -> str:
        return self.desk.settings.crm.timezone

    def _fields(self, schema: Any, names: Sequence[str]) -> list[Field]:
        from widgets.form import fields_of

        labels = {
            "name": _("Name"),
            "description": _("Description"),
            "expiry_date": _("Last day"),
            "customer_id": _("Customer's id"),
            "protected": _("Protected"),
        }
        hints = {
            "name": _("one key for each system that uses one"),
            "expiry_date": _("YYYY-MM-DD; blank is never"),
            "customer_id": _("only this customer's data; blank: all"),
            "protected": _("cannot be revoked or replaced"),
        }
        fields = fields_of(schema, names, labels=labels, hints=hints)
        # A change may leave protection out, which a form that shows it need not offer.
        return [replace(field, kind="bool", choices=()) if field.name == "protected" else field for field in fields]

    def _typed_end(self, key: ApiKeyView) -> str:
        """Return a key's end as one types it: the day, where it ends with a day."""
        from omnicrm_tui.identity.key_rules import expiry_of, last_day

        if key.expiry_date is None:
            return ""
        day = last_day(key.expiry_date, 0, self._zone)
        return day.isoformat() if expiry_of(day, self._zone) == key.expiry_date else key.expiry_date.isoformat()

    def _told_use(self, key: ApiKeyRow | ApiKeyView) -> str:
        """Return when it was last used, which is what one wants to know before (PLT-275)."""
        if key.last_used is None:
            return _("It was never used.")
        formats = self.crm_app.formats
        used = _("Used {count} times, last {when} from {address}.")
        return used.format(
            count=formats.number(key.use_count), when=formats.moment(key.last_used), address=key.last_used_address
        )

    def _with_view(self, use: Any) -> None:
        """Read the key whole, then go on with it: a list knows no versions."""
        key = self.chosen
        if key is None:
            return

        async def read() -> None:
            use(await self.desk.read(lambda work: work.identity.api_key(key.api_key_id)))

        self.do(read, group="read", exclusive=True)

    def _changed(self, changed: ApiKeyView | None) -> None:
        if changed is not None:
            self.keys_changed()


def _kind(preset: Preset) -> str:
    life = _("{days} days").format(days=preset.days) if preset.days else _("no end")
    return f"{preset.name}, {life}"
