"""The outbox as people and programs work with it: dropped with a reason, sent again."""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.integrations.mail import Mail, Refused
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging import delivery
from omnicrm_tui.messaging.delivery import OutboxCourier
from omnicrm_tui.messaging.schemas import DropInput
from omnicrm_tui.schemas import parse

WRONG_NUMBER = DropInput(reason="The number is wrong.")


class Post:
    """A mail server that refuses, or does something before it takes a mail."""

    def __init__(self) -> None:
        self.refuses = False
        self.before = lambda: None
        self.taken: list[str] = []

    def send(self, mail: Mail) -> None:
        self.before()
        if self.refuses:
            raise Refused("No such mailbox.")
        self.taken.append(mail.to)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post()
    monkeypatch.setattr(delivery, "mail_sender", lambda settings: made)
    return made


def enqueue(crm: Crm, admin: Actor) -> int:
    with crm.as_actor(admin) as work:
        return work.messaging.enqueue_email("zoe@mail.example", "Subject", "Text")


def status(crm: Crm, admin: Actor, number: int) -> tuple[str, str | None]:
    with crm.reading(admin) as work:
        view = work.messaging.get(number)
    return view.status, view.last_error


@pytest.mark.req("PLT-070")
def test_a_dropped_message_is_not_sent_and_its_reason_is_kept(any_crm: Crm, admin: Actor, post: Post) -> None:
    number = enqueue(any_crm, admin)
    with any_crm.as_actor(admin) as work:
        assert work.messaging.drop(number, WRONG_NUMBER).status == "dropped"
    assert OutboxCourier(any_crm).deliver_due() == 0
    assert status(any_crm, admin, number) == ("dropped", "The number is wrong.")
    with any_crm.reading(admin) as work:
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1).rows[0]
    assert (entry.action, entry.object_type, entry.object_id) == ("Message dropped", "message", number)
    assert entry.details["reason"] == {"old": None, "new": "The number is wrong."}
    assert entry.details["status"] == {"old": "waiting", "new": "dropped"}
    with pytest.raises(Conflict, match="dropped"), any_crm.as_actor(admin) as work:
        work.messaging.drop(number, WRONG_NUMBER)
    with any_crm.as_actor(admin) as work:
        work.messaging.retry(number)
    assert OutboxCourier(any_crm).deliver_due() == 1


def test_a_message_that_was_given_up_can_be_dropped_and_one_that_was_sent_cannot(
    any_crm: Crm, admin: Actor, post: Post
) -> None:
    sent, failed = enqueue(any_crm, admin), 0
    OutboxCourier(any_crm).deliver_due()
    post.refuses = True
    failed = enqueue(any_crm, admin)
    OutboxCourier(any_crm).deliver_due()
    assert status(any_crm, admin, failed) == ("failed", "No such mailbox.")
    with any_crm.as_actor(admin) as work:
        work.messaging.drop(failed, WRONG_NUMBER)
    with pytest.raises(Conflict, match="sent"), any_crm.as_actor(admin) as work:
        work.messaging.drop(sent, WRONG_NUMBER)


def test_what_was_dropped_in_the_moment_it_was_sent_is_told_as_sent(any_crm: Crm, admin: Actor, post: Post) -> None:
    number = enqueue(any_crm, admin)

    def drop() -> None:
        with any_crm.as_actor(admin) as work:
            work.messaging.drop(number, WRONG_NUMBER)

    post.before = drop
    OutboxCourier(any_crm).deliver_due()
    assert status(any_crm, admin, number) == ("sent", None)
    assert post.taken == ["zoe@mail.example"]


def test_dropping_needs_permission_a_message_and_a_reason(crm: Crm, admin: Actor) -> None:
    number = enqueue(crm, admin)
    support = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_communication"}))
    with pytest.raises(NotPermitted), crm.as_actor(support) as work:
        work.messaging.drop(number, WRONG_NUMBER)
    with pytest.raises(NotFound), crm.as_actor(admin) as work:
        work.messaging.drop(number + 1, WRONG_NUMBER)
    for reason in ("", "  ", "x" * 301):
        with pytest.raises(InvalidInput):
            parse(DropInput, {"reason": reason})
