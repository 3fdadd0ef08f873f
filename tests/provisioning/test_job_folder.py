"""What a job's folder holds, what it never holds, and that it goes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.job.own_api import OwnApi
from omnicrm_tui.job.runner import plain
from omnicrm_tui.provisioning.job_folder import JobFolder, config_for_plays
from omnicrm_tui.settings import Settings

CONFIG: dict[str, Any] = {
    "crm": {"base_url": "http://localhost:5000", "other": 1},
    "ocs": {"OCS": "10.0.0.1:2080", "ocsTenant": "lab"},
    "smsc": {"api_key": "sms"},
    "mailjet": {"api_key": "m", "api_crmCommunicationCustomerWelcome": None},
    "olt": {"address": "10.0.0.9"},
    "database": {"password": "db"},
    "jwt_secret": "jwt",
    "stripe": {"secret_key": "sk"},
    "api_keys": {"k": {}},
}


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    folder = tmp_path / "plays"
    (folder / "templates").mkdir(parents=True)
    (folder / "play_x.yaml").write_text(
        "a: http://localhost:5000/crm b: http://127.0.0.1:5000 c: http://localhost:50001"
    )
    (folder / "templates" / "mail.j2").write_text("http://localhost:5000/")
    (folder / "logo.bin").write_bytes(b"http://localhost:5000")
    (folder / ".git").mkdir()
    return folder


def test_plays_are_copied_with_the_jobs_own_address(plays: Path, tmp_path: Path) -> None:
    with JobFolder.make(tmp_path / "jobs") as folder:
        folder.fill(play_folders=[plays], config=CONFIG, variables={}, api_url="http://127.0.0.1:4711/")
        text = (folder.plays / "play_x.yaml").read_text()
        assert text == "a: http://127.0.0.1:4711/crm b: http://127.0.0.1:4711 c: http://localhost:50001"
        assert (folder.plays / "templates" / "mail.j2").read_text() == "http://127.0.0.1:4711/"
        assert (folder.plays / "logo.bin").read_bytes() == b"http://localhost:5000"
        assert not (folder.plays / ".git").exists()
        assert (folder.plays / "../../crm_config.yaml").resolve() == folder.configuration.resolve()


@pytest.mark.req("CAT-518", "SVC-144", "SVC-143")
def test_the_configuration_of_a_play(plays: Path) -> None:
    readable = config_for_plays(CONFIG, "http://127.0.0.1:4711/")
    assert readable == {
        "crm": {"base_url": "http://127.0.0.1:4711", "public_url": "http://localhost:5000", "other": 1},
        "ocs": {"OCS": "10.0.0.1:2080", "cgrates": "10.0.0.1:2080", "ocsTenant": "lab"},
        "smsc": {"api_key": "sms"},
        "mailjet": {"api_key": "m"},
    }


@pytest.mark.req("PLT-436", "PLT-466")
@pytest.mark.parametrize(
    "text",
    [
        "api_crmCommunicationCustomerWelcome: {from_email: a@example.com, template_id: 7}",
        "mailjet: {api_crmCommunicationCustomerWelcome: {from_email: a@example.com, template_id: 7}}",
    ],
    ids=["at the top", "below mailjet"],
)
def test_a_play_finds_the_kinds_of_mail_at_both_places_wherever_the_operator_wrote_them(
    tmp_path: Path, text: str
) -> None:
    readable = config_for_plays(plain(settings_of(tmp_path, text)), "http://h")
    sender = {"from_email": "a@example.com", "template_id": 7}
    assert readable["api_crmCommunicationCustomerWelcome"] == sender
    assert readable["mailjet"]["api_crmCommunicationCustomerWelcome"] == sender
    assert "api_crmCommunicationCustomerInvoice" not in readable
    assert "api_crmCommunicationCustomerInvoice" not in readable["mailjet"]


@pytest.mark.req("PLT-601", "PLT-439")
@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("crm: {base_url: https://api.example.com}", "https://api.example.com"),
        ("crm: {base_url: http://omnicrm-api:5000, public_url: https://crm.example.com/}", "https://crm.example.com"),
    ],
)
def test_a_play_calls_us_inside_and_knows_our_address_for_people(tmp_path: Path, text: str, public: str) -> None:
    settings = settings_of(tmp_path, text)
    assert settings.crm.public_address == public
    assert settings.crm.internal_address == settings.crm.base_url
    readable = config_for_plays(plain(settings), "http://127.0.0.1:4711")
    assert (readable["crm"]["base_url"], readable["crm"]["public_url"]) == ("http://127.0.0.1:4711", public)


@pytest.mark.req("PLT-601")
def test_a_job_serves_its_own_play_unless_plays_are_given_another_address(tmp_path: Path) -> None:
    text = "crm: {base_url: http://localhost:5000, internal_url: 'http://10.1.2.3:5000'}"
    api = OwnApi(settings_of(tmp_path, text))
    api.serve(cast("Crm", None), lambda: None)
    assert api.url == "http://10.1.2.3:5000"
    api.close()


@pytest.mark.req("CAT-508", "CAT-522")
def test_the_other_place_of_the_mail_key_is_accepted_and_passed_on(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "email: {api_key: mail-key}")
    assert "mail-key" not in repr(settings)
    assert config_for_plays(plain(settings), "http://h")["email"] == {"api_key": "mail-key"}


def settings_of(home: Path, text: str) -> Settings:
    """The settings of an operator's file."""
    (home / "config.yaml").write_text(text)
    return load_settings({"OMNICRM_HOME": str(home)})


def test_only_the_owner_can_read_it_and_it_goes_when_the_job_fails(plays: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="the job failed"),
        JobFolder.make(tmp_path / "jobs") as folder,
    ):
        folder.fill(play_folders=[plays], config=CONFIG, variables={"x": 1}, api_url="http://h")
        folder.write_tokens("token", "refresh")
        assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
        for path in (folder.configuration, folder.extra_vars, folder.inventory, folder.tokens):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        raise ValueError("the job failed")
    assert list((tmp_path / "jobs").iterdir()) == []


@pytest.mark.req("CAT-471", "SVC-056")
def test_blanks_are_for_the_play_to_fill_and_templates_are_data(plays: Path, tmp_path: Path) -> None:
    variables = {"SIM Card": 789, "iccid": "", "note": "{{ 7 * 7 }}", "plain": "text", "none": None}
    with JobFolder.make(tmp_path / "jobs") as folder:
        folder.fill(play_folders=[plays], config={}, variables=variables, api_url="http://h")
        text = folder.extra_vars.read_text()
        assert '"note": !unsafe "{{ 7 * 7 }}"' in text
        assert '"plain": !unsafe "text"' in text
        extra = yaml.safe_load(text.replace("!unsafe ", ""))
        assert extra == {"SIM Card": 789, "note": "{{ 7 * 7 }}", "plain": "text", "none": None}
        host = yaml.safe_load(folder.inventory.read_text())["all"]["hosts"]["localhost"]
        assert host["iccid"] == ""
