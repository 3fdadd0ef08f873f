"""How people write where a database is."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from omnicrm_tui.errors import InvalidInput

HOME_SQLITE = "sqlite"
"""Said in the place of a URL: the SQLite file in the home."""

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def database_url(text: str, home: Path, password: str | None = None) -> str:
    """Return the URL, with our drivers, that `text` means: 'sqlite' is the home's file. Raises InvalidInput."""
    if text == HOME_SQLITE:
        return f"sqlite:///{home / 'omnicrm.sqlite'}"
    try:
        url = make_url(text)
    except ArgumentError:
        raise InvalidInput(
            _("Write 'sqlite', or an address such as postgresql://user@host/database or mariadb://user@host/database.")
        ) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if password:
        url = url.set(password=password)
    return url.render_as_string(hide_password=False)


def without_password(url: str) -> str:
    """Return the URL with *** in the place of a password, for people to look at."""
    return url if url == HOME_SQLITE else make_url(url).render_as_string()
