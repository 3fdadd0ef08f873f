"""Drafts: what was entered when a terminal went away is offered to the same person again, and to nobody else."""

from __future__ import annotations

import resource
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerChange
from omnicrm_tui.identity.actor import Actor, ActorKind
from screens import dialogs, drafts
from screens.dialogs import FormDialog
from screens.drafts import Draft, DraftFile
from screens.unfinished import DraftOffer
from tests.screens.harness import make_app, press, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import add_people, add_user
from widgets.form import fields_of

ADA = Actor(ActorKind.STAFF, "ada", user_id=1, permissions=frozenset({"admin"}))
BOB = Actor(ActorKind.STAFF, "bob", user_id=2, permissions=frozenset({"admin"}))
OFFER = "There is an unfinished draft of"


@pytest.fixture(autouse=True)
def people(crm: Crm, admin: Actor) -> None:
    """Make the two users: what they change is logged for them."""
    assert add_user(crm, admin) == ADA.user_id
    assert add_user(crm, admin, username="bob", email="bob@mail.example") == BOB.user_id


def files(crm: Crm) -> list[Path]:
    """Return the drafts that are kept."""
    return sorted((crm.settings.home / "drafts").glob("*/*"))


@asynccontextmanager
async def new_customer(crm: Crm, name: str, actor: Actor = ADA) -> AsyncIterator[Pilot[None]]:
    """Begin a new customer."""
    async with signed_in_app(crm, actor) as pilot:
        await press(pilot, "n")
        await type_text(pilot, name)
        yield pilot


async def lose_new_customer(crm: Crm, name: str) -> None:
    """Begin a new customer and lose the terminal."""
    async with new_customer(crm, name) as pilot:
        pilot.app._told_to_end(1)  # type: ignore[attr-defined]
    assert len(files(crm)) == 1


@asynccontextmanager
async def after_login(crm: Crm, actor: Actor) -> AsyncIterator[Pilot[None]]:
    """The application just after somebody logged in."""
    app = make_app(crm, actor)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        app.signed_in(actor)
        await pilot.pause()
        yield pilot


async def test_after_login_one_goes_on_with_it(crm: Crm) -> None:
    await lose_new_customer(crm, "Half typed")
    async with after_login(crm, ADA) as pilot:
        await until(pilot, lambda: f"{OFFER} “New customer” from 12:00." in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "Half typed" in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, FormDialog)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Half typed #1" in screen_text(pilot.app))
    assert files(crm) == []


async def test_a_page_is_opened_again_with_what_differs(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, ADA) as pilot:
        await press(pilot, "enter")
        await press(pilot, "e")
        await type_text(pilot, " of London")
        pilot.app._told_to_end(1)  # type: ignore[attr-defined]
    with crm.as_actor(admin) as work:
        work.customers.update(2, CustomerChange(customer_name="Bold & Daughters", customer_phone="+44700009"))
    async with after_login(crm, ADA) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, DraftOffer))
        await pilot.press("enter")
        await until(pilot, lambda: "Sons[/bold] of London" in screen_text(pilot.app))
        assert "Changed by somebody else meanwhile: Name." in " ".join(screen_text(pilot.app).split())
        assert "+44700009" in screen_text(pilot.app)


async def test_the_form_itself_offers_it_and_d_drops_it(crm: Crm) -> None:
    await lose_new_customer(crm, "Half typed")
    async with after_login(crm, ADA) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, DraftOffer))
        await press(pilot, "escape")
        assert len(files(crm)) == 1
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, DraftOffer))
        await press(pilot, "d")
        assert files(crm) == []
        assert "Half typed" not in screen_text(pilot.app)
        await type_text(pilot, "Another")
        pilot.app._told_to_end(1)  # type: ignore[attr-defined]
    assert len(files(crm)) == 1


async def test_it_is_kept_while_one_types(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs, "KEEP_SECONDS", 0.01)
    async with new_customer(crm, "Killed soon") as pilot:
        await until(pilot, lambda: any("Killed soon" in path.read_text() for path in files(crm)))
    (file,) = files(crm)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (file.parent, file.parent.parent)} == {0o700}


def test_one_that_finds_no_room_leaves_the_older_one_whole(crm: Crm) -> None:
    file = DraftFile(crm.settings.home, 1, "new customer")
    first = Draft(
        "new customer", "New customer", crm.clock.now(), {"customer_name": "Zoe"}, {}, "customers", None, "new"
    )
    file.keep(first)
    most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OSError, match="large"):
            file.keep(replace(first, values={"customer_name": "Zoe Two"}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    assert files(crm) == [file.path]
    assert file.read(crm.clock.now()) == first


@pytest.mark.parametrize("keys", [("escape", "y"), ("ctrl+s",), ("ctrl+q", "y"), ("ctrl+a", "ctrl+k")])
async def test_what_is_saved_or_left_on_purpose_is_forgotten(
    crm: Crm, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "KEEP_SECONDS", 0.01)
    async with new_customer(crm, "Soon") as pilot:
        await until(pilot, lambda: len(files(crm)) == 1)
        await pilot.press(*keys)
        if keys[-1] == "ctrl+k":  # emptied again: there is nothing to keep
            await pilot.press("escape")
        await until(pilot, lambda: files(crm) == [])


async def test_a_session_that_ends_keeps_it(crm: Crm) -> None:
    async with new_customer(crm, "Half typed") as pilot:
        pilot.app.sign_out("The session is over.")  # type: ignore[attr-defined]
        await settled(pilot)
    assert len(files(crm)) == 1


async def test_it_is_one_persons(crm: Crm) -> None:
    await lose_new_customer(crm, "Half typed")
    async with after_login(crm, BOB) as pilot:
        await settled(pilot)
        assert OFFER not in screen_text(pilot.app)
        await press(pilot, "n")
        assert OFFER not in screen_text(pilot.app)
    assert len(files(crm)) == 1


async def test_it_expires(crm: Crm, clock: FrozenClock) -> None:
    await lose_new_customer(crm, "Half typed")
    clock.advance(timedelta(days=1))
    async with after_login(crm, ADA) as pilot:
        await until(pilot, lambda: "from 2026-" in screen_text(pilot.app))
    clock.advance(drafts.KEPT)
    async with after_login(crm, ADA) as pilot:
        await until(pilot, lambda: files(crm) == [])
        assert OFFER not in screen_text(pilot.app)


async def test_one_that_cannot_be_read_or_written_keeps_nobody_from_working(crm: Crm) -> None:
    await lose_new_customer(crm, "Half typed")
    files(crm)[0].write_text('{"place": 7}')
    async with new_customer(crm, "Next") as pilot:
        folder = files(crm)[0].parent
        files(crm)[0].unlink()
        folder.rmdir()
        folder.write_text("in the way")
        pilot.app._told_to_end(1)  # type: ignore[attr-defined]
        await press(pilot, "ctrl+s")


async def test_secrets_are_not_in_it(crm: Crm, admin: Actor) -> None:
    from omnicrm_tui.inventory.schemas import ItemInput

    secrets = [field.name for field in fields_of(ItemInput) if field.kind == "secret"]
    assert {"ki", "opc", "management_password"} <= set(secrets)

    async def save(_data: object) -> None: ...

    async with signed_in_app(crm, ADA) as pilot:
        form = FormDialog("New SIM", ItemInput, fields_of(ItemInput, ["itemtext1", *secrets]), save, about="new SIM")
        pilot.app.push_screen(form)
        await settled(pilot)
        for name in ("itemtext1", *secrets):
            form.form.control(name).value = f"typed-{name}"  # type: ignore[union-attr]
        form.keep_draft()
        written = files(crm)[0].read_text()
    assert "typed-itemtext1" in written
    assert not any(name in written for name in secrets)
