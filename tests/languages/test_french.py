"""French proves that another language works: screens at 80x24, commands, days, numbers and money."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from omnicrm_tui import languages
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.languages import locales
from omnicrm_tui.settings import CrmSection
from screens.formats import Formats
from screens.seat import Seat
from scripts.texts import ROOT
from tests.screens.harness import press, screen_text, signed_in_app, type_text

FRENCH = CrmSection(language="fr", currency="EUR", timezone="Europe/Paris")
NOON = datetime(2026, 11, 25, 11, 5, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OMNICRM_HOME", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        cwd=ROOT,
        env={**environ, **more},
    )


@pytest.mark.req("PLT-483")
def test_screens_in_french_are_whole_at_80x24() -> None:
    """What they look like is kept as pictures; OMNICRM_KEEP_PICTURES=1 keeps new ones."""
    plain = ("-q", "-p", "no:cacheprovider", "-p", "tests.languages.speak_french")
    done = python("-m", "pytest", *plain, "tests/languages/screens_in_french.py")
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.req("PLT-483")
def test_commands_speak_the_configured_language_and_programs_hear_english(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text("crm: {language: fr}\ndatabase: {server: 192.0.2.1}\n")
    (home / "config.yaml").chmod(0o600)
    help_page = python("-m", "omnicrm_tui.cli", "user", "create", "--help", OMNICRM_HOME=str(home)).stdout
    assert "Créer un utilisateur qui peut se connecter." in help_page
    assert "L’adresse électronique ; elle sert à se connecter." in " ".join(help_page.replace(SPACE, " ").split())
    checked = python("-m", "omnicrm_tui.cli", "config", "check", OMNICRM_HOME=str(home)).stdout
    assert f"Attention{SPACE}: database.password est vide." in checked
    assert "tout va bien" in checked
    (tmp_path / ".env").write_text("REACT_APP_LOCALE=fr\nNOBODYS=1\n")
    told = python("-m", "omnicrm_tui.cli", "config", "import", str(tmp_path / ".env"), OMNICRM_HOME=str(home)).stderr
    assert told.strip() == f"Sans usage ici{SPACE}: NOBODYS."
    assert (
        "The address to listen on." in python("-m", "omnicrm_tui.cli", "serve", "--help", OMNICRM_HOME=str(home)).stdout
    )
    english = python("-m", "omnicrm_tui.cli", "user", "create", "--help", OMNICRM_HOME=str(tmp_path / "other")).stdout
    assert "Create a user who can log in." in english


@pytest.mark.req("PLT-425", "PLT-483")
def test_mistakes_in_the_configuration_are_told_in_the_language_that_it_names(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    tmp_path.chmod(0o700)
    config.write_text("crm: {language: fr, currency: usd}\nsmtp: {port: 0, hots: x}\n")
    terminal = "from omnicrm_tui.cli import terminal\ntry: terminal._loaded()\nexcept Exception as error: print(error)"
    for arguments in (("-m", "omnicrm_tui.cli", "config", "check"), ("-c", terminal)):
        done = python(*arguments, OMNICRM_HOME=str(tmp_path))
        told = (done.stderr + done.stdout).replace(SPACE, " ")
        assert f"{config}:1: crm.currency vaut 'usd': valeur permise : trois lettres majuscules comme USD." in told
        assert "smtp.port vaut '0': valeur permise : un nombre entier de 1 à 65535." in told
        assert "smtp.hots n’est pas un réglage. Vouliez-vous dire host ? Permis : " in told
    config.write_text("crm: {language: fr}\ncrm: {}\n")
    done = python("-m", "omnicrm_tui.cli", "config", "check", OMNICRM_HOME=str(tmp_path))
    # Where the file cannot be read, nobody knows which language it names.
    assert "the key crm appears twice" in done.stderr
    config.write_text("crm: {language: fr, currency: usd}\n")
    served = python("-m", "omnicrm_tui.cli", "serve", "--port", "0", OMNICRM_HOME=str(tmp_path))
    assert "crm.currency is 'usd': three capital letters such as USD are allowed." in served.stderr


@pytest.mark.req("PLT-483")
def test_what_programs_read_is_english_and_what_people_read_is_not(tmp_path: Path) -> None:
    home, key = tmp_path / "home", "k" * 44
    make_demo(load_settings({"OMNICRM_HOME": str(home)}), 3)
    sections = {"crm": {"language": "fr"}, "ocs": {"cgrates": "127.0.0.1:1"}, "api_keys": {key: {"roles": ["admin"]}}}
    (home / "config.yaml").write_text(json.dumps(sections))

    def omnicrm(*arguments: str) -> str:
        done = python("-m", "omnicrm_tui.cli", *arguments, OMNICRM_HOME=str(home), OMNICRM_API_KEY=key)
        return done.stdout.replace(SPACE, " ")

    assert "problem: Le système de taxation" in omnicrm("service", "show", "1")
    for form in ("--json", "--csv"):
        assert "The charging system at 127.0.0.1:1 cannot be reached" in omnicrm("service", "show", "1", form)
    assert '"name": "Database"' in omnicrm("doctor", "--quick", "--json")


@pytest.mark.req("PLT-484", "PLT-485", "PLT-486")
def test_money_and_days_are_written_as_the_french_do() -> None:
    formats = Formats(FRENCH)
    assert formats.money(Decimal("1234.56")) == f"1{SPACE}234,56{SPACE}€"
    assert formats.number(1234567) == f"1{SPACE}234{SPACE}567"
    assert formats.day(NOON) == "25/11/2026"
    assert formats.moment(NOON) == "25/11/2026 12:05"


@pytest.mark.req("PLT-484", "PLT-486")
@pytest.mark.parametrize(
    ("crm", "money", "day"),
    [
        (CrmSection(), "$1,234.56", "2026-11-25"),
        (CrmSection(locale="en-GB", currency="GBP"), "£1,234.56", "25/11/2026"),
        (CrmSection(locale="en-US"), "$1,234.56", "11/25/2026"),
        (CrmSection(locale="de-DE", currency="CHF", currency_symbol="Fr."), f"1.234,56{SPACE}Fr.", "25.11.2026"),
        (CrmSection(language="sp", currency="EUR"), f"1.234,56{SPACE}€", "25/11/2026"),
        (CrmSection(locale="xx-YY"), "$1,234.56", "11/25/2026"),
    ],
)
def test_the_locale_says_how_money_and_days_are_written(crm: CrmSection, money: str, day: str) -> None:
    formats = Formats(crm)
    assert (formats.money(Decimal("1234.56")), formats.day(NOON)) == (money, day)


@pytest.mark.req("PLT-483")
def test_a_person_chooses_a_language_and_it_is_remembered(tmp_path: Path) -> None:
    seat = Seat(tmp_path, {})
    assert seat.language == ""
    assert seat.keep(language="fr")
    assert seat.keep(theme="omnicrm-contrast")
    assert (Seat(tmp_path, {}).language, Seat(tmp_path, {}).theme) == ("fr", "omnicrm-contrast")
    assert not Seat(tmp_path, {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}).keep(language="fr")


async def test_the_palette_offers_the_other_language(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "language")
        assert "Language: Français" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert "Français: from the next start on." in screen_text(pilot.app)


def test_guide_codes_lead_to_iso_codes() -> None:
    codes = ("ar", "ch", "en", "fr", "gr", "it", "ru", "sp", "en-GB")
    assert [languages.iso_code(code) for code in codes] == ["ar", "zh", "en", "fr", "el", "it", "ru", "es", "en"]


def test_english_costs_the_start_no_catalogue() -> None:
    code = (
        "import sys; from omnicrm_tui import languages; languages.speak('en')\n"
        "from gettext import gettext; assert gettext('Open') == 'Open'\n"
        "import omnicrm_tui.app\n"
        "sys.exit('babel' in sys.modules or 'segno' in sys.modules)"
    )
    assert python("-c", code).returncode == 0


def test_a_locale_that_nobody_knows_is_english() -> None:
    assert locales.locale_named("xx-YY").language == "en"
