"""Users, roles and machines through the service, on all three databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import RoleChange, RoleInput, RolePermissions, UserChange, UserInput
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.settings import ApiKey, WhitelistEntry

from .conftest import HERE, PASSWORD, AddUser

KEY = "k" * 40


def with_settings(crm: Crm, **more: object) -> Crm:
    return Crm(crm.settings.model_copy(update=more), crm.engine, crm.clock, crm.vault)


@pytest.mark.req("BIL-380", "BIL-381", "BIL-401", "BIL-408", "BIL-453")
def test_the_catalogue_is_made_once_and_the_operators_changes_stay(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        finance = next(role for role in work.identity.roles() if role.name == "Finance")
        product = next(one for one in work.identity.permissions() if one.name == "view_product")
        work.identity.remove_permission(finance.id, product.id)
    with any_crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        assert len(work.identity.permissions()) == 84
        roles = {role.name: role for role in work.identity.roles()}
    assert len(roles) == 6
    assert "view_product" not in roles["Finance"].permissions
    assert roles["System Admin"].permissions == ("admin", "can_impersonate")


@pytest.mark.req("BIL-382", "BIL-391", "BIL-392")
def test_users_are_listed_searched_and_filtered(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    ids = [add_user(any_crm, name, role) for name, role in (("carl", "Support"), ("ada", "Finance, Support"))]
    ids += [add_user(any_crm, "bob", "Finance")]
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(ids[2])

    def names(**query: object) -> list[str]:
        with any_crm.reading(admin) as work:
            page = work.identity.page(ListQuery(**query), 1, 10)  # type: ignore[arg-type]
            assert page.total == work.identity.count(ListQuery(**query)).value  # type: ignore[arg-type]
            return [row.username for row in page.rows]

    assert names() == ["ada", "carl"]
    assert names(descending=True) == ["carl", "ada"]
    assert names(search="ADA@") == ["ada"]
    assert names(filters={"role": ["finance"]}) == ["ada"]
    assert names(filters={"deleted": ["true"]}) == ["bob"]
    assert names(filters={"active": ["false"]}) == []
    with any_crm.reading(admin) as work:
        rows = work.identity.window(ListQuery(), FIRST, 1).rows
    assert [(row.username, row.roles) for row in rows] == [("ada", ("Finance", "Support"))]


@pytest.mark.req("BIL-379", "BIL-383", "BIL-390", "BIL-393")
def test_a_user_needs_a_free_name_a_good_password_and_a_known_role(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm, "Ada")
    with any_crm.reading(admin) as work:
        seen = work.identity.user(user_id)
    assert (seen.username, seen.email, seen.roles) == ("ada", "ada@mail.example", ("Support",))
    assert "view_customer" in seen.permissions
    assert PASSWORD not in repr(seen)
    for refused, more in (
        (Conflict, {"username": "ADA", "email": "other@mail.example"}),
        (Conflict, {"username": "ada@mail.example", "email": "other@mail.example"}),
        (Conflict, {"username": "other", "email": "ADA@mail.example"}),
        (InvalidInput, {"username": "other", "email": "other@mail.example", "password": "weak"}),
        (InvalidInput, {"username": "other", "email": "other@mail.example", "role": "Pilot"}),
        (InvalidInput, {"username": "other", "email": "other@mail.example", "role": ""}),
        (InvalidInput, {"username": "other", "email": "other@mail.example", "contact_id": 99}),
    ):
        with pytest.raises(refused):
            add_user(any_crm, **more)


@pytest.mark.req("BIL-394", "BIL-430", "PLT-210")
def test_a_change_is_logged_and_a_new_address_waits(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    with any_crm.as_actor(admin) as work:
        change = UserChange(first_name="Augusta", email="New@mail.example", role=["Finance"], version=1)
        seen = work.identity.update_user(user_id, change)
    assert (seen.first_name, seen.email, seen.pending_email) == ("Augusta", "ada@mail.example", "new@mail.example")
    assert (seen.roles, seen.version) == (("Finance",), 2)
    with any_crm.reading(admin) as work:
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1).rows[0]
    assert entry.details["role"] == {"old": "Support", "new": "Finance"}
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(first_name="Ada", version=1))
    with pytest.raises(NotFound), any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id + 1, UserChange(first_name="Ada"))


@pytest.mark.req("BIL-387", "BIL-403", "BIL-405")
def test_the_last_administrator_cannot_be_removed_in_any_way(
    any_crm: Crm, admin: Actor, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    _customer, contact_id = add_contact(any_crm)
    first = add_user(any_crm, "root", "System Admin")
    with any_crm.reading(admin) as work:
        role = next(role for role in work.identity.roles() if role.name == "System Admin")
        permission = next(one for one in work.identity.permissions() if one.name == "admin")
    for remove in (
        lambda work: work.identity.delete_user(first),
        lambda work: work.identity.update_user(first, UserChange(active=False)),
        lambda work: work.identity.update_user(first, UserChange(role=["Support"])),
        lambda work: work.identity.delete_role(role.id),
        lambda work: work.identity.remove_permission(role.id, permission.id),
        lambda work: work.identity.change_permissions(role.id, RolePermissions(remove=["admin"])),
        lambda work: work.identity.update_user(first, UserChange(contact_id=contact_id)),
    ):
        with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
            remove(work)
    second = add_user(any_crm, "second", "System Admin")
    with any_crm.as_actor(admin) as work:
        assert work.identity.first_admin_id() == first
        work.identity.delete_user(first)
        assert work.identity.first_admin_id() == second


@pytest.mark.req("BIL-386", "BIL-400", "BIL-402", "BIL-403", "BIL-404", "BIL-407", "BIL-389")
def test_a_role_starts_empty_grows_and_is_deleted_with_its_assignments(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    add_user(any_crm, "ada", "Support")
    with any_crm.as_actor(admin) as work:
        role = work.identity.create_role(RoleInput(name="Provisioning_Specialist"))
        assert role.permissions == ()
        wanted = [one.id for one in work.identity.permissions() if one.name in ("view_customer", "create_provision")]
        work.identity.add_permissions(role.id, wanted)
        work.identity.add_permissions(role.id, wanted[:1])
        work.identity.update_role(role.id, RoleChange(description="Builds services"))
    user_id = add_user(any_crm, "bob", "provisioning_specialist")
    with any_crm.reading(admin) as work:
        seen = work.identity.role(role.id)
    assert (seen.permissions, seen.users) == (("create_provision", "view_customer"), ("bob",))
    assert seen.description == "Builds services"
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.identity.create_role(RoleInput(name="support"))
    with pytest.raises(NotFound), any_crm.as_actor(admin) as work:
        work.identity.add_permissions(role.id, [999])
    with any_crm.as_actor(admin) as work:
        work.identity.delete_role(role.id)
        assert work.identity.user(user_id).permissions == ()


@pytest.mark.req("BIL-464", "PLT-226")
def test_only_an_administrator_manages_users_and_roles(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    agent = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_customer"}))
    for use in (
        lambda work: work.identity.window(ListQuery(), FIRST, 5),
        lambda work: work.identity.user(1),
        lambda work: work.identity.roles(),
        lambda work: work.identity.permissions(),
        lambda work: work.identity.ensure_catalogue(),
        lambda work: work.identity.delete_user(1),
        lambda work: work.identity.reset_password(1),
        lambda work: work.identity.create_role(RoleInput(name="Mine")),
    ):
        with pytest.raises(NotPermitted), crm.as_actor(agent) as work:
            use(work)


@pytest.mark.req("SVC-083", "SVC-079", "CAT-179", "PLT-454", "SVC-142")
def test_an_api_key_acts_with_its_roles_and_permissions_as_the_first_administrator(
    any_crm: Crm, add_user: AddUser
) -> None:
    first = add_user(any_crm, "root", "System Admin")
    keys = {
        KEY: ApiKey(roles=["finance", "create_provision", "unknown"], description="billing sync"),
        "m" * 40: ApiKey(roles=["admin"], ips=["10.0.1.0/24"]),
    }
    crm = with_settings(any_crm, api_keys=keys)
    with crm.reading(visitor(HERE)) as work:
        actor = work.identity.actor_of_api_key(KEY, HERE)
        assert work.identity.actor_of_api_key("m" * 40, "10.0.1.9").may("delete_customer")
        for key, source in ((KEY + "k", HERE), ("", HERE), ("m" * 40, "10.0.2.9")):
            with pytest.raises(NotAuthenticated) as refused:
                work.identity.actor_of_api_key(key, source)
            assert refused.value.message == "Invalid API key"
    assert (actor.kind, actor.user_id, actor.name) == (ActorKind.MACHINE, first, "API key billing sync")
    assert {"view_customer_invoice", "create_provision"} <= actor.permissions
    assert not actor.may("update_inventory")


@pytest.mark.req("SVC-084", "PLT-455", "SVC-141", "CAT-181")
def test_a_whitelisted_address_needs_no_credential_and_this_host_never_is(any_crm: Crm, add_user: AddUser) -> None:
    first = add_user(any_crm, "root", "System Admin")
    entries = {
        "10.0.1.0/24": WhitelistEntry(roles=["Support"]),
        "10.0.1.7": WhitelistEntry(roles=["view_cbc_message"]),
        "127.0.0.0/8": WhitelistEntry(roles=["admin"]),
        "::1": WhitelistEntry(roles=["admin"]),
    }
    crm = with_settings(any_crm, ip_whitelist=entries)
    with crm.reading(visitor(HERE)) as work:
        actor = work.identity.actor_of_address("10.0.1.7")
        assert actor is not None
        assert (actor.kind, actor.user_id) == (ActorKind.MACHINE, first)
        assert actor.may("create_provision")
        assert actor.may("view_cbc_message")
        for source in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.2.1", "nonsense"):
            assert work.identity.actor_of_address(source) is None


@pytest.mark.req("BIL-418", "BIL-396", "PLT-594", "PLT-595")
def test_an_administrators_reset_keeps_the_rules(crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(crm)
    with pytest.raises(InvalidInput) as refused, crm.as_actor(admin) as work:
        work.identity.set_password(user_id, "weak")
    assert "new_password" in refused.value.fields
    with crm.as_actor(admin) as work:
        work.identity.set_password(user_id, "Other-Horse9")
        assert work.identity.user(user_id).force_password_change
        shown_once = work.identity.reset_password(user_id)
        logged = work.activity.window(ListQuery(descending=True), FIRST, 9).rows
    resets = [row for row in logged if row.action == "Password reset by an administrator"]
    assert [(row.object_type, row.object_id) for row in resets] == [("user", user_id)] * 2
    with crm.as_actor(visitor(HERE)) as work:
        assert work.identity.login("ada", shown_once, HERE).must_change_password


def test_blanks_belong_to_a_password(crm: Crm, admin: Actor, add_user: AddUser) -> None:
    spaced = "  Right-Horse9 "
    assert (
        UserInput(
            username="x", email="x@mail.example", password=spaced, first_name="x", last_name="x"
        ).password.get_secret_value()
        == spaced
    )  # type: ignore[arg-type]
    add_user(crm, password=spaced)
    with crm.as_actor(visitor(HERE)) as work:
        assert work.identity.login("ada", spaced, HERE).tokens
    with pytest.raises(NotAuthenticated), crm.as_actor(visitor(HERE)) as work:
        work.identity.login("ada", spaced.strip(), HERE)


@pytest.mark.req("BIL-378")
def test_a_customers_user_cannot_read_users(
    crm: Crm, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    customer_id, contact_id = add_contact(crm)
    user_id = add_user(crm, "zoe", role="", contact_id=contact_id)
    own = Actor(ActorKind.CUSTOMER, "zoe", permissions=frozenset({"admin"}), own_customer_id=customer_id)
    with crm.reading(own) as work, pytest.raises(NotFound):
        work.identity.user(user_id)
