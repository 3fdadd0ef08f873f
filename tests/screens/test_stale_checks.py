"""A late check of who sits at the desk: the next person is neither signed out by it nor taken for the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event, Thread

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserChange
from omnicrm_tui.identity.service import IdentityService
from screens import desk as desks
from screens.desk import Desk, SignedOut
from screens.login import LoginScreen
from screens.sign_in import SignIn
from tests.screens.harness import settled, signed_in_app, until
from tests.screens.people import add_user


@dataclass
class People:
    """Two who may sit at one desk, and the check of the first, which waits."""

    crm: Crm
    admin: Actor
    ada: Actor
    zoe: Actor
    checking: Event
    may_go_on: Event

    def revoke_ada(self) -> None:
        """Let the check, when it goes on, find that ada is out."""
        with self.crm.as_actor(self.admin) as work:
            work.identity.update_user(self.ada.user_id or 0, UserChange(active=False))


@pytest.fixture
def people(crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    add_user(crm, admin, username="root", email="root@mail.example")
    ids = [add_user(crm, admin, username=name, email=f"{name}@mail.example") for name in ("ada", "zoe")]
    with crm.reading(admin) as work:
        ada, zoe = (work.identity.actor_of_user(user_id, "192.0.2.1") for user_id in ids)
    found = People(crm, admin, ada, zoe, Event(), Event())
    real = IdentityService.actor_of_user

    def slowly(service: IdentityService, user_id: int, source: str) -> Actor:
        if user_id == ada.user_id:
            found.checking.set()
            assert found.may_go_on.wait(20)
        return real(service, user_id, source)

    monkeypatch.setattr(desks, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(IdentityService, "actor_of_user", slowly)
    yield found
    found.may_go_on.set()


def looked(desk: Desk) -> list[str]:
    """Let somebody look at something, and tell how that ended."""
    try:
        desk.read_here(lambda work: work.customers)
    except SignedOut:
        return ["signed out"]
    return ["read"]


@pytest.mark.parametrize("revoked", [True, False], ids=["revoked", "not revoked"])
def test_the_next_person_stays_who_she_is(people: People, revoked: bool) -> None:
    desk = Desk(people.crm.settings, lambda _settings: people.crm)
    desk.open()
    desk.actor = people.ada
    ends = list[str]()
    late = Thread(target=lambda: ends.extend(looked(desk)))
    late.start()
    assert people.checking.wait(20)
    if revoked:
        people.revoke_ada()
    desk.actor = people.zoe
    people.may_go_on.set()
    late.join(20)
    assert ends == ["signed out" if revoked else "read"]
    assert desk.actor == people.zoe


@pytest.mark.req("BIL-374")
async def test_the_next_person_is_not_signed_out(people: People) -> None:
    async with signed_in_app(people.crm, people.zoe) as pilot:
        app = pilot.app
        app.desk.actor = people.ada  # type: ignore[attr-defined]
        late = asyncio.create_task(asyncio.to_thread(looked, app.desk))  # type: ignore[attr-defined]
        await until(pilot, people.checking.is_set)
        people.revoke_ada()
        app.sign_out()  # type: ignore[attr-defined]
        app.signed_in(people.zoe)  # type: ignore[attr-defined]
        people.may_go_on.set()
        assert await late == ["signed out"]
        await settled(pilot)
        assert not isinstance(app.screen, LoginScreen)
        assert app.desk.actor == people.zoe  # type: ignore[attr-defined]


async def test_a_session_that_could_not_be_renewed_ends_for_its_own_person_alone(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_sign_in: SignIn) -> bool:
        renewing.set()
        await may_go_on.wait()
        return False

    monkeypatch.setattr(SignIn, "renew", slowly)
    people.may_go_on.set()
    async with signed_in_app(people.crm, people.ada) as pilot:
        app = pilot.app
        app._renew_session()  # type: ignore[attr-defined]
        await renewing.wait()
        app.sign_out()  # type: ignore[attr-defined]
        app.signed_in(people.zoe)  # type: ignore[attr-defined]
        may_go_on.set()
        await settled(pilot)
        assert app.desk.actor == people.zoe  # type: ignore[attr-defined]
        app._renew_session()  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
