"""What plays tell others: the customer and the charging system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.conftest import Job
from tests.playbooks.fake_backend import LI, MAIL_SECRET, Backend

RunPlay = Callable[..., Job]
pytestmark = pytest.mark.ansible

ANN = {"contact_email": "ann@example.com", "contact_firstname": "Ann", "contact_lastname": "Lee"}
SENDER = {"from_email": "hello@operator.example", "from_name": "Operator", "subject": "Good to have you"}


@pytest.mark.req("CAT-486", "CAT-507", "PLT-436")
@pytest.mark.parametrize(
    ("sender", "name", "address", "subject"),
    [
        (None, "Customer Service Team", "noreply@example.com", "Welcome to our service!"),
        (SENDER, "Operator", "hello@operator.example", "Good to have you"),
    ],
    ids=["default", "configured"],
)
def test_the_welcome_mail_says_what_it_costs_and_whom_to_ask(
    run_play: RunPlay, backend: Backend, sender: dict[str, str] | None, name: str, address: str, subject: str
) -> None:
    backend.contacts = [LI, ANN, {"contact_email": None, "contact_firstname": "No"}]
    config = backend.config
    config["mailjet"]["api_crmCommunicationCustomerWelcome"] = sender
    assert run_play("play_psim_only", config=config).result.status == 0
    (message,) = backend.mails[0]["Messages"]
    assert message["From"] == {"Email": address, "Name": name}
    assert message["To"] == [
        {"Email": "li@example.com", "Name": "Li Wei"},
        {"Email": "ann@example.com", "Name": "Ann Lee"},
    ]
    assert message["Subject"] == subject
    assert message["TextPart"] == "Dear Li, welcome! Your service Mobile SIM Only is ready."
    for part in ("Dear Li,", "Mobile SIM Only is now active", "Monthly cost: 15.00", "Setup fee: 5.00", address):
        assert part in message["HTMLPart"], part
    assert backend.outbox == []


@pytest.mark.req("CAT-486")
def test_without_an_account_of_mailjet_the_welcome_goes_to_the_outbox(run_play: RunPlay, backend: Backend) -> None:
    config = {**backend.config, "mailjet": {"api_key": "", "api_secret": ""}}
    job = run_play("play_psim_only", config=config)
    assert job.result.status == 0
    assert backend.mails == []
    (mail,) = backend.outbox
    assert (mail["kind"], mail["subject"]) == ("api_crmCommunicationCustomerWelcome", "Welcome to our service!")
    assert "Dear Li" in mail["text"]
    assert "Setup fee: 5.00" in mail["html"]
    assert job.last()["Send the welcome e-mail"].result["skipped"] is True


@pytest.mark.req("CAT-508", "CAT-522", "CAT-527")
def test_the_mail_account_may_be_in_the_environment_and_is_not_told(
    run_play: RunPlay, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILJET_API_KEY", "key-of-the-environment")
    monkeypatch.setenv("MAILJET_SECRET", "word-of-the-environment")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "task_notify_ocs.yaml").write_text(
        "- name: Look\n  debug: msg=\"{{ lookup('env', 'MAILJET_SECRET') }} {{ lookup('env', 'MAILJET_API_KEY') }}\"\n"
    )
    config = {**backend.config, "mailjet": {"base_url": backend.config["mailjet"]["base_url"]}}
    job = run_play("play_psim_only", home=tmp_path / "home", config=config)
    assert job.result.status == 0
    assert len(backend.mails) == 1
    assert job.last()["Look"].result["msg"] == "******** ********"
    assert "of-the-environment" not in repr(job.events)
    assert MAIL_SECRET not in repr(job.events)


@pytest.mark.req("CAT-487", "CAT-446", "CAT-455")
@pytest.mark.parametrize(
    "fault",
    [(503, {}), (200, {"id": 1, "result": None, "error": "SERVER_ERROR: no"})],
    ids=["status", "error"],
)
def test_a_charging_system_that_is_not_notified_fails_no_job(
    run_play: RunPlay, backend: Backend, fault: tuple[int, Any]
) -> None:
    backend.faults = {"CacheSv1.ReloadCache": fault}
    job = run_play("play_simple_service", {"product_id": 2, "SIM Card": None, "Mobile Number": None})
    assert job.result.status == 0
    assert job.last()["Notify the charging system"].status == 3
    assert "CacheSv1.ReloadCache" in backend.calls
