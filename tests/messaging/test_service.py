"""Writing to customers through the outbox."""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.schemas import CustomerMail
from omnicrm_tui.provisioning.models import Provision

WELCOME = CustomerMail(subject="Welcome", text="Hello", html="<p>Hello</p>", kind="api_crmCommunicationCustomerWelcome")


@pytest.mark.req("CAT-486")
def test_a_job_writes_to_its_own_customers_contacts_and_to_nobody_else(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        zoe, ann = (work.customers.create(CustomerInput(customer_name=name)).customer_id for name in ("Zoe", "Ann"))
        for address in ("a@zoe.example", None, "b@zoe.example", "a@zoe.example"):
            work.customers.add_contact(zoe, ContactInput(contact_firstname="Z", contact_email=address))
        work.customers.add_contact(ann, ContactInput(contact_firstname="A", contact_email="a@ann.example"))
        job = Provision(provisioning_play="play_simple_service", customer_id=zoe)
        work.session.add(job)
        work.session.flush()
        own = Actor(ActorKind.JOB, "job", permissions=frozenset(), provision_id=job.provision_id)
    with any_crm.as_actor(own) as work:
        assert work.messaging.write_to_customer(zoe, WELCOME) == ["a@zoe.example", "b@zoe.example"]
    with pytest.raises(NotPermitted, match="create_communication"), any_crm.as_actor(own) as work:
        work.messaging.write_to_customer(ann, WELCOME)
    clerk = Actor(ActorKind.STAFF, "clerk", permissions=frozenset({"create_communication"}))
    with any_crm.as_actor(clerk) as work:
        assert work.messaging.write_to_customer(ann, WELCOME) == ["a@ann.example"]
    with any_crm.reading(admin) as work:
        rows = work.messaging.window(ListQuery(), FIRST, 10).rows
        kinds = {work.messaging.get(row.outbox_id).kind for row in rows}
    assert [(row.recipient, row.customer_id) for row in rows] == [
        ("a@zoe.example", zoe),
        ("b@zoe.example", zoe),
        ("a@ann.example", ann),
    ]
    assert kinds == {"api_crmCommunicationCustomerWelcome"}
