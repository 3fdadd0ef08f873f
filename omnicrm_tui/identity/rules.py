"""Rules of identity that need no database."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable
from gettext import gettext as _
from pathlib import Path

LEAST_PASSWORD = 8
MOST_PASSWORD = 256

_COMMON = Path(__file__).with_name("common_passwords.txt")


def normal_password(password: str) -> str:
    """Return a password as it is hashed: keyboards and systems write the same letters in several ways (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def is_common(password: str) -> bool:
    """Tell whether a password is one of the 10,000 commonest, in any case of letters, or not much more than that.

    "Summer2024!" is: guessers put digits and signs around words too. What is around may be half of it.
    """
    whole = normal_password(password).casefold()
    core = whole.strip("0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ")
    looked_for = {whole, core} if 2 * len(core) >= len(whole) else {whole}
    # Read each time: passwords are chosen seldom, and a megabyte of words would stay in every terminal.
    return not looked_for.isdisjoint(_COMMON.read_text(encoding="utf-8").splitlines())


def password_problem(password: str) -> str | None:
    """Return what `password` still needs, as one sentence, or None when it will do (BIL-418)."""
    password = normal_password(password)
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
    if missing:
        return _("needs {missing}").format(missing=", ".join(missing))
    return _("is too much like one of the commonest passwords") if is_common(password) else None


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
