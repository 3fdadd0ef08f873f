"""What is allowed in a configuration and still deserves a second look."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from omnicrm_tui.identity.permissions import PERMISSIONS, ROLE_DESIGNS, VIEW_STATUS
from omnicrm_tui.languages import NAMES, iso_code
from omnicrm_tui.settings import Settings

_WIDEST = {4: 24, 6: 64}


def advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each setting to look at again (CAT-182, PLT-515, PLT-427)."""
    yield from _whitelist_advice(settings)
    yield from _stripe_advice(settings)
    yield from _language_advice(settings)
    path = settings.config_path
    if path is not None and path.stat().st_mode & 0o077:
        yield f"{path} can be read by other users and may hold secrets: chmod 600 it."
    if settings.database.server and not settings.database.password.get_secret_value():
        yield "database.password is blank."
    for number, key in enumerate(settings.api_keys.values(), 1):
        if not key.description:
            yield f"API key {number} has no description: say which system uses it."
        yield from _role_advice(f"API key {number}", key.roles)


def _stripe_advice(settings: Settings) -> Iterator[str]:
    """Card payments and prices must be in one currency, and both keys of one mode (PLT-485, PLT-518)."""
    stripe, currency = settings.stripe, settings.crm.currency
    secret = stripe.secret_key.get_secret_value()
    if secret and stripe.currency != currency.lower():
        yield f"crm.currency is {currency} and stripe.currency is {stripe.currency}: cards would be charged in another."
    modes = {key.split("_")[1] for key in (secret, stripe.publishable_key) if key.count("_") > 1}
    if len(modes) > 1:
        yield "stripe.secret_key and stripe.publishable_key are of different modes: one is for tests, one is live."
    if secret and not stripe.publishable_key:
        yield "stripe.publishable_key is blank: cards cannot be added."


def _language_advice(settings: Settings) -> Iterator[str]:
    language = settings.crm.language
    if iso_code(language) not in NAMES:
        known = ", ".join(NAMES)
        yield f"crm.language is {language}, which has no texts yet ({known} have): people read English."


def _whitelist_advice(settings: Settings) -> Iterator[str]:
    for text, entry in settings.ip_whitelist.items():
        network = ipaddress.ip_network(text, strict=False)
        if not network.is_private:
            yield f"ip_whitelist.{text} is public: whoever has that address needs no credential."
        if network.prefixlen < _WIDEST[network.version]:
            yield f"ip_whitelist.{text} has {network.num_addresses:,} addresses: name the few that need it."
        if not entry.description:
            yield f"ip_whitelist.{text} has no description: say why it is there."
        yield from _role_advice(f"ip_whitelist.{text}", entry.roles)


def _role_advice(whose: str, names: Sequence[str]) -> Iterator[str]:
    shipped = {role.name for role in ROLE_DESIGNS} | PERMISSIONS.keys() | {VIEW_STATUS}
    for name in dict.fromkeys(names):
        if name not in shipped:
            near = get_close_matches(name, shipped, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield f"{whose} names {name}: no permission, and no role unless one of that name was made.{hint}"
    if not names:
        yield f"{whose} has no roles: it may do nothing."
