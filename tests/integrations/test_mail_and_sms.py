"""Mail and short messages against the lab, in its good and its bad moods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.integrations.mail import Mail, MailSender, Refused
from omnicrm_tui.integrations.mailjet import MailjetSender
from omnicrm_tui.integrations.smsc import SmscClient, plaintext_address
from omnicrm_tui.integrations.smtp import SmtpSender
from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.settings import MailjetSection, SmscSection, SmtpSection

MAIL = Mail(
    message_id="outbox-7",
    from_email="noreply@crm.example",
    from_name="Ärger & Co",
    to="zoë@mail.example",
    subject="Grüße 李小龙",
    text="Text ✓\n.\nafter a dot",
    html="<p>Text ✓</p>",
)
KEY = "the-secret-key"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabNetwork]:
    with LabNetwork(tmp_path / "lab") as network:
        yield network


def smtp(lab: LabNetwork) -> SmtpSender:
    host, _, port = lab.addresses.mail.rpartition(":")
    return SmtpSender(SmtpSection(host=host, port=int(port)), timeout=20)


def mailjet(lab: LabNetwork) -> MailjetSender:
    section = MailjetSection(api_key=SecretStr(KEY), api_secret=SecretStr("secret"), base_url=lab.addresses.mailjet)
    return MailjetSender(section, timeout=20)


def smsc(lab: LabNetwork, **more: Any) -> SmscClient:
    return SmscClient(SmscSection(smsc_url=lab.addresses.smsc, api_key=SecretStr(KEY), **more), timeout=20)


@pytest.fixture(params=[smtp, mailjet], ids=["smtp", "mailjet"])
def sender(request: pytest.FixtureRequest, lab: LabNetwork) -> MailSender:
    made: MailSender = request.param(lab)
    return made


@pytest.mark.req("CAT-506")
def test_a_mail_arrives_with_both_bodies_and_any_script(sender: MailSender, lab: LabNetwork) -> None:
    sender.send(MAIL)
    [received] = lab.received("mail")
    named = {name.lower(): value for name, value in received.detail.items()}
    assert named["subject"] == MAIL.subject
    assert named.get("text", named.get("textpart")).replace("\r\n", "\n").strip() == MAIL.text
    assert named.get("html", named.get("htmlpart")).strip() == MAIL.html
    assert MAIL.to in str(named["to"])
    assert MAIL.from_name in str(named["from"])
    assert MAIL.from_email in str(named["from"])


@pytest.mark.req("BIL-215", "PLT-468")
@pytest.mark.parametrize("mode", ["fail", "nonsense"])
def test_a_mail_server_in_trouble_is_tried_again_later(sender: MailSender, lab: LabNetwork, mode: str) -> None:
    lab.switch("mail", mode)
    with pytest.raises(OutsideSystemError) as refused:
        sender.send(MAIL)
    assert not isinstance(refused.value, Refused)
    lab.switch("mail")
    lab.disconnect("mail")
    with pytest.raises(OutsideSystemError) as refused:
        sender.send(MAIL)
    assert not isinstance(refused.value, Refused)


def test_a_slow_server_is_given_up_in_time(sender: MailSender, lab: LabNetwork) -> None:
    lab.switch("mail", "slow", seconds=30)
    quick = type(sender)(sender._section, timeout=0.2)  # type: ignore[attr-defined,call-arg]
    with pytest.raises(OutsideSystemError):
        quick.send(MAIL)


def test_an_address_that_smuggles_a_header_is_refused_for_good(lab: LabNetwork) -> None:
    for bad in (replace(MAIL, subject="a\nBcc: x@mail.example"), replace(MAIL, to="x@mail.example\nBcc: y@z")):
        with pytest.raises(Refused):
            smtp(lab).send(bad)
    assert lab.received("mail") == []


@pytest.mark.req("SVC-118", "PLT-444", "PLT-446")
def test_a_short_message_arrives_under_the_configured_field(lab: LabNetwork) -> None:
    smsc(lab, source_msisdn="Shop").send("+4790011223", "Hello ✓")
    smsc(lab, destination_field="destinatination_msisdn").send("+4790011224", "Again")
    first, second = lab.received("smsc")
    assert first.detail == {"source": "Shop", "destination": "+4790011223", "message": "Hello ✓"}
    assert second.detail["destination"] == "+4790011224"


@pytest.mark.req("SVC-118")
def test_an_sms_centre_in_trouble_is_tried_again_and_its_key_is_told_to_nobody(lab: LabNetwork) -> None:
    client = smsc(lab)
    for mode in ("fail", "nonsense"):
        lab.switch("smsc", mode)
        with pytest.raises(OutsideSystemError) as refused:
            client.send("+4790011223", "Hello")
        assert not isinstance(refused.value, Refused)
        assert KEY not in refused.value.message
    lab.switch("smsc")
    with pytest.raises(Refused):
        client.send("nobody", "Hello")
    lab.disconnect("smsc")
    with pytest.raises(OutsideSystemError) as refused:
        client.send("+4790011223", "Hello")
    assert KEY not in repr(refused.value) + repr(refused.value.__cause__)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://10.1.2.3/SMSc/", "http://10.1.2.3/SMSc/plaintext"),
        ("http://sms-gateway/SMS", "http://sms-gateway/SMS/plaintext"),
        ("http://sms-gateway", "http://sms-gateway/SMS/plaintext"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/SMS/plaintext"),
    ],
)
def test_texts_go_below_the_configured_path(url: str, address: str) -> None:
    assert plaintext_address(url) == address


def test_the_lab_lets_itself_be_asked_for_the_account(lab: LabNetwork) -> None:
    assert mailjet(lab).check() == "Mailjet knows the key"
