"""What is allowed in a configuration and still deserves a second look."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from gettext import gettext as _

from omnicrm_tui.identity.permissions import BESIDE, PERMISSIONS, ROLE_DESIGNS, canonical
from omnicrm_tui.languages import NAMES, iso_code
from omnicrm_tui.settings import ApiKey, Settings, WhitelistEntry

_WIDEST = {4: 24, 6: 64}


def advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each setting to look at again (CAT-182, PLT-515, PLT-427)."""
    for text, entry in settings.ip_whitelist.items():
        yield from address_advice(text, entry)
    yield from _stripe_advice(settings)
    yield from _language_advice(settings)
    path = settings.config_path
    if path is not None and path.stat().st_mode & 0o077:
        yield _("{path} can be read by other users and may hold secrets: chmod 600 it.").format(path=path)
    if settings.database.server and not settings.database.password.get_secret_value():
        yield _("database.password is blank.")
    for number, key in enumerate(settings.api_keys.values(), 1):
        yield from key_advice(number, key)


def key_advice(number: int, key: ApiKey) -> Iterator[str]:
    """Yield a sentence for each thing about the `number`th key to look at again (CAT-180)."""
    name = _("API key {number}").format(number=number)
    if not key.description:
        yield _("{name} has no description: say which system uses it.").format(name=name)
    yield from _role_advice(name, key.roles)


def address_advice(text: str, entry: WhitelistEntry) -> Iterator[str]:
    """Yield a sentence for each thing about a whitelisted address or range to look at again (CAT-182)."""
    network, name = ipaddress.ip_network(text, strict=False), f"ip_whitelist.{text}"
    if not network.is_private:
        yield _("{name} is public: whoever has that address needs no credential.").format(name=name)
    if network.prefixlen < _WIDEST[network.version]:
        many = _("{name} has {number} addresses: name the few that need it.")
        yield many.format(name=name, number=f"{network.num_addresses:,}")
    if not entry.description:
        yield _("{name} has no description: say why it is there.").format(name=name)
    yield from _role_advice(name, entry.roles)


def _stripe_advice(settings: Settings) -> Iterator[str]:
    """Card payments and prices must be in one currency, and both keys of one mode (PLT-485, PLT-518)."""
    stripe, currency = settings.stripe, settings.crm.currency
    secret = stripe.secret_key.get_secret_value()
    if secret and stripe.currency != currency.lower():
        differ = _("crm.currency is {ours} and stripe.currency is {theirs}: cards would be charged in another.")
        yield differ.format(ours=currency, theirs=stripe.currency)
    modes = {key.split("_")[1] for key in (secret, stripe.publishable_key) if key.count("_") > 1}
    if len(modes) > 1:
        yield _("stripe.secret_key and stripe.publishable_key are of different modes: one is for tests, one is live.")
    if secret and not stripe.publishable_key:
        yield _("stripe.publishable_key is blank: cards cannot be added.")


def _language_advice(settings: Settings) -> Iterator[str]:
    language = settings.crm.language
    if iso_code(language) not in NAMES:
        unknown = _("crm.language is {language}, which has no texts yet ({known} have): people read English.")
        yield unknown.format(language=language, known=", ".join(NAMES))


def _role_advice(whose: str, names: Sequence[str]) -> Iterator[str]:
    shipped = {role.name for role in ROLE_DESIGNS} | PERMISSIONS.keys() | BESIDE
    for name in dict.fromkeys(names):
        if name not in shipped and canonical(name) not in shipped:
            near = get_close_matches(name, shipped, 1)
            unknown = _("{whose} names {name}: no permission, and no role unless one of that name was made.")
            hint = _("Did you mean {name}?").format(name=near[0]) if near else ""
            yield f"{unknown.format(whose=whose, name=name)} {hint}".rstrip()
    if not names:
        yield _("{whose} has no roles: it may do nothing.").format(whose=whose)
