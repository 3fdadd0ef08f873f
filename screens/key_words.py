"""How API keys are told of on screens: columns, states, facts."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING

from screens.desk import permission_label
from screens.formats import Formats
from widgets.columns import Column, Tone
from widgets.facts import Fact

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_schemas import ApiKeyRow, ApiKeyView, ConfiguredAccess, KeyFigures, KeyUseRow

STATES = (
    ("active", _("active")),
    ("expiring_soon", _("expires soon")),
    ("expired", _("expired")),
    ("revoked", _("revoked")),
)
_WORDS = dict(STATES)
_TONES: dict[str, Tone] = {"active": "success", "expiring_soon": "warning", "expired": "error", "revoked": "muted"}
_KINDS = {"key": _("key"), "address": _("address")}


def key_columns(formats: Formats) -> tuple[Column[ApiKeyRow], ...]:
    """Return the columns of the list (PLT-253)."""
    return (
        Column(_("Name"), lambda row: row.name, weight=3, min_width=20, sort="name"),
        Column(_("By"), lambda row: row.created_by, width=9, sort="created_by"),
        Column(_("API key"), lambda row: row.api_key, width=19),
        Column(_("Status"), lambda row: _WORDS[row.status], width=12, tone=lambda row: _TONES[row.status]),
        Column(_("Created"), lambda row: formats.day(row.created), width=10, sort="created", priority=1),
        Column(_("Expires"), lambda row: formats.day(row.expiry_date) or _("never"), width=10, sort="expiry_date"),
        Column(_("Uses"), lambda row: formats.number(row.use_count), width=9, align="right", priority=3),
        Column(_("Last used"), lambda row: formats.moment(row.last_used) or "–", width=16, priority=2),
    )


def configured_columns(formats: Formats) -> tuple[Column[ConfiguredAccess], ...]:
    """Return the columns of what the configuration file lets in."""
    return (
        Column(_("Kind"), lambda row: _KINDS[row.kind], width=8),
        Column(_("Key or address"), lambda row: row.name, width=18),
        Column(_("For"), lambda row: row.description, weight=2, min_width=10),
        Column(_("Roles"), lambda row: ", ".join(row.roles), weight=2, min_width=10),
        Column(_("Advice"), lambda row: "!" if row.problems else "", width=6, tone=lambda _row: "warning"),
        Column(_("Uses"), lambda row: formats.number(row.use_count), width=7, align="right", priority=1),
        Column(_("Last used"), lambda row: formats.moment(row.last_used) or "–", width=16, priority=2),
        Column(_("From"), lambda row: ", ".join(row.ips), min_width=10, priority=3),
    )


def use_columns(formats: Formats) -> tuple[Column[KeyUseRow], ...]:
    """Return the columns of what a key was used for (PLT-250)."""
    return (
        Column(_("Day"), lambda row: formats.day(row.day), width=10),
        Column(_("Address"), lambda row: row.address, min_width=15),
        Column(_("Uses"), lambda row: formats.number(row.uses), width=9, align="right"),
        Column(_("Refused"), lambda row: _refused(row, formats), width=8, align="right", tone=lambda _row: "error"),
        Column(_("First"), lambda row: formats.time(row.first_use), width=8, priority=1),
        Column(_("Last"), lambda row: formats.time(row.last_use), width=8),
    )


def _refused(row: KeyUseRow, formats: Formats) -> str:
    return formats.number(row.refused) if row.refused else ""


def figures_of(figures: KeyFigures, formats: Formats) -> list[tuple[str, str]]:
    """Return the four figures above the list (PLT-255)."""
    pairs = (
        (_("Total"), figures.total),
        (_("Active"), figures.active),
        (_("Expire soon"), figures.expiring_soon),
        (_("Expired"), figures.expired),
    )
    return [(label, formats.number(count)) for label, count in pairs]


def facts_of(key: ApiKeyView, formats: Formats) -> list[Fact]:
    """Return a key's facts; blank ones are left out (PLT-262)."""
    revoked = _("{when} by {who}").format(when=formats.moment(key.revoked), who=key.revoked_by)
    last = _("{when} from {address}").format(when=formats.moment(key.last_used), address=key.last_used_address)
    pairs = [
        (_("API key"), key.api_key),
        (_("For"), key.description.replace("\n", " ")),
        (_("Expires"), formats.moment(key.expiry_date) or _("never")),
        (_("Revoked"), revoked if key.revoked else ""),
        (_("Created"), _("{when} by {who}").format(when=formats.moment(key.created), who=key.created_by)),
        (_("Customer"), _("only {id}").format(id=key.customer_id) if key.customer_id else ""),
        (_("Protected"), _("yes") if key.protected else ""),
        (_("Used"), formats.number(key.use_count)),
        (_("Last used"), last if key.last_used else _("never")),
    ]
    return [
        Fact(f"{key.name} #{key.api_key_id}"),
        Fact(_("Status"), _WORDS[key.status], _TONES[key.status]),
        *(Fact(label, value) for label, value in pairs if value),
        *_under(_("What it may do"), ["; ".join(permission_label(name) for name in key.permissions) or _("nothing")]),
        *_under(_("To think about"), key.warnings if key.revoked is None else ()),
    ]


def _under(heading: str, texts: Sequence[str]) -> list[Fact]:
    """Return texts of any length under a heading."""
    return [Fact(heading), *(Fact(f"  {text}") for text in texts)] if texts else []
