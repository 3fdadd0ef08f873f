"""The outbox and its couriers, on all three databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, InvalidInput, NotPermitted, OutsideSystemError
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.integrations.mail import Mail, Refused
from omnicrm_tui.integrations.mailjet import MailjetSender
from omnicrm_tui.integrations.smtp import SmtpSender
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging import delivery
from omnicrm_tui.messaging.delivery import OutboxCourier, mail_sender
from omnicrm_tui.messaging.leading import FOLLOW_SECONDS, Leader
from omnicrm_tui.messaging.leases import LEASE_MS, Lease
from omnicrm_tui.messaging.rules import BACKOFF, MOST_ATTEMPTS, OUTBOX
from omnicrm_tui.messaging.schemas import OutboxView
from omnicrm_tui.settings import EmailType, MailjetSection, Settings, SmtpSection


class Post:
    """A mail server in the test: keeps what it takes, raises what it is told to."""

    def __init__(self) -> None:
        self.taken: list[Mail] = []
        self.trouble: Exception | None = None
        self.before: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def send(self, mail: Mail) -> None:
        self.before()
        if self.trouble is not None:
            raise self.trouble
        with self._lock:
            self.taken.append(mail)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post()
    monkeypatch.setattr(delivery, "mail_sender", lambda settings: made)
    return made


def enqueue(crm: Crm, admin: Actor, to: str = "zoe@mail.example", **more: str) -> int:
    with crm.as_actor(admin) as work:
        return work.messaging.enqueue_email(to, "Subject", "Text", **more)


def seen(crm: Crm, admin: Actor, number: int) -> OutboxView:
    with crm.reading(admin) as work:
        return work.messaging.get(number)


def test_a_message_is_sent_once_and_only_after_its_change_was_committed(any_crm: Crm, admin: Actor, post: Post) -> None:
    courier = OutboxCourier(any_crm)
    with pytest.raises(ZeroDivisionError), any_crm.as_actor(admin) as work:
        work.messaging.enqueue_email("zoe@mail.example", "Never", "Text")
        raise ZeroDivisionError
    assert courier.deliver_due() == 0
    number = enqueue(any_crm, admin, html="<p>Text</p>")
    assert (courier.deliver_due(), courier.deliver_due()) == (1, 0)
    assert [(mail.to, mail.subject, mail.text, mail.html) for mail in post.taken] == [
        ("zoe@mail.example", "Subject", "Text", "<p>Text</p>")
    ]
    done = seen(any_crm, admin, number)
    assert (done.status, done.attempts, done.delivered) == ("sent", 1, any_crm.clock.now())


def test_two_couriers_hand_over_one_message_once(any_crm: Crm, admin: Actor, post: Post) -> None:
    for number in range(6):
        enqueue(any_crm, admin, f"user{number}@mail.example")
    gate, sent = threading.Barrier(2), []

    def run() -> None:
        gate.wait(30)
        sent.append(OutboxCourier(any_crm).deliver_due())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sent) == 6
    assert sorted(mail.to for mail in post.taken) == [f"user{number}@mail.example" for number in range(6)]


@pytest.mark.req("PLT-468", "BIL-215")
def test_failures_are_tried_again_with_growing_pauses_and_then_given_up(
    any_crm: Crm, clock: FrozenClock, admin: Actor, post: Post
) -> None:
    post.trouble = OutsideSystemError("The mail server is asleep.")
    courier, number = OutboxCourier(any_crm), enqueue(any_crm, admin)
    for attempt, pause in enumerate(BACKOFF, start=1):
        assert courier.deliver_due() == 0
        assert courier.deliver_due() == 0
        now = seen(any_crm, admin, number)
        assert (now.status, now.attempts, now.last_error) == ("waiting", attempt, "The mail server is asleep.")
        assert now.next_attempt == clock.now() + pause
        clock.advance(pause - timedelta(seconds=1))
        assert courier.deliver_due() == 0
        assert seen(any_crm, admin, number).attempts == attempt
        clock.advance(timedelta(seconds=1))
    courier.deliver_due()
    assert (seen(any_crm, admin, number).status, seen(any_crm, admin, number).attempts) == ("failed", MOST_ATTEMPTS)
    post.trouble = None
    clock.advance(timedelta(days=9))
    assert courier.deliver_due() == 0
    with any_crm.as_actor(admin) as work:
        assert work.messaging.retry(number).status == "waiting"
    assert courier.deliver_due() == 1
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.messaging.retry(number)


def test_what_is_refused_for_good_is_not_tried_again(crm: Crm, admin: Actor, post: Post) -> None:
    post.trouble = Refused("No such mailbox.")
    number = enqueue(crm, admin)
    OutboxCourier(crm).deliver_due()
    assert (seen(crm, admin, number).status, seen(crm, admin, number).last_error) == ("failed", "No such mailbox.")


def test_a_process_that_dies_while_sending_loses_nothing_and_repeats_no_sooner_than_the_pause(
    any_crm: Crm, clock: FrozenClock, admin: Actor, post: Post
) -> None:
    number = enqueue(any_crm, admin)

    def die() -> None:
        raise KeyboardInterrupt

    post.before = die
    with pytest.raises(KeyboardInterrupt):
        OutboxCourier(any_crm).deliver_due()
    post.before = lambda: None
    assert (seen(any_crm, admin, number).status, seen(any_crm, admin, number).attempts) == ("waiting", 1)
    assert OutboxCourier(any_crm).deliver_due() == 0
    clock.advance(BACKOFF[0])
    assert OutboxCourier(any_crm).deliver_due() == 1
    assert len(post.taken) == 1


def test_a_clock_put_back_holds_no_new_message_back(any_crm: Crm, clock: FrozenClock, admin: Actor, post: Post) -> None:
    number = enqueue(any_crm, admin)
    clock.advance(timedelta(hours=-1))
    with any_crm.reading(admin) as work:
        assert work.messaging.backlog().due == 1
    assert (OutboxCourier(any_crm).deliver_due(), OutboxCourier(any_crm).deliver_due()) == (1, 0)
    assert seen(any_crm, admin, number).status == "sent"


def test_without_a_way_to_send_a_message_is_dropped_with_the_reason(any_crm: Crm, admin: Actor) -> None:
    mail = enqueue(any_crm, admin)
    with any_crm.as_actor(admin) as work:
        sms = work.messaging.enqueue_sms("+47 900 11 223", "Hello")
    assert OutboxCourier(any_crm).deliver_due() == 0
    assert (seen(any_crm, admin, mail).status, seen(any_crm, admin, sms).status) == ("dropped", "dropped")
    assert "smtp.host" in (seen(any_crm, admin, mail).last_error or "")
    assert (seen(any_crm, admin, sms).recipient, seen(any_crm, admin, sms).text) == ("+4790011223", "Hello")


@pytest.mark.req("PLT-435", "PLT-436")
def test_the_settings_choose_the_way_and_the_kind_chooses_the_sender(
    crm: Crm, admin: Actor, settings: Settings, post: Post
) -> None:
    kind = EmailType(from_email="welcome@crm.example", from_name="Welcome", subject="Hello")
    both = settings.model_copy(
        update={
            "smtp": SmtpSection(host="localhost", from_email="crm@crm.example"),
            "mailjet": MailjetSection(api_key=SecretStr("k"), api_crmCommunicationCustomerWelcome=kind),
        }
    )
    assert isinstance(mail_sender(both), MailjetSender)
    assert isinstance(mail_sender(both.model_copy(update={"mailjet": MailjetSection()})), SmtpSender)
    assert mail_sender(settings) is None
    with_kinds = Crm(both, crm.engine, crm.clock, crm.vault)
    enqueue(with_kinds, admin, kind="api_crmCommunicationCustomerWelcome")
    enqueue(with_kinds, admin, kind="provisioning_failure")
    OutboxCourier(with_kinds).deliver_due()
    assert [(mail.from_email, mail.from_name) for mail in post.taken] == [
        ("welcome@crm.example", "Welcome"),
        ("crm@crm.example", "OmniCRM"),
    ]
    assert len({mail.message_id for mail in post.taken}) == 2


def test_the_outbox_is_listed_for_those_who_may_see_it(any_crm: Crm, admin: Actor, post: Post) -> None:
    first = enqueue(any_crm, admin)
    OutboxCourier(any_crm).deliver_due()
    second = enqueue(any_crm, admin, "ada@mail.example")
    with any_crm.reading(admin) as work:
        rows = work.messaging.window(ListQuery(filters={"status": ["waiting"]}), FIRST, 9).rows
        assert [row.outbox_id for row in rows] == [second]
        assert work.messaging.count(ListQuery(search="zoe@")).value == 1
        assert [row.outbox_id for row in work.messaging.page(ListQuery(), 1, 9).rows] == [first, second]
        backlog = work.messaging.backlog()
    assert (backlog.due, backlog.oldest, backlog.led) == (1, any_crm.clock.now(), False)
    nobody = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_customer"}))
    with any_crm.reading(nobody) as work, pytest.raises(NotPermitted):
        work.messaging.window(ListQuery(), FIRST, 9)


def test_addresses_and_subjects_cannot_carry_more_than_they_are(crm: Crm, admin: Actor) -> None:
    with crm.as_actor(admin) as work:
        for to in ("nobody", "a@b.example\nBcc: c@d.example", "a@b.example, c@d.example"):
            with pytest.raises(InvalidInput):
                work.messaging.enqueue_email(to, "x", "x")
        with pytest.raises(InvalidInput):
            work.messaging.enqueue_sms("call me", "x")
        number = work.messaging.enqueue_email("a@b.example", "one\r\nBcc: two" + "x" * 400, "x")
        subject = work.messaging.get(number).subject
    assert subject.startswith("one Bcc: two")
    assert len(subject) == 300


def test_a_lease_has_one_holder_and_moves_when_the_holder_is_gone(any_crm: Crm, clock: FrozenClock) -> None:
    one, two = Lease(any_crm, "outbox"), Lease(any_crm, "outbox")
    other_duty = Lease(any_crm, "schedule")
    assert (one.hold(), two.hold(), one.hold(), other_duty.hold()) == (True, False, True, True)
    clock.advance(timedelta(milliseconds=LEASE_MS - 1))
    assert (two.hold(), one.hold()) == (False, True)
    clock.advance(timedelta(milliseconds=LEASE_MS))
    assert (two.hold(), one.hold()) == (True, False)
    one.release()
    assert two.hold()
    two.release()
    assert one.hold()
    with any_crm.reading(Actor(ActorKind.SYSTEM, "doctor")) as work:
        assert work.messaging.backlog().led
    assert LEASE_MS + FOLLOW_SECONDS * 1000 <= 8_000


def test_many_that_want_a_free_lease_at_once_get_one_holder(any_crm: Crm) -> None:
    gate, held = threading.Barrier(5), []

    def run() -> None:
        lease = Lease(any_crm, "outbox")
        gate.wait(30)
        held.append(lease.hold())

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(held) == [False] * 4 + [True]


def test_a_leader_delivers_survives_surprises_and_gives_the_lease_back(any_crm: Crm, admin: Actor, post: Post) -> None:
    surprised, taken, stop = threading.Event(), threading.Event(), threading.Event()

    def surprise() -> None:
        if not surprised.is_set():
            surprised.set()
            raise RuntimeError("a surprise")
        taken.set()

    post.before = surprise
    enqueue(any_crm, admin, "first@mail.example")
    courier = OutboxCourier(any_crm)
    leader = Leader(any_crm, OUTBOX, stop, [lambda go_on: courier.deliver_due(go_on=go_on)], look_seconds=0.01)
    thread = threading.Thread(target=leader.run)
    thread.start()
    assert surprised.wait(30)
    enqueue(any_crm, admin, "second@mail.example")
    assert taken.wait(30)
    deadline = time.monotonic() + 30
    with any_crm.reading(admin) as work:
        assert work.messaging.backlog().led
    while not post.taken and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert [mail.to for mail in post.taken] == ["second@mail.example"]
    assert Lease(any_crm, "outbox").hold()
