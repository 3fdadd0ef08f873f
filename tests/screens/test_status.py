"""The status of the system as one watches it, and the outbox as one works through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.messaging.leases import Lease
from omnicrm_tui.messaging.models import OutboxMessage
from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.messaging.schemas import DropInput
from omnicrm_tui.reporting import service
from omnicrm_tui.reporting.schemas import DiskFigures, PoolFigures
from screens import rooms, status
from tests.fixtures.pictures import Compare
from tests.screens.harness import press, screen_lines, screen_text, settled, signed_in_app, type_text, until
from tests.screens.test_snapshots import SIZES, in_each_look


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that a test made are seen at once, and the machine's own are the same everywhere."""
    monkeypatch.setattr(service, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(service, "DiskFigures", lambda _free, _size: DiskFigures(30 << 30, 100 << 30))
    monkeypatch.setattr(service, "__version__", "1.2.3")
    monkeypatch.setattr(service, "HEAD", "0007")
    monkeypatch.setattr(service, "_pool", lambda _pool: PoolFigures(1, 0, 15))


@pytest.fixture
def sending(crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """An outbox with a message of each kind, and every duty led."""
    for name in DUTIES:
        Lease(crm, name, f"desk-1:4711:{name}").hold()
    with crm.as_actor(admin) as work:
        numbers = [
            work.messaging.enqueue_email("zoe@mail.example", "Welcome [bold]", "Hello Zoë,\nwelcome."),
            work.messaging.enqueue_email("ada@mail.example", "Your invoice", "It is due."),
            work.messaging.enqueue_sms("+4790011223", "Your balance is low."),
        ]
        failed = work.session.get_one(OutboxMessage, numbers[1])
        failed.status, failed.attempts, failed.last_error = "failed", 7, "No such mailbox."
        sent = work.session.get_one(OutboxMessage, numbers[2])
        sent.status, sent.attempts, sent.delivered = "sent", 1, clock.now()
    clock.advance(timedelta(seconds=90))
    for name in DUTIES:
        Lease(crm, name, f"desk-1:4711:{name}").hold()
    return crm


def line_with(app: Any, text: str) -> str:
    return next((line for line in screen_lines(app) if text in line), "")


@pytest.mark.req("PLT-069")
async def test_figures_keep_themselves_up_to_date(sending: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "LOOK_SECONDS", 0.05)
    async with signed_in_app(sending, admin, room="status") as pilot:
        await until(pilot, lambda: "1 message was given up." in screen_text(pilot.app))
        assert "1 waiting, 1 of them due" in line_with(pilot.app, "Outbox  ")
        assert "1 min 30 s" in line_with(pilot.app, "Oldest waiting")
        assert "process 4711 on desk-1" in line_with(pilot.app, "  schedule")
        assert "30.0 of 100.0 GiB free (30 %)" in screen_text(pilot.app)
        with sending.as_actor(admin) as work:
            work.messaging.enqueue_email("new@mail.example", "S", "T")
            work.messaging.drop(2, DropInput(reason="A test"))
        await until(pilot, lambda: "2 waiting, 2 of them due" in screen_text(pilot.app))
        await until(pilot, lambda: "All is well." in screen_text(pilot.app))
        Lease(sending, "outbox", "desk-1:4711:outbox").release()
        await until(pilot, lambda: "Nobody leads outbox: start omnicrm worker." in screen_text(pilot.app))
        assert "nobody leads" in line_with(pilot.app, "  outbox ")


async def test_a_database_that_is_gone_is_told_and_the_figures_stay_until_it_is_back(
    sending: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "LOOK_SECONDS", 0.05)
    away = [False]
    reading = sending.reading

    @contextmanager
    def perhaps(actor: Actor) -> Iterator[Any]:
        if away[0]:
            raise DatabaseProblem("The database server cannot be reached.")
        with reading(actor) as work:
            yield work

    monkeypatch.setattr(sending, "reading", perhaps)
    async with signed_in_app(sending, admin, room="status") as pilot:
        await until(pilot, lambda: "1 waiting" in screen_text(pilot.app))
        away[0] = True
        await until(pilot, lambda: "The database server cannot be reached." in screen_text(pilot.app))
        assert "1 waiting, 1 of them due" in screen_text(pilot.app)
        away[0] = False
        await until(pilot, lambda: "1 message was given up." in screen_text(pilot.app))


async def test_what_stays_the_same_is_not_painted_again(
    sending: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signed_in_app(sending, admin, room="status") as pilot:
        await until(pilot, lambda: "1 message was given up." in screen_text(pilot.app))
        screen = pilot.app.screen
        assert isinstance(screen, status.StatusScreen)
        painted: list[object] = []
        monkeypatch.setattr(screen._facts, "refresh", lambda *_args, **more: painted.append(more))
        for _ in range(3):
            screen.action_look()
            await settled(pilot)
        assert painted == []


@pytest.mark.req("PLT-070")
async def test_a_message_is_read_sent_again_and_dropped_with_a_reason(sending: Crm, admin: Actor) -> None:
    async with signed_in_app(sending, admin, room="status") as pilot:
        app = pilot.app
        await press(pilot, "2")
        assert "+4790011223" in screen_text(app)
        await press(pilot, "R")
        assert "Only a failed or dropped message is sent again." in screen_text(app)
        await press(pilot, "down", "enter")
        assert "No such mailbox." in line_with(app, "Why")
        assert "It is due." in screen_text(app)
        await press(pilot, "escape", "R")
        assert "Send 1 message again?" in screen_text(app)
        await press(pilot, "n")
        assert "failed" in line_with(app, "ada@mail.example")
        await press(pilot, "R", "y")
        await until(pilot, lambda: "waiting" in line_with(app, "ada@mail.example"))
        await press(pilot, "d")
        await until(pilot, lambda: "Drop 1 message to ada@mail.example?" in screen_text(app))
        await press(pilot, "ctrl+s")
        assert "!" in screen_text(app)
        await type_text(pilot, "Sent by post")
        await press(pilot, "enter")
        await until(pilot, lambda: "dropped" in line_with(app, "ada@mail.example"))
    with sending.reading(admin) as work:
        assert work.messaging.get(2).last_error == "Sent by post"


@pytest.mark.parametrize("marks", [("space", "down", "space", "down", "space"), ("asterisk",), ("V", "G", "V")])
async def test_what_is_marked_is_changed_in_one_step(sending: Crm, admin: Actor, marks: tuple[str, ...]) -> None:
    async with signed_in_app(sending, admin, room="status") as pilot:
        app = pilot.app
        await press(pilot, "2", *marks, "d")
        await until(pilot, lambda: "Drop 2 messages to ada@mail.example and 1 more?" in screen_text(app))
        await type_text(pilot, "A test")
        await press(pilot, "enter")
        await until(pilot, lambda: screen_text(app).count("dropped") == 2)
        assert "sent" in line_with(app, "+4790011223")
        assert "selected" not in screen_text(app)
        await press(pilot, "asterisk", "R")
        await until(pilot, lambda: "Send 2 messages again?" in screen_text(app))
        await press(pilot, "y")
        await until(pilot, lambda: screen_text(app).count("waiting") == 2)


async def test_the_outbox_is_filtered(sending: Crm, admin: Actor) -> None:
    async with signed_in_app(sending, admin, room="status") as pilot:
        await press(pilot, "right_square_bracket", "f", "down", "down", "space", "escape")
        assert "1 of 1" in screen_text(pilot.app)
        assert "ada@mail.example" in screen_text(pilot.app)


def test_the_room_is_for_those_who_may_see_it() -> None:
    support = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_communication", "view_provision"}))
    assert "status" not in [room.name for room in rooms.open_to(support)]
    allowed = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_status"}))
    assert [room.name for room in rooms.open_to(allowed)] == ["status"]


WAYS = {
    "status": (),
    "outbox": ("2",),
    "outbox-message": ("2", "down", "enter"),
    "outbox-resend": ("2", "down", "R"),
    "outbox-drop": ("2", "down", "d"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(
    sending: Crm, admin: Actor, same_picture: Compare, name: str, size: str
) -> None:
    async with signed_in_app(sending, admin, SIZES[size], room="status") as pilot:
        await until(pilot, lambda: "given up" in screen_text(pilot.app))
        await press(pilot, *WAYS[name])
        await in_each_look(pilot, same_picture, f"{name}-{size}")
