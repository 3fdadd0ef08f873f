"""Where one begins after logging in: in what the permissions open, never before a refusal (PLT-172..175)."""

from __future__ import annotations

from typing import cast

import pytest
from textual.pilot import Pilot

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.permissions import CUSTOMER_ROLE, ROLE_DESIGNS
from omnicrm_tui.identity.schemas import PermissionInput, RoleInput, RolePermissions, UserChange
from screens import rooms
from screens.base import CrmScreen
from screens.customer import CustomerScreen
from screens.nowhere import NowhereScreen
from screens.seat import Seat
from tests.screens.harness import SMALL, make_app, press, screen_text, settled, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user

STAFF = [design.name for design in ROLE_DESIGNS if not design.name.startswith("Customer")]
CUSTOMERS = ["Customer Admin", CUSTOMER_ROLE]
REFUSED = "needs the permission"


@pytest.fixture
def people(crm: Crm, admin: Actor) -> Crm:
    add_people(crm, admin)
    add_user(crm, admin, username="root", email="root@mail.example")
    return crm


def own_contact(crm: Crm, admin: Actor) -> int:
    """Return a contact of the second customer."""
    with crm.as_actor(admin) as work:
        return work.customers.add_contact(2, ContactInput(contact_firstname="Bold")).contact_id


def give(crm: Crm, admin: Actor, *permissions: str) -> None:
    """Make the user `ada` with a role that holds these permissions alone."""
    with crm.as_actor(admin) as work:
        role = work.identity.create_role(RoleInput(name="narrow"))
        for name in {"view_status", "manage_api_keys"} & set(permissions):
            work.identity.create_permission(PermissionInput(name=name))
        work.identity.change_permissions(role.id, RolePermissions(add=list(permissions)))
    add_user(crm, admin, role="narrow")


async def log_in(pilot: Pilot[None]) -> OmniCrmApp:
    await settled(pilot)
    await type_text(pilot, "ada")
    await press(pilot, "tab", *PASSWORD, "enter")
    app = cast(OmniCrmApp, pilot.app)
    await until(pilot, lambda: app.current_mode != rooms.LOGIN)
    await settled(pilot)
    return app


def at_rest(app: OmniCrmApp) -> CrmScreen:
    assert REFUSED not in screen_text(app)
    assert not [one.message for one in app._notifications if one.severity != "information"]
    return cast(CrmScreen, app.screen)


@pytest.mark.req("PLT-172", "PLT-175")
@pytest.mark.parametrize("role", STAFF)
async def test_every_shipped_role_of_staff_begins_with_the_customers(people: Crm, admin: Actor, role: str) -> None:
    add_user(people, admin, role=role)
    async with make_app(people).run_test(size=SMALL) as pilot:
        app = await log_in(pilot)
        assert (app.current_mode, len(app.screen_stack)) == ("customers", 1)
        at_rest(app)
        assert "1 of 6" in screen_text(app)


@pytest.mark.parametrize(
    "room", [room for room in rooms.ROOMS if room.permission != "admin"], ids=lambda room: room.name
)
async def test_who_may_enter_one_room_alone_begins_in_it(people: Crm, admin: Actor, room: rooms.Room) -> None:
    give(people, admin, room.permission)
    async with make_app(people).run_test(size=SMALL) as pilot:
        app = await log_in(pilot)
        assert app.current_mode == room.name
        at_rest(app)


@pytest.mark.req("PLT-174")
@pytest.mark.parametrize("role", CUSTOMERS)
async def test_a_customers_user_begins_with_its_own_page(people: Crm, admin: Actor, role: str) -> None:
    add_user(people, admin, role=role, contact_id=own_contact(people, admin))
    async with make_app(people).run_test(size=SMALL) as pilot:
        app = await log_in(pilot)
        assert isinstance(at_rest(app), CustomerScreen)
        assert "Bold & Sons" in screen_text(app)
        assert "Lovelace" not in screen_text(app)
        await press(pilot, "escape")
        assert "1 of 1" in screen_text(app)
        at_rest(app)


async def test_a_customers_user_without_a_view_of_it_begins_with_what_it_has(people: Crm, admin: Actor) -> None:
    give(people, admin, "view_own_customer_service")
    with people.as_actor(admin) as work:
        work.identity.update_user(2, UserChange(contact_id=own_contact(people, admin)))
    async with make_app(people).run_test(size=SMALL) as pilot:
        app = await log_in(pilot)
        assert (app.current_mode, len(app.screen_stack)) == ("services", 1)
        at_rest(app)


@pytest.mark.parametrize("permission", ["create_customer", "create_cbc_message"])
async def test_who_may_enter_no_room_is_told_so_and_can_leave(people: Crm, admin: Actor, permission: str) -> None:
    give(people, admin, permission)
    async with make_app(people).run_test(size=SMALL) as pilot:
        app = await log_in(pilot)
        assert isinstance(at_rest(app), NowhereScreen)
        assert "none of your roles opens a room" in screen_text(app)
        await press(pilot, "escape", "colon")
        await type_text(pilot, "log out")
        await press(pilot, "enter")
        await until(pilot, lambda: app.current_mode == rooms.LOGIN)


@pytest.mark.req("PLT-174", "PLT-175", "PLT-177")
@pytest.mark.parametrize(
    ("permissions", "contact", "room", "kind"),
    [
        (("view_status",), False, "status", CrmScreen),
        (("view_own_customer",), True, "customers", CustomerScreen),
        (("view_customer",), False, "customers", CrmScreen),
    ],
)
async def test_a_remembered_session_begins_in_the_same_place(
    people: Crm, admin: Actor, permissions: tuple[str, ...], contact: bool, room: str, kind: type[CrmScreen]
) -> None:
    give(people, admin, *permissions)
    if contact:
        with people.as_actor(admin) as work:
            work.identity.update_user(2, UserChange(contact_id=own_contact(people, admin)))
    with people.as_actor(visitor("127.0.0.1")) as work:
        tokens = work.identity.login("ada", PASSWORD, "127.0.0.1", remember=True).tokens
    session = Seat(people.settings.home, {}).session
    assert tokens is not None
    assert session is not None
    session.remember(tokens.refresh_token)
    app = make_app(people)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: app.desk.actor is not None and app.current_mode == room)
        await until(pilot, lambda: isinstance(app.screen, kind))
        await settled(pilot)
        assert isinstance(at_rest(app), kind)
        assert len(app.screen_stack) == (2 if contact else 1)
