"""What a job's folder holds, what it never holds, and that it goes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnicrm_tui.provisioning.job_folder import config_for_plays, job_folder

CONFIG: dict[str, Any] = {
    "crm": {"base_url": "http://localhost:5000", "other": 1},
    "ocs": {"OCS": "10.0.0.1:2080", "ocsTenant": "lab"},
    "smsc": {"api_key": "sms"},
    "api_crmCommunicationCustomerWelcome": {"from_email": "a@example.com"},
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
    with job_folder(
        play_folders=[plays], config=CONFIG, variables={}, api_url="http://127.0.0.1:4711/", parent=tmp_path / "jobs"
    ) as folder:
        text = (folder.plays / "play_x.yaml").read_text()
        assert text == "a: http://127.0.0.1:4711/crm b: http://127.0.0.1:4711 c: http://localhost:50001"
        assert (folder.plays / "templates" / "mail.j2").read_text() == "http://127.0.0.1:4711/"
        assert (folder.plays / "logo.bin").read_bytes() == b"http://localhost:5000"
        assert not (folder.plays / ".git").exists()
        assert (folder.plays / "../../crm_config.yaml").resolve() == folder.configuration.resolve()


@pytest.mark.req("CAT-518", "SVC-144", "SVC-143")
def test_the_configuration_of_a_play(plays: Path) -> None:
    readable = config_for_plays(CONFIG, "http://127.0.0.1:4711/", ["olt", "database"])
    assert readable == {
        "crm": {"base_url": "http://127.0.0.1:4711", "other": 1},
        "ocs": {"OCS": "10.0.0.1:2080", "cgrates": "10.0.0.1:2080", "ocsTenant": "lab"},
        "smsc": {"api_key": "sms"},
        "api_crmCommunicationCustomerWelcome": {"from_email": "a@example.com"},
        "olt": {"address": "10.0.0.9"},
    }
    assert "olt" not in config_for_plays(CONFIG, "http://127.0.0.1:4711")


def test_only_the_owner_can_read_it_and_it_goes_when_the_job_fails(plays: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="the job failed"),
        job_folder(
            play_folders=[plays], config=CONFIG, variables={"x": 1}, api_url="http://h", parent=tmp_path / "jobs"
        ) as folder,
    ):
        folder.write_tokens("token", "refresh")
        assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
        for path in (folder.configuration, folder.extra_vars, folder.inventory, folder.tokens):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        raise ValueError("the job failed")
    assert list((tmp_path / "jobs").iterdir()) == []


@pytest.mark.req("CAT-471", "SVC-056")
def test_blanks_are_for_the_play_to_fill_and_templates_are_data(plays: Path, tmp_path: Path) -> None:
    variables = {"SIM Card": 789, "iccid": "", "note": "{{ 7 * 7 }}", "plain": "text", "none": None}
    with job_folder(
        play_folders=[plays], config={}, variables=variables, api_url="http://h", parent=tmp_path / "jobs"
    ) as folder:
        text = folder.extra_vars.read_text()
        assert '"note": !unsafe "{{ 7 * 7 }}"' in text
        assert '"plain": !unsafe "text"' in text
        extra = yaml.safe_load(text.replace("!unsafe ", ""))
        assert extra == {"SIM Card": 789, "note": "{{ 7 * 7 }}", "plain": "text", "none": None}
        host = yaml.safe_load(folder.inventory.read_text())["all"]["hosts"]["localhost"]
        assert host["iccid"] == ""
