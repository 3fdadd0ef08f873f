"""Rules of identity that need no database."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable
from gettext import gettext as _

LEAST_PASSWORD = 8
MOST_PASSWORD = 256


def password_problem(password: str) -> str | None:
    """Return what `password` still needs, as one sentence, or None when it will do (BIL-418)."""
    if len(password) > MOST_PASSWORD:
        return _("has at most {n} characters").format(n=MOST_PASSWORD)
    needs = [
        (
            _("at least {n} characters").format(n=LEAST_PASSWORD),
            len(password) >= LEAST_PASSWORD,
        ),
        (_("an upper case letter"), any(c.isupper() for c in password)),
        (_("a lower case letter"), any(c.islower() for c in password)),
        (_("a digit"), any(c.isdigit() for c in password)),
        (_("a special character such as !@#$%^&*"), any(not c.isalnum() and not c.isspace() for c in password)),
    ]
    missing = [words for words, met in needs if not met]
    return _("needs {missing}").format(missing=", ".join(missing)) if missing else None


def login_name(text: str) -> str:
    """Return a user name or e-mail address as it is stored and looked up: case and width do not matter."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def address_of(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `source` writes, an IPv4 address inside an IPv6 one unwrapped; None for others."""
    try:
        address = ipaddress.ip_address(source.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def address_is_in(source: str, networks: Iterable[str]) -> bool:
    """Tell whether `source` is one of `networks`, which are single addresses or CIDR ranges."""
    address = address_of(source)
    return address is not None and any(address in ipaddress.ip_network(text, strict=False) for text in networks)
