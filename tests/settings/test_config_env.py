"""The web version's .env files become a configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnicrm_tui.config_env import imported
from omnicrm_tui.config_file import ConfigurationError, load_settings

UI = """
# The portal
REACT_APP_COMPANY_NAME="ShellFone"
REACT_APP_PORTAL_NAME=ShellManager
REACT_APP_SELF_CARE_NAME='ShellCare'
export REACT_APP_COMPANY_TAGLINE=Phones with Shells   # a slogan
REACT_APP_DEFAULT_LOCATION=Sydney, Australia
REACT_APP_DEFAULT_COUNTRY=Australia
REACT_APP_DEFAULT_LANGUAGE=fr
REACT_APP_LOCALE=en-GB
REACT_APP_CURRENCY_CODE=GBP
REACT_APP_CURRENCY_SYMBOL=£
REACT_APP_PRIMARY_COLOR=#405189
REACT_APP_SECONDARY_COLOR=#2bFFcf
REACT_APP_TERTIARY_COLOR=#1a9fbf
REACT_APP_SUCCESS_COLOR=#28a745
REACT_APP_INFO_COLOR=#17a2b8
REACT_APP_WARNING_COLOR=#ffc107
REACT_APP_DANGER_COLOR=#dc3545
REACT_APP_LIGHT_COLOR=#f8f9fa
REACT_APP_DARK_COLOR=#343a40
REACT_APP_PRIMARY_DARK_COLOR=#101522
REACT_APP_FONT_FAMILY=Quicksand
REACT_APP_STRIPE_PUBLISHABLE_KEY=pk_test_1
REACT_APP_WEB_APP_1_NAME=GitHub
REACT_APP_WEB_APP_1_URL=https://github.com
REACT_APP_WEB_APP_1_ICON_PATH=resources/webapp_icons/github.png
REACT_APP_WEB_APP_6_NAME=Xero
REACT_APP_WEB_APP_6_URL=https://go.xero.com/
REACT_APP_GRAFANA_URLS=https://grafana.example.com/a, https://grafana.example.com/b
REACT_APP_GRAFANA_LABELS=Network Monitoring, Service Health
REACT_APP_FAQS_URL=https://support.example.com/faqs
REACT_APP_SUPPORT_URL=https://support.example.com
BROWSER=none
"""
ROOT_ENV = "MYSQL_ROOT_PASSWORD=x\nMYSQL_USER=omnitouch\nMYSQL_PASSWORD=Secret-1\nMYSQL_DATABASE=crm\nDB_SERVER=db\n"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def read(env_file: Path, text: str, present: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    env_file.write_text(text)
    found = imported(env_file, present or {})
    return found.values, found.remarks


@pytest.mark.req("PLT-477", "PLT-478", "PLT-479", "PLT-480", "PLT-481", "PLT-482", "PLT-483", "PLT-484", "PLT-485")
@pytest.mark.req("PLT-486", "PLT-493", "PLT-496", "PLT-497", "PLT-499", "PLT-502")
def test_all_that_the_portal_is_called_and_leads_to_is_taken_over(env_file: Path) -> None:
    values, remarks = read(env_file, UI)
    assert values["crm"] == {
        "company_name": "ShellFone",
        "tagline": "Phones with Shells",
        "default_location": "Sydney, Australia",
        "default_country": "Australia",
        "language": "fr",
        "locale": "en-GB",
        "currency": "GBP",
        "currency_symbol": "£",
    }
    branding = values["branding"]
    assert (branding["portal_name"], branding["self_care_name"]) == ("ShellManager", "ShellCare")
    assert branding["web_apps"] == [
        {"name": "GitHub", "url": "https://github.com"},
        {"name": "Xero", "url": "https://go.xero.com/"},
    ]
    assert branding["dashboards"][1] == {"name": "Service Health", "url": "https://grafana.example.com/b"}
    assert (branding["support_url"], branding["faqs_url"]) == (
        "https://support.example.com",
        "https://support.example.com/faqs",
    )
    assert remarks == ["Not used here: REACT_APP_FONT_FAMILY, BROWSER."]


@pytest.mark.req("PLT-487", "PLT-488", "PLT-489", "PLT-490", "PLT-491")
def test_every_colour_is_taken_over(env_file: Path) -> None:
    values, _remarks = read(env_file, UI)
    assert values["branding"]["colours"] == {
        "primary": "#405189",
        "secondary": "#2bFFcf",
        "tertiary": "#1a9fbf",
        "success": "#28a745",
        "info": "#17a2b8",
        "warning": "#ffc107",
        "danger": "#dc3545",
        "light": "#f8f9fa",
        "dark": "#343a40",
        "primary_dark": "#101522",
    }


@pytest.mark.req("PLT-423", "PLT-469", "PLT-470", "PLT-471", "PLT-472")
def test_the_database_is_taken_over(env_file: Path) -> None:
    values, remarks = read(env_file, ROOT_ENV)
    assert values["database"] == {"username": "omnitouch", "password": "Secret-1", "name": "crm", "server": "db"}
    assert remarks == ["Not used here: MYSQL_ROOT_PASSWORD."]


@pytest.mark.req("PLT-495", "PLT-518")
def test_what_differs_is_told_and_no_password_with_it(env_file: Path) -> None:
    present = {"stripe": {"publishable_key": "pk_test_2"}, "database": {"password": "Other-1"}}
    values, remarks = read(env_file, "REACT_APP_STRIPE_PUBLISHABLE_KEY=pk_test_1\nMYSQL_PASSWORD=Secret-1\n", present)
    assert values["stripe"]["publishable_key"] == "pk_test_1"
    assert "stripe.publishable_key and REACT_APP_STRIPE_PUBLISHABLE_KEY differ ('pk_test_2' here" in remarks[0]
    assert "Secret-1" not in "".join(remarks)
    assert "Other-1" not in "".join(remarks)


@pytest.mark.req("PLT-492", "PLT-497")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("REACT_APP_PRIMARY_COLOR=blue", "REACT_APP_PRIMARY_COLOR is 'blue': six hexadecimal digits"),
        ("REACT_APP_SUPPORT_URL=support.example.com", "REACT_APP_SUPPORT_URL is 'support.example.com': an address"),
        ("REACT_APP_GRAFANA_URLS=https://a.example,https://b.example", "must be lists of the same length"),
        ("REACT_APP_WEB_APP_1_NAME=GitHub", "branding.web_apps.0.url"),
        ("what is this", ":1: must be NAME=value"),
    ],
)
def test_what_cannot_be_a_setting_is_told_by_name(env_file: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(env_file, text)
    assert told in refused.value.message


def test_the_command_prints_a_configuration_that_works(env_file: Path, tmp_path: Path) -> None:
    env_file.write_text(UI)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text("crm:\n  company_name: Old\n  timezone: Europe/Paris\n")
    done = subprocess.run(
        [sys.executable, "-m", "omnicrm_tui.cli", "config", "import", str(env_file)],
        capture_output=True,
        text=True,
        check=True,
        env={"OMNICRM_HOME": str(home), "PATH": ""},
    )
    assert "company_name and REACT_APP_COMPANY_NAME differ" in done.stderr
    (home / "config.yaml").write_text(done.stdout)
    settings = load_settings({"OMNICRM_HOME": str(home)})
    assert (settings.crm.company_name, settings.crm.timezone) == ("ShellFone", "Europe/Paris")
    assert yaml.safe_load(done.stdout)["branding"]["portal_name"] == settings.branding.portal_name == "ShellManager"
