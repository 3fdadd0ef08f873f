"""What the tokens of jobs and of customers open, on all three databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import UserChange
from omnicrm_tui.listing import FIRST, ListQuery

from .conftest import HERE, AddUser
from .log_ins import login, refresh, who


@pytest.mark.req("SVC-082", "SVC-085", "SVC-136")
def test_a_jobs_tokens_hold_what_its_initiator_could_then_and_end_with_it(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with any_crm.reading(visitor(HERE)) as work:
        initiator = work.identity.actor_of_user(user_id, HERE)
    provision_id = add_job(any_crm, admin)
    with any_crm.as_actor(initiator) as work:
        work.identity.grant_job(provision_id)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(role=["Finance"]))
        minted = work.identity.mint_job_tokens(provision_id, user_id)
    actor = who(any_crm, minted.access_token)
    assert (actor.kind, actor.provision_id, actor.user_id) == (ActorKind.JOB, provision_id, user_id)
    assert actor.permissions == initiator.permissions
    renewed = refresh(any_crm, minted.refresh_token)
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(user_id)
    left = who(any_crm, renewed.access_token)
    assert left.may("update_inventory")
    assert not left.may("create_customer_service")
    with any_crm.as_actor(admin) as work:
        work.identity.end_job_tokens(provision_id)
    with pytest.raises(NotAuthenticated):
        who(any_crm, renewed.access_token)
    with pytest.raises(NotAuthenticated), any_crm.as_actor(admin) as work:
        work.identity.mint_job_tokens(provision_id, user_id)


@pytest.mark.req("CAT-183")
def test_a_job_that_an_api_key_started_may_do_what_the_key_may_and_no_more(any_crm: Crm, admin: Actor) -> None:
    provision_id = add_job(any_crm, admin)
    key = Actor(ActorKind.MACHINE, "billing", permissions=frozenset({"create_provision", "view_customer"}))
    with any_crm.as_actor(key) as work:
        work.identity.grant_job(provision_id)
    with any_crm.as_actor(admin) as work:
        minted = work.identity.mint_job_tokens(provision_id, None)
    actor = who(any_crm, minted.access_token)
    assert (actor.kind, actor.provision_id) == (ActorKind.JOB, provision_id)
    assert actor.permissions == key.permissions


@pytest.mark.req("BIL-376", "BIL-378", "BIL-459")
def test_a_contacts_user_is_a_customer_confined_to_its_own(
    any_crm: Crm, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    customer_id, contact_id = add_contact(any_crm)
    add_user(any_crm, "zoe", role="", contact_id=contact_id)
    result = login(any_crm, "zoe")
    assert result.actor is not None
    assert (result.actor.kind, result.actor.own_customer_id) == (ActorKind.CUSTOMER, customer_id)
    assert result.roles == ("Customer",)
    with any_crm.reading(result.actor) as work:
        assert [row.customer_id for row in work.customers.window(ListQuery(), FIRST, 9).rows] == [customer_id]


def add_job(crm: Crm, admin: Actor) -> int:
    from omnicrm_tui.provisioning.models import Provision

    with crm.as_actor(admin) as work:
        job = Provision(provisioning_play="play_simple_service")
        work.session.add(job)
        work.session.flush()
        return job.provision_id
