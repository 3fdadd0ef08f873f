"""`omnicrm init`: the first start of a real operator's home, question by question or by options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

from omnicrm_tui.cli.output import plain
from omnicrm_tui.cli.secret_input import private_line
from omnicrm_tui.cli.user import read_password
from omnicrm_tui.config_file import load_settings, prepared_home
from omnicrm_tui.database.migrate import require_whole
from omnicrm_tui.errors import Conflict, CrmError, InvalidInput, OutsideSystemError
from omnicrm_tui.first_start.answers import (
    Answers,
    check_database,
    check_ocs,
    keep,
    kept,
    names_password,
    zone_of_host,
)
from omnicrm_tui.home import config_path
from omnicrm_tui.schemas import parse

QUESTIONS = {
    "company_name": _("Company name"),
    "currency": _("Currency (three letters, such as EUR)"),
    "timezone": _("Time zone"),
    "language": _("Language"),
    "default_country": _("Country (may stay blank)"),
    "email": _("Administrator's e-mail address"),
    "database_url": _("Database URL (blank: an SQLite file in the state folder)"),
    "ocs": _("Charging system, host:port (may stay blank)"),
    "ocs_tenant": _("Its tenant"),
}


@click.command()
@click.option("--company", "company_name", help="The company's name.")
@click.option("--currency", help="Three letters of ISO 4217.")
@click.option("--timezone", help="Such as Europe/Berlin.")
@click.option("--language", help="Such as en or fr.")
@click.option("--country", "default_country", help="The country that new sites begin with.")
@click.option("--email", help="The first administrator's e-mail address.")
@click.option("--password-stdin", is_flag=True, help="Read the administrator's password from standard input.")
@click.option("--database-url", help="postgresql+psycopg:// or mysql+pymysql://; by default an SQLite file.")
@click.option(
    "--database-url-file", type=click.Path(path_type=Path), help="Read the database's URL from this file (0600)."
)
@click.option("--ocs", help="host:port of the charging system's JSON-RPC.")
@click.option("--ocs-tenant", help="The tenant there.")
@click.option("--skip-tests", is_flag=True, help="Do not stop when the charging system does not answer yet.")
def init(password_stdin: bool, skip_tests: bool, database_url_file: Path | None, **options: str | None) -> None:
    """Set up an empty home: company, database, charging system, the first administrator.

    What is not given as an option is asked for; what was answered before it was interrupted is suggested again.
    """
    home = prepared_home(os.environ)
    require_whole(home)
    path, _named = config_path(os.environ, home)
    if path.exists():
        raise Conflict(_("{path} is there already: this home is set up.").format(path=path))
    if load_settings({"OMNICRM_HOME": str(home)}).demo:
        raise Conflict(_("{home} is a demo. Choose another OMNICRM_HOME for a real operator.").format(home=home))
    if names_password(options["database_url"] or ""):
        raise InvalidInput(_("A command line is for everybody on the host to read: use --database-url-file."))
    if database_url_file is not None:
        options["database_url"] = private_line(database_url_file).strip()
    asking = sys.stdin.isatty() and not password_stdin
    given = _Interview(home, {name: text for name, text in options.items() if text is not None}, skip_tests, asking)
    answers = given.answers()
    from omnicrm_tui.first_start.finish import finish

    finish(home, path, answers, lambda step: click.echo(f"{step}."))
    click.echo(_("Done. Open it with 'omnicrm', look at it with 'omnicrm doctor'."))


class _Interview:
    """Collects the answers: options first, then questions where somebody is there to answer them."""

    def __init__(self, home: Path, given: dict[str, str], skip_tests: bool, asking: bool) -> None:
        self._home = home
        self._given = given
        self._skip_tests = skip_tests
        self._asking = asking
        self._before = kept(home)

    def answers(self) -> Answers:
        """Return all answers, each tested; raises CrmError where nobody can be asked again."""
        if self._before and self._asking:
            click.echo(_("Going on where it was left: enter takes what was answered before."))
        values: dict[str, Any] = {}
        for name, question in QUESTIONS.items():
            self._answer(name, question, values)
        values["password"] = self._password()
        answers: Answers = parse(Answers, values)
        return answers

    def _answer(self, name: str, question: str, values: dict[str, Any]) -> None:
        while True:
            text = self._text(name, question)
            try:
                tested = self._tested(name, {**values, name: text})
            except CrmError as error:
                if not self._asking or name in self._given:
                    raise
                click.echo(plain(_sentence(error)), err=True)
                continue
            if tested:
                click.echo(f"  {plain(tested)}")
            values[name] = text
            keep(self._home, values)
            return

    def _text(self, name: str, question: str) -> str:
        if name in self._given:
            return self._given[name]
        if not self._asking:
            return _suggested(name)
        default = self._before.get(name) or _suggested(name)
        answer: str = click.prompt(question, default=default, show_default=bool(default))
        return answer

    def _tested(self, name: str, values: dict[str, Any]) -> str:
        """Check one answer by the schema, and what it names by asking it; return what to tell."""
        try:
            parse(Answers, values)
        except InvalidInput as error:
            if name in error.fields:
                raise InvalidInput(error.message, {name: error.fields[name]}) from None
        tests: dict[str, Callable[[], str]] = {
            "database_url": lambda: check_database(self._home, values["database_url"]),
            "ocs_tenant": lambda: check_ocs(values["ocs"], values["ocs_tenant"]),
        }
        if name not in tests:
            return ""
        try:
            return tests[name]()
        except OutsideSystemError as error:
            if self._skip_tests or (self._asking and click.confirm(plain(f"{error.message} {_('Go on anyway?')}"))):
                return ""
            raise

    def _password(self) -> str:
        return read_password(from_stdin=not self._asking)


def _suggested(name: str) -> str:
    if name == "timezone":
        return zone_of_host()
    default = Answers.model_fields[name].default
    return default if isinstance(default, str) else ""


def _sentence(error: CrmError) -> str:
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return " ".join(fields.values()) or error.message
