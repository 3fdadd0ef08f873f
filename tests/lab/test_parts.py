"""The HSS, the SMSC and the two doors of the mail sink."""

from __future__ import annotations

import base64
import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.lab.store import FILE_NAME

IMSI = "001010123456789"
KI = "465B5CE8B199B49FAA5F0A2EE238A6BC"


@pytest.mark.req("SVC-103", "SVC-524", "SVC-096")
def test_a_subscriber_is_made_read_and_removed(lab: LabNetwork, http: httpx.Client) -> None:
    url = f"{lab.addresses.hss}/subscriber/{IMSI}"
    body = {"imsi": IMSI, "msisdn": "15550100", "ki": KI, "opc": KI, "enabled": True}
    made = http.put(url, json=body)
    assert (made.status_code, made.json()["subscriber_id"]) == (200, IMSI)
    shown = http.get(f"{lab.addresses.hss}/subscriber/{made.json()['subscriber_id']}").json()
    assert (shown["msisdn"], shown["enabled"]) == ("15550100", True)
    assert http.get(f"{lab.addresses.hss}/subscriber").json() == {"data": [IMSI]}
    assert http.delete(url).status_code == 200
    assert http.get(url).status_code == http.delete(url).status_code == http.patch(url, json={}).status_code == 404
    assert [row.kind for row in lab.received("hss")] == ["PUT", "DELETE", "DELETE", "PATCH"]


@pytest.mark.req("SVC-095")
def test_a_subscriber_is_made_dormant(lab: LabNetwork, http: httpx.Client) -> None:
    url = f"{lab.addresses.hss}/subscriber/{IMSI}"
    http.put(url, json={"imsi": IMSI, "msisdn": "15550100", "apn": "internet"})
    dormant = {"enabled": True, "msisdn": "99990123456789", "ue_ambr_dl": 9999999, "ue_ambr_ul": 9999999}
    assert http.patch(url, json=dormant).status_code == 200
    shown = http.get(url).json()
    assert {name: shown[name] for name in dormant} == dormant
    assert shown["apn"] == "internet"


def test_authentication_keys_are_nowhere_on_disk(lab: LabNetwork, lab_folder: Path, http: httpx.Client) -> None:
    url = f"{lab.addresses.hss}/subscriber/{IMSI}"
    http.put(url, json={"imsi": IMSI, "ki": KI, "opc": KI, "auth": {"Ki": KI}})
    first = http.get(url).json()["ki_fingerprint"]
    http.post(f"{lab.addresses.smsc}/SMS/plaintext/{KI}", json={"destination_msisdn": "1", "message_body": "x"})
    stored = b"".join(path.read_bytes() for path in lab_folder.glob(f"{FILE_NAME}*"))
    assert KI.encode() not in stored
    assert http.put(url, json={"ki": KI}).json()["ki_fingerprint"] == first


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"imsi": "2"}', b"[" * 100_000])
def test_the_hss_refuses_what_is_no_subscriber(lab: LabNetwork, http: httpx.Client, body: bytes) -> None:
    assert http.put(f"{lab.addresses.hss}/subscriber/{IMSI}", content=body).status_code == 400
    assert http.get(f"{lab.addresses.hss}/subscriber/{IMSI}").status_code == 404


@pytest.mark.req("SVC-118", "CAT-510")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/SMS/plaintext/key", {"source_msisdn": "Op", "destination_msisdn": "15550100", "message_body": "Thanks!"}),
        (
            "/SMS/plaintext/key",
            {"source_msisdn": "Op", "destinatination_msisdn": "15550100", "message_body": "Thanks!"},
        ),
        ("/api/send", {"source": "Op", "destination": "15550100", "message": "Thanks!"}),
        ("/send", {"source": "Op", "destination": 15550100, "message": "Thanks!"}),
    ],
)
def test_a_text_message_is_kept(lab: LabNetwork, http: httpx.Client, path: str, body: dict[str, str]) -> None:
    assert http.post(f"{lab.addresses.smsc}{path}", json=body).status_code == 201
    assert http.post(f"{lab.addresses.smsc}{path}", data=body).status_code == 201
    wanted = {"source": "Op", "destination": "15550100", "message": "Thanks!"}
    assert [row.detail for row in lab.received("smsc")] == [wanted, wanted]


@pytest.mark.parametrize("body", [{}, {"destination": "1"}, {"message": "x"}, {"destination": "1", "message": 5}])
def test_a_text_message_without_its_parts_is_refused(lab: LabNetwork, http: httpx.Client, body: object) -> None:
    assert http.post(f"{lab.addresses.smsc}/api/send", json=body).status_code == 400


@pytest.mark.req("CAT-506")
def test_mailjet_mail_is_kept(lab: LabNetwork, http: httpx.Client) -> None:
    message = {
        "From": {"Email": "noreply@example.com", "Name": "Customer Service Team"},
        "To": [{"Email": "b@example.com", "Name": "B"}, {"Email": "c@example.com"}],
        "Subject": "Welcome",
        "TextPart": "Hello",
        "Attachments": [
            {"ContentType": "text/plain", "Filename": "a.txt", "Base64Content": base64.b64encode(b"abc").decode()}
        ],
    }
    url = f"{lab.addresses.mailjet}/v3.1/send"
    answer = http.post(url, json={"Messages": [message]}, auth=("key", "secret"))
    assert answer.status_code == 200
    assert [to["Email"] for to in answer.json()["Messages"][0]["To"]] == ["b@example.com", "c@example.com"]
    [kept] = lab.received("mail")
    assert kept.summary == "b@example.com, c@example.com: Welcome"
    assert kept.detail["Attachments"] == [{"Filename": "a.txt", "ContentType": "text/plain", "Size": 3}]
    assert http.post(url, json={"Messages": [message]}).status_code == 401
    for wrong in ({}, {"Messages": []}, {"Messages": [5]}, {"Messages": [{"To": [{}]}]}):
        assert http.post(url, json=wrong, auth=("key", "secret")).status_code == 400


def mail(subject: str = "Grüße") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    message.set_content("Hello\n.a line with a dot\n您好\n")
    message.add_alternative("<p>Hello</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    return message


def smtp(lab: LabNetwork) -> smtplib.SMTP:
    host, port = lab.addresses.mail.split(":")
    return smtplib.SMTP(host, int(port), timeout=10)


def test_smtp_mail_is_kept(lab: LabNetwork) -> None:
    with smtp(lab) as client:
        client.login("any", "thing")
        client.send_message(mail())
        client.send_message(mail("second"), to_addrs=["x@example.com", "y@example.com"])
    first, second = lab.received("mail")
    assert (first.detail["subject"], first.detail["envelope_to"]) == ("Grüße", ["b@example.com"])
    assert first.detail["text"].splitlines() == ["Hello", ".a line with a dot", "您好"]
    assert "<p>Hello</p>" in first.detail["html"]
    assert first.detail["attachments"] == [{"filename": "invoice.pdf", "content_type": "application/pdf", "size": 4}]
    assert second.summary == "x@example.com, y@example.com: second"


def test_smtp_obeys_the_switch(lab: LabNetwork) -> None:
    lab.switch("mail", "fail")
    with smtp(lab) as client, pytest.raises(smtplib.SMTPException):
        client.send_message(mail())
    lab.switch("mail", "nonsense")
    with pytest.raises((smtplib.SMTPException, ValueError, OSError)), smtp(lab) as client:
        client.send_message(mail())
    lab.switch("mail", "slow", seconds=0.1)
    with smtp(lab) as client:
        client.send_message(mail())
    assert [row.kind for row in lab.received("mail")] == ["smtp"]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"\x00\xff\xfe\r\n", b"500"),
        (b"MAIL FROM:nobody\r\n", b"501"),
        (b"RCPT TO:<a@b>\r\n", b"503"),
        (b"DATA\r\n", b"503"),
        (b"AUTH NTLM\r\n", b"504"),
        (b"x" * 200_000, b"500 line too long"),
        (b"MAIL FROM:<>\r\nRCPT TO:<a b>\r\n", b"501"),
    ],
)
def test_smtp_survives_bad_manners(lab: LabNetwork, sent: bytes, answered: bytes) -> None:
    host, port = lab.addresses.mail.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        heard = peer.recv(1_024)
        peer.sendall(sent)
        while answered not in heard:
            chunk = peer.recv(1_024)
            assert chunk, heard
            heard += chunk
    test_smtp_mail_is_kept(lab)


def test_mail_that_is_no_mail_is_kept_as_it_is(lab: LabNetwork) -> None:
    with smtp(lab) as client:
        client.sendmail(
            "a@b", ["c@d"], b"Subject: \xff=?utf-8?b?!!!?=\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xff\x00"
        )
    assert len(lab.received("mail")) == 1
