"""Users and roles by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import email_verification
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.models import User
from omnicrm_tui.identity.permissions import PERMISSIONS
from omnicrm_tui.identity.schemas import RoleInput, UserChange
from omnicrm_tui.listing import FIRST, ListQuery
from screens.choose import Choose
from screens.role_matrix import RoleMatrix, laid_out
from screens.user_forms import TemporaryPassword
from tests.screens.harness import LARGE, SMALL, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user

HERE = "192.0.2.7"
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@pytest.fixture
def team(crm: Crm, admin: Actor) -> Crm:
    """The administrator Ada (1), Bob of Support (2) and Eve of Finance and Support (3)."""
    add_user(crm, admin)
    for name, role in (("bob", "Support"), ("eve", "Finance, Support")):
        add_user(crm, admin, username=name, email=f"{name}@abc.example", first_name=name.title(), role=role)
    return crm


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys; a worker may wait for the answer to what they show."""
    await pilot.press(*keys)
    await settled(pilot, dialog=True)


def shows(pilot: Pilot[None], text: str) -> Callable[[], bool]:
    return lambda: text in screen_text(pilot.app)


def log_in(crm: Crm, name: str, password: str = PASSWORD) -> bool:
    """Log in; tell whether a password has to be chosen first."""
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.login(name, password, HERE).must_change_password


def logged(crm: Crm, admin: Actor) -> list[str]:
    with crm.reading(admin) as work:
        return [row.action for row in work.activity.window(ListQuery(descending=True), FIRST, 20).rows]


@SIZES
@pytest.mark.req("BIL-383", "PLT-213", "PLT-594", "PLT-219")
async def test_a_user_is_made_with_two_roles_and_a_password_that_is_shown_once(
    team: Crm, admin: Actor, size: tuple[int, int]
) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "n")
        for text in ("zoe", "zoe@mail.example", "Zoë", "", "Young", "+4790011223"):
            await type_text(pilot, text)
            await pilot.press("tab")
        await press(pilot, *("down", "down", "space", "down", "down", "space", "tab", "tab", "tab", "space", "ctrl+s"))
        await until(pilot, shows(pilot, "It is shown this once"))
        assert isinstance(pilot.app.screen, TemporaryPassword)
        [password] = re.findall(r"\S{12}", screen_text(pilot.app).partition("Temporary password")[2].split("│")[3])
        await press(pilot, "y")
        assert pilot.app.clipboard == password
        await press(pilot, "escape")
        await until(pilot, shows(pilot, "Users › Zoë Young #4"))
        seen = screen_text(pilot.app)
        assert "Finance, Support" in seen
        assert "to be changed at the next login" in seen
        assert password not in seen
    assert log_in(team, "zoe", password)
    with team.reading(admin) as work:
        assert [row.recipient for row in work.messaging.window(ListQuery(), FIRST, 5).rows] == ["zoe@mail.example"]


@pytest.mark.req("BIL-376", "BIL-383", "PLT-152")
async def test_a_customers_user_is_linked_to_the_contact_whose_number_is_shown(team: Crm, admin: Actor) -> None:
    add_people(team, admin)
    async with signed_in_app(team, admin, LARGE) as pilot:
        pilot.app.open_customer(1)  # type: ignore[attr-defined]
        await settled(pilot)
        await press(pilot, "2", "enter")
        [number] = re.findall(r"Number +(\d+)", screen_text(pilot.app))
        await press(pilot, "escape", "g", "u", "n")
        for text in ("lady", "lady@mail.example", "Ada", "", "Lovelace", "", "", ""):
            await type_text(pilot, text)
            await pilot.press("tab")
        await type_text(pilot, number)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, TemporaryPassword))
    with team.reading(admin) as work:
        seen = work.identity.user(4)
    assert (seen.roles, seen.contact_id) == (("Customer",), int(number))


@pytest.mark.req("BIL-378", "BIL-379")
async def test_a_customers_user_whose_contact_is_gone_stands_out_and_is_made_staff_by_choice(
    team: Crm, admin: Actor
) -> None:
    add_people(team, admin)
    with team.as_actor(admin) as work:
        work.identity.update_user(2, UserChange(contact_id=1))
        work.identity.update_user(2, UserChange(contact_id=None))
    async with signed_in_app(team, admin, LARGE, room="users") as pilot:
        assert re.search(r"Bob L.*customer +unlinked", screen_text(pilot.app))
        await press(pilot, "down", "enter")
        assert "may not log in: the contact" in screen_text(pilot.app)
        await press(pilot, "e", *["tab"] * 8, "space", "ctrl+s")
        await until(pilot, shows(pilot, "staff"))
    with team.reading(admin) as work:
        assert not work.identity.user(2).is_customer


@pytest.mark.req("BIL-383", "BIL-418")
async def test_what_is_wrong_stands_at_its_field(team: Crm, admin: Actor) -> None:
    async with signed_in_app(team, admin, LARGE, room="users") as pilot:
        await press(pilot, "n")
        for text in ("zoe", "nowhere", "Zoë", "", "Young"):
            await type_text(pilot, text)
            await pilot.press("tab")
        await press(pilot, "ctrl+s")
        assert "! is not an e-mail address" in screen_text(pilot.app)
        await type_text(pilot, "@mail.example")
        await press(pilot, "ctrl+s")
        assert "! names at least one role" in screen_text(pilot.app)


@pytest.mark.req("BIL-382", "PLT-206", "PLT-220")
async def test_the_list_is_searched_and_filtered_by_role_and_login(team: Crm, admin: Actor) -> None:
    log_in(team, "bob")
    async with signed_in_app(team, admin, LARGE, room="users") as pilot:
        seen = screen_text(pilot.app)
        for text in ("Bob L", "bob@abc.example", "Finance, Support", "never", "active"):
            assert text in seen
        await press(pilot, "f")
        assert "Domain: abc.example" in screen_text(pilot.app)
        await press(pilot, *["down"] * 2, "space", "escape")
        assert "1 of 1 · filtered" in screen_text(pilot.app)
        assert "Eve L" in screen_text(pilot.app)
        await press(pilot, "F", "f", *["down"] * 6, "space", "escape")
        seen = screen_text(pilot.app)
        assert "1 of 2 · filtered" in seen
        assert "Bob" not in seen
        await press(pilot, "F", "slash", *"bob", "enter")
        await until(pilot, shows(pilot, "1 of 1 · search: bob"))


@pytest.mark.req("PLT-207", "PLT-208", "PLT-209")
async def test_keys_are_offered_where_they_make_sense(team: Crm, admin: Actor) -> None:
    log_in(team, "bob")
    with team.as_actor(admin) as work:
        bob = work.session.get_one(User, 2)
        bob.is_2fa_enabled, bob.locked_until = True, team.clock.now() + timedelta(minutes=1)
    async with signed_in_app(team, admin, LARGE, room="users") as pilot:

        def offered() -> set[str]:
            words = {"Welcome", "Reset 2FA", "Delete", "Restore", "Edit", "Password", "Unlock"}
            keys = screen_text(pilot.app).splitlines()[-1]
            return {word for word in words if word in keys}

        always = {"Edit", "Password", "Delete"}
        assert offered() == always | {"Welcome"}
        await press(pilot, "down")
        assert offered() == always | {"Reset 2FA", "Unlock"}
        await press(pilot, "u", "y")
        await until(pilot, shows(pilot, "can log in again"))
        assert logged(team, admin)[0] == "User unlocked"
        await until(pilot, lambda: offered() == always | {"Reset 2FA"})
        await press(pilot, "t")
        await type_text(pilot, "Passport seen")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "with the password alone"))
        await until(pilot, lambda: offered() == always)
        assert logged(team, admin)[0] == "Second factor reset"
        await press(pilot, "down", "w", "y")
        await until(pilot, shows(pilot, "is on its way"))
        assert logged(team, admin)[0] == "Welcome mail sent"


@SIZES
@pytest.mark.req("BIL-385", "PLT-210", "BIL-430")
async def test_a_user_is_edited(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "down", "enter", "e")
        await type_text(pilot, "by")
        await pilot.press("tab", "tab", "tab")
        await type_text(pilot, ".org")
        await pilot.press("tab", "tab", *["down"] * 4, "space", "up", "up", "space")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "Bobby L"))
    with team.reading(admin) as work:
        seen = work.identity.user(2)
    assert (seen.first_name, seen.roles) == ("Bobby", ("Finance",))
    assert (seen.email, seen.pending_email) == ("bob@abc.example", "bob@abc.example.org")


@SIZES
@pytest.mark.req("PLT-212", "PLT-213", "BIL-396", "BIL-420")
async def test_a_password_is_made_or_typed(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "down", "p")
        assert "Reset the password of bob@abc.example" in screen_text(pilot.app)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, TemporaryPassword))
        await press(pilot, "y")
        assert log_in(team, "bob", pilot.app.clipboard)
        await press(pilot, "escape", "p")
        await type_text(pilot, "weak")
        await press(pilot, "ctrl+s")
        assert "! needs at least 8 characters" in screen_text(pilot.app)
        await type_text(pilot, "-Horse99A")
        await press(pilot, "tab", "space", "ctrl+s")
        await until(pilot, shows(pilot, "has a new password"))
    assert not log_in(team, "bob", "weak-Horse99A")


@SIZES
@pytest.mark.req("PLT-211", "BIL-431", "BIL-432", "BIL-434")
async def test_a_user_is_deleted_found_and_restored(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "down", "d")
        seen = " ".join(screen_text(pilot.app).replace("│", "").split())
        assert "Delete the user Bob L?" in seen
        assert "(bob@abc.example)" in seen
        await type_text(pilot, "Left us")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "1 of 2"))
        assert "bob@abc.example" not in screen_text(pilot.app)
        await press(pilot, "f", *["down"] * 14, "space", "escape")
        await until(pilot, shows(pilot, "bob@abc.example"))
        await press(pilot, "R", "y")
        await until(pilot, shows(pilot, "Bob L can log in again."))
    assert not log_in(team, "bob")


@pytest.mark.req("BIL-387", "PLT-217")
async def test_the_last_administrator_stays(team: Crm, admin: Actor) -> None:
    async with signed_in_app(team, admin, room="users") as pilot:
        await press(pilot, "d")
        await type_text(pilot, "Left us")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "nobody who may administer"))
        await press(pilot, "escape", "y", "2", "end", "d", "y")
        await until(pilot, shows(pilot, "nobody who may administer"))
        assert "System Admin" in screen_text(pilot.app)


@SIZES
@pytest.mark.req("BIL-384", "BIL-431")
async def test_sessions_are_seen_and_ended(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    for _ in range(3):
        log_in(team, "bob")
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "down", "enter", "2")
        await until(pilot, shows(pilot, "1 of 3"))
        assert HERE in screen_text(pilot.app)
        await press(pilot, "x", "n", "x", "y")
        await until(pilot, shows(pilot, "1 of 2"))
        await press(pilot, "X", "y")
        await until(pilot, shows(pilot, "No session is open."))
        assert "Sessions ended: 2" in screen_text(pilot.app)
        await press(pilot, "4")
        await until(pilot, shows(pilot, "All sessions ended by a"))


@SIZES
@pytest.mark.req("BIL-384", "BIL-374")
async def test_it_is_seen_what_a_user_may_do_and_through_which_role(
    team: Crm, admin: Actor, size: tuple[int, int]
) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "end", "enter", "3", "slash", *"view_product", "enter")
        await until(pilot, shows(pilot, "1 of 1"))
        [line] = [line for line in screen_text(pilot.app).splitlines() if "view_product" in line and "View" in line]
        assert line.split("view_product")[1].strip() == "Finance, Support"


@SIZES
@pytest.mark.req("BIL-386", "BIL-400", "BIL-404", "BIL-389")
async def test_a_role_is_made_and_its_matrix_filled_in(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "2", "n")
        await type_text(pilot, "Provisioning_Specialist")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, RoleMatrix))
        await press(pilot, *["down"] * 4, "space")
        assert "view_customer: View customers" in screen_text(pilot.app)
        assert "[x]*" in screen_text(pilot.app)
        await press(pilot, "end", "up", "asterisk", "ctrl+s")
        await until(pilot, shows(pilot, "Provisioning_Specialist"))
    with team.reading(admin) as work:
        role = next(one for one in work.identity.roles() if one.name == "Provisioning_Specialist")
    verbs = ("create", "delete", "update", "view", "view_own")
    assert set(role.permissions) == {"view_customer", *(f"{verb}_provision" for verb in verbs)}


@pytest.mark.req("BIL-386", "BIL-405", "BIL-454")
async def test_a_matrix_says_what_it_takes_away_and_from_how_many(team: Crm, admin: Actor) -> None:
    async with signed_in_app(team, admin, room="users") as pilot:
        await press(pilot, "2", "end", "up", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RoleMatrix))
        await press(pilot, "p", "enter")
        assert "With admin all else is allowed too" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "Leave without saving?" in screen_text(pilot.app)
        await press(pilot, "n", "ctrl+s")
        seen = screen_text(pilot.app)
        assert "31 permissions are taken away." in seen
        assert "2 users hold this role." in seen
        await press(pilot, "y")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RoleMatrix))
    with team.reading(admin) as work:
        role = next(one for one in work.identity.roles() if one.name == "Support")
    assert role.permissions == ("admin", "can_impersonate")


@pytest.mark.req("BIL-387", "BIL-402", "BIL-407")
async def test_a_role_is_renamed_its_users_are_shown_and_its_end_is_counted(team: Crm, admin: Actor) -> None:
    async with signed_in_app(team, admin, room="users") as pilot:
        await press(pilot, "2", "end", "up", "e")
        await type_text(pilot, " desk")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "Support desk"))
        await press(pilot, "u")
        await until(pilot, shows(pilot, "1 of 2 · filtered"))
        await press(pilot, "2", "d")
        seen = screen_text(pilot.app)
        assert "2 users lose what it gives." in seen
        assert "1 of them holds no other role" in seen
        await press(pilot, "y")
        await until(pilot, shows(pilot, "The role Support desk is deleted."))
    with team.reading(admin) as work:
        assert work.identity.user(2).roles == ()


async def test_who_may_not_administer_has_no_such_room(team: Crm) -> None:
    rights = frozenset(PERMISSIONS) - {"admin"}
    async with signed_in_app(team, Actor(ActorKind.STAFF, "bob", permissions=rights)) as pilot:
        await pilot.press("g")
        await pilot.pause()
        assert "Users" not in screen_text(pilot.app)
        await press(pilot, "escape")
        pilot.app.open_place("user", 1)  # type: ignore[attr-defined]
        await until(pilot, shows(pilot, "This needs the permission admin."))


@pytest.mark.req("BIL-453", "BIL-409")
def test_every_permission_has_its_cell() -> None:
    rows, cells = laid_out([*PERMISSIONS, "view_report", "fly"])
    assert sorted(cells.values()) == sorted([*PERMISSIONS, "view_report", "fly"])
    whole = [row for row in rows if row in cells.values()]
    assert {"admin", "can_impersonate", "fly"} <= set(whole)
    assert rows == [*sorted(whole), *sorted(rows[len(whole) :])]
    assert len(rows) - len(whole) == 18
    assert cells[rows.index("customer"), 4] == "view_own_customer"
    assert cells[rows.index("report"), 0] == "view_report"
    assert (rows.index("product"), 4) not in cells


async def test_a_change_by_somebody_else_is_seen_when_one_comes_back(team: Crm, admin: Actor) -> None:
    async with signed_in_app(team, admin, LARGE, room="users") as pilot:
        await press(pilot, "down", "enter")
        with team.as_actor(admin) as work:
            work.identity.update_user(2, UserChange(last_name="Newname"))
            work.identity.create_role(RoleInput(name="Brand New"))
        await press(pilot, "escape")
        await until(pilot, shows(pilot, "Bob Newname"))
        await press(pilot, "2")
        await until(pilot, shows(pilot, "Brand New"))


@SIZES
@pytest.mark.req("BIL-430", "BIL-385")
async def test_a_new_address_is_mailed_to_again_or_given_up(team: Crm, admin: Actor, size: tuple[int, int]) -> None:
    with team.as_actor(admin) as work:
        work.identity.update_user(2, UserChange(email="bob@new.example"))
    async with signed_in_app(team, admin, size, room="users") as pilot:
        await press(pilot, "down", "enter")
        await until(pilot, shows(pilot, "bob@new.example waits to be verified"))
        await press(pilot, "m", "enter")
        await until(pilot, lambda: "Verification mail sent again" in logged(team, admin))
        await until(pilot, lambda: not isinstance(pilot.app.screen, Choose))
        await press(pilot, "m", "down", "enter")
        await until(pilot, lambda: "waits to be verified" not in screen_text(pilot.app))
    with team.reading(admin) as work:
        assert work.identity.user(2).pending_email is None


@SIZES
@pytest.mark.req("BIL-430", "BIL-207")
async def test_one_verifies_the_own_address_with_the_mailed_code(
    team: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(email_verification, "new_code", lambda: "ABCD-EFGH-JKMN-PQRS")
    with team.as_actor(visitor(HERE)) as work:
        me = work.identity.login("ada", PASSWORD, HERE).actor
    assert me is not None
    async with signed_in_app(team, me, size) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "verify e-mail")
        await press(pilot, "enter")
        await until(pilot, shows(pilot, "Send me a code by mail"))
        await press(pilot, "down", "enter")
        await until(pilot, shows(pilot, "Code of the mail"))
        await type_text(pilot, "abcd efgh jkmn pqrt")
        await press(pilot, "ctrl+s")
        await until(pilot, shows(pilot, "is not valid"))
        await press(pilot, "backspace", "s", "ctrl+s")
        await until(pilot, lambda: "E-mail address verified" in logged(team, admin))
    with team.reading(admin) as work:
        assert work.identity.user(1).email_verified
