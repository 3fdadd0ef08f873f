"""Acting as another user: who may, as whom, for how long, and what it leaves behind, on all three databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from omnicrm_tui.activity.models import ActivityEntry
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AlreadyActing, Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.access import UNLINKED
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor, visitor
from omnicrm_tui.identity.permissions import clean_up_only
from omnicrm_tui.identity.schemas import Impersonation, ImpersonationEnd, ImpersonationRow, UserChange
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.models import OutboxMessage
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.work import Work

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import login, refresh, together, who
from .test_job_tokens import add_job

pytestmark = pytest.mark.req("SVC-361", "SVC-370")


class Cast(NamedTuple):
    """Sam of support, who may act as others, and Zoë, a customer's user; their ids."""

    sam: int
    zoe: int
    customer: int
    contact: int


@pytest.fixture
def cast(any_crm: Crm, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]], admin: Actor) -> Cast:
    customer, contact = add_contact(any_crm)
    add_user(any_crm, "root", "System Admin")
    sam = add_user(any_crm, "sam", "Support")
    allow(any_crm, admin, "Support", "can_impersonate")
    return Cast(sam, add_user(any_crm, "zoe", role="Customer", contact_id=contact), customer, contact)


def allow(crm: Crm, admin: Actor, role: str, permission: str) -> None:
    with crm.as_actor(admin) as work:
        wanted = next(one for one in work.identity.role_list() if one.name == role)
        permissions = {one.name: one.id for one in work.identity.permissions()}
        work.identity.add_permissions(wanted.id, [permissions[permission]])


def logged_in(crm: Crm, name: str) -> Actor:
    actor = login(crm, name).actor
    assert actor is not None
    return actor


def act(crm: Crm, actor: Actor, target: int, purpose: str = "") -> Impersonation:
    with crm.as_actor(actor) as work:
        return work.impersonation.start(target, purpose)


def stop(crm: Crm, actor: Actor) -> ImpersonationEnd:
    with crm.as_actor(actor) as work:
        return work.impersonation.stop()


def log_of(crm: Crm, admin: Actor, **filters: str) -> list[ImpersonationRow]:
    query = ListQuery(filters={name: [value] for name, value in filters.items()})
    with crm.reading(admin) as work:
        return list(work.impersonation.page(query, 1, 50).rows)


def again(crm: Crm, actor: Actor) -> Actor:
    with crm.reading(visitor(HERE)) as work:
        return work.identity.actor_again(actor)


@contextmanager
def configured(crm: Crm, **changed: object) -> Iterator[None]:
    before = crm.settings
    security = before.security.model_copy(update=changed)
    crm.settings = before.model_copy(update={"security": security})
    try:
        yield
    finally:
        crm.settings = before


@pytest.mark.req("SVC-363", "SVC-364", "SVC-369", "SVC-372", "SVC-374", "SVC-375", "BIL-416", "BIL-417", "BIL-501")
def test_staff_act_with_the_targets_permissions_and_come_back(
    any_crm: Crm, admin: Actor, clock: FrozenClock, cast: Cast
) -> None:
    zoes_own = login(any_crm, "zoe").tokens
    assert zoes_own is not None
    sam = logged_in(any_crm, "sam")
    begun = act(any_crm, sam, cast.zoe, "wants to see the bill")
    acting = who(any_crm, begun.tokens.access_token)
    assert acting == begun.actor
    assert (acting.kind, acting.user_id, acting.own_customer_id) == (ActorKind.CUSTOMER, cast.zoe, cast.customer)
    assert (acting.real_user_id, acting.real_name, acting.name) == (cast.sam, "sam", "zoe")
    assert acting.permissions == again(any_crm, logged_in(any_crm, "zoe")).permissions
    assert not acting.may("update_customer")
    assert sam.may("update_customer")
    assert who(any_crm, zoes_own.access_token).real_user_id is None
    clock.advance(timedelta(minutes=14))
    ended = stop(any_crm, acting)
    assert ended.duration_seconds == 840
    assert who(any_crm, ended.tokens.access_token) == again(any_crm, sam) == ended.actor
    with pytest.raises(NotAuthenticated):
        again(any_crm, acting)
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, begun.tokens.refresh_token)
    assert refresh(any_crm, zoes_own.refresh_token)
    [row] = log_of(any_crm, admin)
    assert (row.impersonating_user_id, row.impersonating_name) == (cast.sam, "sam")
    assert (row.target_user_id, row.target_name, row.customer_id) == (cast.zoe, "zoe", cast.customer)
    assert (row.impersonation_duration, row.end_reason) == (840, "stopped")
    assert (row.purpose, row.source_address) == ("wants to see the bill", HERE)


@pytest.mark.req("SVC-371", "SVC-378", "SVC-381", "BIL-502")
def test_both_are_in_the_log_and_the_customer_sees_it(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    acting = act(any_crm, logged_in(any_crm, "sam"), cast.zoe, "a lost letter").actor
    with any_crm.as_actor(acting) as work:
        work.activity.record("customer", cast.customer, "Looked", customer_id=cast.customer)
    stop(any_crm, acting)
    with any_crm.reading(logged_in(any_crm, "zoe")) as work:
        seen = work.activity.window(ListQuery(sort="activity_id"), FIRST, 50, cast.customer).rows
    told = {row.action: row for row in seen}
    looked = told["Looked"]
    assert (looked.user_id, looked.impersonating_user_id, looked.actor_name) == (cast.zoe, cast.sam, "sam → zoe")
    began, ended = told["Acting as another user began"], told["Acting as another user ended"]
    assert began.actor_name == ended.actor_name == "sam"
    assert began.details["purpose"]["new"] == "a lost letter"
    assert began.details["user"]["new"] == "zoe"
    with any_crm.reading(admin) as work:
        assert work.activity.verify_chain().problem is None


@pytest.mark.req("SVC-362", "BIL-502")
@pytest.mark.parametrize("name", ["zoe", "fay"])
def test_who_has_not_the_permission_may_not(any_crm: Crm, add_user: AddUser, cast: Cast, name: str) -> None:
    add_user(any_crm, "fay", "Finance")
    with pytest.raises(NotPermitted, match="can_impersonate"):
        act(any_crm, logged_in(any_crm, name), cast.sam)


@pytest.mark.req("SVC-362")
def test_it_is_for_a_person_of_staff_who_logged_in(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    for kind in (ActorKind.MACHINE, ActorKind.JOB, ActorKind.SYSTEM):
        with pytest.raises(NotPermitted, match="logged in"):
            act(any_crm, Actor(kind, "x", cast.sam, frozenset({"admin"}), session_id="0" * 32), cast.zoe)
    with pytest.raises(NotPermitted, match="logged in"):
        act(any_crm, admin, cast.zoe)
    allow(any_crm, admin, "Customer", "can_impersonate")
    with pytest.raises(NotPermitted, match="logged in"):
        act(any_crm, logged_in(any_crm, "zoe"), cast.sam)


@pytest.mark.req("SVC-373")
def test_nobody_acts_as_two(any_crm: Crm, add_user: AddUser, cast: Cast) -> None:
    fay = add_user(any_crm, "fay", "Read-only Auditor")
    sam, elsewhere = logged_in(any_crm, "sam"), logged_in(any_crm, "sam")
    acting = act(any_crm, sam, cast.zoe).actor
    for actor in (sam, elsewhere):
        with pytest.raises(AlreadyActing, match="zoe"):
            act(any_crm, actor, cast.zoe)
    with pytest.raises((AlreadyActing, NotPermitted)):
        act(any_crm, acting, fay)
    assert stop(any_crm, elsewhere).actor == again(any_crm, elsewhere)
    with pytest.raises(NotAuthenticated):
        again(any_crm, acting)
    with pytest.raises(Conflict):
        stop(any_crm, sam)


@pytest.mark.req("SVC-373")
def test_of_two_at_the_same_moment_one_begins(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    people = [logged_in(any_crm, "sam") for _ in range(2)]
    won: list[Impersonation] = []
    lost: list[Exception] = []

    def begin(actor: Actor) -> None:
        try:
            won.append(act(any_crm, actor, cast.zoe))
        except Conflict as error:
            lost.append(error)

    together([lambda actor=actor: begin(actor) for actor in people])  # type: ignore[misc]
    assert (len(won), len(lost)) == (1, 1)
    assert len(log_of(any_crm, admin)) == 1


@pytest.mark.req("SVC-377")
def test_administrators_only_where_the_configuration_allows_it(any_crm: Crm, cast: Cast) -> None:
    root = logged_in(any_crm, "root")
    with any_crm.reading(root) as work:
        other = work.identity.user_by_login("root").id
    sam = logged_in(any_crm, "sam")
    with pytest.raises(NotPermitted, match="administrator"):
        act(any_crm, sam, other)
    with configured(any_crm, impersonate_administrators=True), pytest.raises(NotPermitted, match="may not: admin"):
        act(any_crm, sam, other)


@pytest.mark.req("SVC-377", "BIL-503")
def test_an_administrator_acted_as_keeps_its_password_users_and_keys(
    any_crm: Crm, add_user: AddUser, cast: Cast
) -> None:
    boss = add_user(any_crm, "boss", "System Admin")
    with configured(any_crm, impersonate_administrators=True):
        acting = act(any_crm, logged_in(any_crm, "root"), boss).actor
        assert acting.may("admin")
        tries: list[Callable[[Work], object]] = [
            lambda work: work.identity.set_password(boss, "Other-Horse9"),
            lambda work: work.identity.reset_password(cast.zoe),
            lambda work: work.identity.reset_second_factor(cast.zoe),
            lambda work: work.identity.update_user(boss, UserChange(email="mine@mail.example")),
            lambda work: work.identity.end_all_sessions(boss),
            lambda work: work.second_factor.enable(boss, PASSWORD),
            lambda work: work.second_factor.confirm(boss, "123456"),
            lambda work: work.second_factor.regenerate_backup_codes(boss),
            lambda work: work.second_factor.reset_for_new_device(boss, "12345678"),
        ]
        for attempt in tries:
            with pytest.raises(NotPermitted, match="out of reach"), any_crm.as_actor(acting) as work:
                attempt(work)
        with any_crm.as_actor(acting) as work:
            assert work.identity.user(boss).email == "boss@mail.example"
    # The configuration changed: what it allowed before is over.
    with pytest.raises(NotAuthenticated):
        again(any_crm, acting)


@pytest.mark.req("SVC-372")
def test_nobody_gets_rights_by_it(any_crm: Crm, admin: Actor, add_user: AddUser, cast: Cast) -> None:
    fay = add_user(any_crm, "fay", "Finance")
    with pytest.raises(NotPermitted, match="fay may do what you may not: create_customer_invoice"):
        act(any_crm, logged_in(any_crm, "sam"), fay)
    allow(any_crm, admin, "Support", "create_customer_invoice")
    acting = act(any_crm, logged_in(any_crm, "sam"), fay).actor
    assert not acting.may("update_customer")
    allow(any_crm, admin, "Finance", "delete_customer")
    with pytest.raises(NotAuthenticated):
        again(any_crm, acting)


@pytest.mark.req("SVC-363")
def test_who_may_not_log_in_is_nobody_to_act_as(any_crm: Crm, admin: Actor, add_user: AddUser, cast: Cast) -> None:
    sam = logged_in(any_crm, "sam")
    with pytest.raises(NotFound):
        act(any_crm, sam, 987_654)
    with pytest.raises(Conflict, match="you"):
        act(any_crm, sam, cast.sam)
    gone = add_user(any_crm, "gone", "Read-only Auditor")
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(gone)
    with pytest.raises(Conflict, match="may not log in"):
        act(any_crm, sam, gone)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(cast.zoe, UserChange(contact_id=None))
    with pytest.raises(Conflict, match=UNLINKED):
        act(any_crm, sam, cast.zoe)


@pytest.mark.req("SVC-374")
def test_a_temporary_password_and_a_due_second_factor_are_no_hindrance(
    any_crm: Crm, admin: Actor, add_user: AddUser, cast: Cast
) -> None:
    with any_crm.as_actor(admin) as work:
        work.identity.set_password(cast.zoe, "Other-Horse9", force_change=True)
    acting = act(any_crm, logged_in(any_crm, "sam"), cast.zoe).actor
    assert again(any_crm, acting).may("view_own_customer")


@pytest.mark.req("SVC-376")
@pytest.mark.parametrize("minutes", [20, 90])
def test_it_ends_at_the_time_limit(any_crm: Crm, admin: Actor, clock: FrozenClock, cast: Cast, minutes: int) -> None:
    with configured(any_crm, impersonation_minutes=minutes):
        begun = act(any_crm, logged_in(any_crm, "sam"), cast.zoe)
    assert begun.ends - begun.impersonation_start == timedelta(minutes=minutes)
    clock.advance(timedelta(minutes=minutes, seconds=-1))
    assert again(any_crm, begun.actor)
    clock.advance(timedelta(minutes=5, seconds=1))
    with pytest.raises(NotAuthenticated):
        again(any_crm, begun.actor)
    with any_crm.as_actor(admin) as work:
        assert work.impersonation.settle() == 1
    with any_crm.as_actor(admin) as work:
        assert work.impersonation.settle() == 0
    [row] = log_of(any_crm, admin)
    assert (row.impersonation_end, row.impersonation_duration, row.end_reason) == (
        begun.ends,
        minutes * 60,
        "time limit",
    )


@pytest.mark.req("SVC-376", "BIL-503")
def test_it_ends_without_use(any_crm: Crm, clock: FrozenClock, cast: Cast) -> None:
    begun = act(any_crm, logged_in(any_crm, "sam"), cast.zoe)
    clock.advance(timedelta(minutes=29))
    used = refresh(any_crm, begun.tokens.refresh_token)
    assert who(any_crm, used.access_token).real_user_id == cast.sam
    clock.advance(timedelta(minutes=30))
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, used.refresh_token)


def _sign_out(crm: Crm, _admin: Actor, sam: str, _cast: Cast) -> None:
    with crm.as_actor(visitor(HERE)) as work:
        work.identity.logout(sam)


def _delete_sam(crm: Crm, admin: Actor, _sam: str, cast: Cast) -> None:
    with crm.as_actor(admin) as work:
        work.identity.delete_user(cast.sam)


def _new_password(crm: Crm, admin: Actor, _sam: str, cast: Cast) -> None:
    with crm.as_actor(admin) as work:
        work.identity.set_password(cast.sam, "Other-Horse9")


def _delete_zoe(crm: Crm, admin: Actor, _sam: str, cast: Cast) -> None:
    with crm.as_actor(admin) as work:
        work.identity.delete_user(cast.zoe)


def _end_all_of_zoe(crm: Crm, admin: Actor, _sam: str, cast: Cast) -> None:
    with crm.as_actor(admin) as work:
        assert [one.real_name for one in work.identity.sessions_of(cast.zoe)] == ["sam"]
        work.identity.end_all_sessions(cast.zoe)


@pytest.mark.parametrize("end", [_sign_out, _delete_sam, _new_password, _delete_zoe, _end_all_of_zoe])
def test_it_ends_with_the_session_or_the_right_of_either(
    any_crm: Crm, admin: Actor, cast: Cast, end: Callable[[Crm, Actor, str, Cast], None]
) -> None:
    own = login(any_crm, "sam")
    assert own.actor is not None
    assert own.tokens is not None
    begun = act(any_crm, own.actor, cast.zoe)
    end(any_crm, admin, own.tokens.refresh_token, cast)
    with pytest.raises(NotAuthenticated):
        who(any_crm, begun.tokens.access_token)
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, begun.tokens.refresh_token)
    [row] = log_of(any_crm, admin)
    assert (row.end_reason, row.impersonation_duration) == ("session over", 0)


def test_who_loses_the_permission_is_back_at_once(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    sam = logged_in(any_crm, "sam")
    acting = act(any_crm, sam, cast.zoe).actor
    with any_crm.as_actor(admin) as work:
        role = next(one for one in work.identity.role_list() if one.name == "Support")
        number = next(one.id for one in work.identity.permissions() if one.name == "can_impersonate")
        work.identity.remove_permission(role.id, number)
    with pytest.raises(NotAuthenticated):
        again(any_crm, acting)
    assert again(any_crm, sam)


@pytest.mark.req("SVC-365", "SVC-380")
def test_the_log_is_for_administrators_and_filtered(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser, cast: Cast
) -> None:
    fay = add_user(any_crm, "fay", "Customer", contact_id=cast.contact)
    sam = logged_in(any_crm, "sam")
    start = clock.now().date()
    for target, minutes in ((cast.zoe, 2), (fay, 10)):
        acting = act(any_crm, sam, target).actor
        clock.advance(timedelta(minutes=minutes))
        stop(any_crm, acting)
    act(any_crm, sam, cast.zoe)
    everyone = {"user_id": str(cast.sam)}
    assert len(log_of(any_crm, admin, **everyone)) == 3
    assert [row.target_name for row in log_of(any_crm, admin, target_user_id=str(fay))] == ["fay"]
    assert len(log_of(any_crm, admin, user_id=str(cast.zoe))) == 2
    assert [row.target_name for row in log_of(any_crm, admin, min_duration="300")] == ["fay"]
    assert [row.target_name for row in log_of(any_crm, admin, max_duration="300")] == ["zoe"]
    assert [row.impersonation_end for row in log_of(any_crm, admin, open="true")] == [None]
    assert len(log_of(any_crm, admin, start_date=f"{start}", end_date=f"{start}")) == 3
    assert log_of(any_crm, admin, end_date=f"{start - timedelta(days=1)}") == []
    assert len(log_of(any_crm, admin, end_date="9999-12-31")) == 3
    for name, value in (("start_date", "soon"), ("min_duration", "-1"), ("end_date", "2026-13-01")):
        with pytest.raises(InvalidInput):
            log_of(any_crm, admin, **{name: value})
    with pytest.raises(NotPermitted):
        log_of(any_crm, sam)


@pytest.mark.req("SVC-381", "SVC-379")
def test_the_purpose_may_be_asked_for(any_crm: Crm, cast: Cast) -> None:
    sam = logged_in(any_crm, "sam")
    with configured(any_crm, impersonation_purpose=True):
        with pytest.raises(InvalidInput, match="right"):
            act(any_crm, sam, cast.zoe, "  ")
        assert act(any_crm, sam, cast.zoe, " lost ")


@pytest.mark.req("SVC-371")
def test_a_job_that_was_started_so_names_both(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    acting = act(any_crm, logged_in(any_crm, "sam"), cast.zoe).actor
    job = add_job(any_crm, acting)
    with any_crm.as_actor(acting) as work:
        work.identity.grant_job(job)
    with any_crm.as_actor(system_actor("jobs")) as work:
        tokens = work.identity.mint_job_tokens(job, cast.zoe)
    stop(any_crm, acting)
    actor = who(any_crm, tokens.access_token)
    assert (actor.kind, actor.user_id, actor.real_user_id) == (ActorKind.JOB, cast.zoe, cast.sam)
    assert actor.signature == f"sam → job {job} of zoe"
    with any_crm.as_actor(actor) as work:
        work.activity.record("customer", cast.customer, "Made")
    with any_crm.reading(admin) as work:
        last = work.session.scalars(select(ActivityEntry).order_by(ActivityEntry.activity_id.desc()).limit(1)).one()
    assert last.impersonating_user_id == cast.sam
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(cast.sam)
    assert who(any_crm, tokens.access_token).permissions == clean_up_only(actor.permissions)
    with any_crm.reading(admin) as work:
        assert work.session.get_one(Provision, job).cancel_requested


@pytest.mark.req("SVC-367")
def test_contacts_tell_who_logs_in_for_them(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    with any_crm.reading(logged_in(any_crm, "sam")) as work:
        [login_of] = work.impersonation.logins_of_contacts([cast.contact]).items()
    assert login_of[0] == cast.contact
    assert (login_of[1].user_id, login_of[1].username) == (cast.zoe, "zoe")
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(cast.zoe, UserChange(active=False))
    with any_crm.reading(logged_in(any_crm, "sam")) as work:
        assert work.impersonation.logins_of_contacts([cast.contact]) == {}


@pytest.mark.req("SVC-375", "PLT-225")
def test_where_it_came_from_is_no_known_address_of_the_target(any_crm: Crm, admin: Actor, cast: Cast) -> None:
    with any_crm.as_actor(visitor("198.51.100.4")) as work:
        assert work.identity.login("zoe", PASSWORD, "198.51.100.4").tokens
    stop(any_crm, act(any_crm, logged_in(any_crm, "sam"), cast.zoe).actor)
    logged_in(any_crm, "zoe")
    with any_crm.reading(admin) as work:
        told = select(func.count(OutboxMessage.outbox_id)).where(OutboxMessage.recipient == "zoe@mail.example")
        assert work.session.scalar(told) == 1
