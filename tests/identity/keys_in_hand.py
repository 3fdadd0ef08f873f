"""Keys to try."""

from __future__ import annotations

from datetime import date

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.key_schemas import ApiKeyInput, NewApiKey
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.schemas import parse
from tests.identity.conftest import HERE

NEXT_YEAR = date(2027, 11, 20)
READS = ["view_customer", "view_customer_service"]


def make(crm: Crm, actor: Actor, name: str = "Billing", **values: object) -> NewApiKey:
    """Make a key as `actor`."""
    given = {"name": name, "permissions": READS, "expiry_date": NEXT_YEAR} | values
    with crm.as_actor(actor) as work:
        return work.identity.create_api_key(parse(ApiKeyInput, given))


def holder(crm: Crm, key: str, source: str = HERE) -> Actor:
    """Return whom a key stands for."""
    with crm.reading(visitor(source)) as work:
        return work.identity.actor_of_api_key(key, source)


def entries(crm: Crm, actor: Actor) -> list[tuple[str, str, str]]:
    """Return what the log says of keys, newest first: what, who, from where."""
    with crm.reading(actor) as work:
        rows = work.activity.window(ListQuery(filters={"object_type": ["api_key"]}), FIRST, 50).rows
    return [(row.action, row.actor_name, row.source_address) for row in rows]
