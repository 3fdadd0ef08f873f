"""The outbox over REST."""

from __future__ import annotations

from fastapi.testclient import TestClient

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor


def test_messages_are_listed_read_dropped_and_sent_again(client: TestClient, crm: Crm, admin: Actor) -> None:
    with crm.as_actor(admin) as work:
        mail = work.messaging.enqueue_email("zoe@mail.example", "Welcome", "Hello Zoë")
        work.messaging.enqueue_sms("+4790011223", "Hello")
    assert [row["channel"] for row in client.get("/crm/outbox").json()["data"]] == ["sms", "email"]
    found = client.get("/crm/outbox", params={"filters": '{"channel": ["email"], "status": ["waiting"]}'}).json()
    assert [row["recipient"] for row in found["data"]] == ["zoe@mail.example"]
    assert client.get(f"/crm/outbox/{mail}").json()["text"] == "Hello Zoë"
    assert client.post(f"/crm/outbox/{mail}/retry").status_code == 409
    refused = client.post(f"/crm/outbox/{mail}/drop", json={})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["reason"])
    dropped = client.post(f"/crm/outbox/outbox_id/{mail}/drop", json={"reason": "A test"}).json()
    assert (dropped["status"], dropped["last_error"]) == ("dropped", "A test")
    assert client.post(f"/crm/outbox/{mail}/retry").json()["status"] == "waiting"
