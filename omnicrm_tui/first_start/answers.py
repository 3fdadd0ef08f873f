"""What a first start asks, and the tests of what was answered."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from gettext import gettext as _
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from omnicrm_tui.database import migrate
from omnicrm_tui.errors import DatabaseProblem, InvalidInput
from omnicrm_tui.first_start import KEPT
from omnicrm_tui.identity.rules import password_problem
from omnicrm_tui.schemas import Input
from omnicrm_tui.settings import Settings, host_port, zone_name

OCS_SECONDS = 5.0
_NEVER_KEPT = ("password",)
_PASSWORDS = frozenset({"password", "passwd"})
"""What the drivers call a password that stands behind the question mark of a URL."""


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _currency(code: str) -> str:
    from babel.core import get_global

    if code not in get_global("all_currencies"):
        raise ValueError(_("must be a currency's three letters, such as EUR"))
    return code


def _language(code: str) -> str:
    if not re.fullmatch("[a-z]{2}", code):
        raise ValueError(_("must be a language's two letters, such as en"))
    return code


def _email(address: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ValueError(_("must be an e-mail address"))
    return address


class Answers(Input):
    """The answers of a first start (PLT-579, PLT-580).

    `database_url` is an SQLAlchemy URL; blank is an SQLite file in the home. `ocs` is host:port of the charging
    system's JSON-RPC; blank is none yet.
    """

    company_name: Annotated[str, Field(min_length=1, max_length=120)]
    currency: Annotated[str, BeforeValidator(_upper), AfterValidator(_currency)] = "USD"
    timezone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    language: Annotated[str, AfterValidator(_language)] = "en"
    default_country: Annotated[str, Field(max_length=60)] = ""
    email: Annotated[str, Field(max_length=254), AfterValidator(_email)]
    password: SecretStr
    database_url: Annotated[str, Field(max_length=500)] = ""
    ocs: Annotated[str, AfterValidator(host_port)] = ""
    ocs_tenant: Annotated[str, Field(min_length=1, max_length=120)] = "cgrates.org"

    @field_validator("password")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        problem = password_problem(value.get_secret_value())
        if problem:
            raise ValueError(problem)
        return value

    def configuration(self) -> dict[str, Any]:
        """Return the answers as sections of config.yaml."""
        crm = {name: getattr(self, name) for name in ("company_name", "currency", "timezone", "language")}
        sections: dict[str, Any] = {"crm": crm, "ocs": {"cgrates": self.ocs, "ocsTenant": self.ocs_tenant}}
        if self.default_country:
            crm["default_country"] = self.default_country
        if self.database_url:
            sections = {"database": {"url": self.database_url}, **sections}
        return sections


def kept(home: Path) -> dict[str, str]:
    """Return the answers of a first start that was left half-way."""
    with suppress(OSError, ValueError):
        found = json.loads((home / KEPT).read_text("utf-8"))
        if isinstance(found, dict):
            return {
                name: text for name, text in found.items() if isinstance(text, str) and name in Answers.model_fields
            }
    return {}


def keep(home: Path, answers: dict[str, Any]) -> None:
    """Remember answers for a first start that goes on later; passwords are not among them."""
    from omnicrm_tui.first_start.files import write_secretly

    texts = {name: str(value) for name, value in answers.items() if value not in (None, "") and name not in _NEVER_KEPT}
    if "://" in texts.get("database_url", ""):
        texts["database_url"] = _without_password(texts["database_url"])
    write_secretly(home / KEPT, json.dumps(texts))


def check_database(home: Path, url: str) -> str:
    """Connect to the database and say what is in it; raises InvalidInput, DatabaseProblem."""
    from sqlalchemy.exc import SQLAlchemyError

    settings = Settings(home=home, database={"url": url or None})  # type: ignore[arg-type]
    try:
        found = migrate.current_version(settings)
    except (SQLAlchemyError, ImportError) as error:
        raise InvalidInput(
            _("This is no address of a database."),
            {"database_url": _("such as postgresql+psycopg://user:password@host/omnicrm")},
        ) from error
    if found.state is migrate.SchemaState.EMPTY:
        return _("it answers and is empty: the tables will be made") if url else _("an SQLite file in the state folder")
    if found.state is migrate.SchemaState.CURRENT:
        return _("it answers, and holds data of OmniCRM already: they stay")
    if found.state is not migrate.SchemaState.OLDER:
        migrate.require_current(settings)
    older = _("It holds data of another version ({version}): run 'omnicrm db upgrade' on it first.")
    raise DatabaseProblem(older.format(version=found.revision))


def check_ocs(address: str, tenant: str) -> str:
    """Ask the charging system whether it lives; raises OutsideSystemError when it does not."""
    from omnicrm_tui.integrations.ocs import OcsClient

    if not address:
        return _("none yet: balances and jobs need one")
    OcsClient(address, tenant, OCS_SECONDS).call("CoreSv1.Ping", {})
    return _("it answers")


def _without_password(url: str) -> str:
    """Return a database's URL as it may be written down before the configuration is: asked for again instead."""
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    try:
        of = make_url(url)
    except ArgumentError:
        return ""
    return str(URL.create(of.drivername, of.username, None, of.host, of.port, of.database))


def names_password(url: str) -> bool:
    """Tell whether a database's URL has a password in it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        of = make_url(url) if url else None
    except ArgumentError:
        return False
    return of is not None and (of.password is not None or not _PASSWORDS.isdisjoint(of.query))


def zone_of_host() -> str:
    """Return the time zone that this host keeps, as the first suggestion."""
    for name in (os.environ.get("TZ", ""), os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]):
        with suppress(ValueError):
            if name:
                return zone_name(name)
    return "UTC"
