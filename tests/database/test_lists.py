"""A declared list shows the same rows as sorting a plain Python list."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Customer
from omnicrm_tui.customers.service import CUSTOMER_LIST
from omnicrm_tui.database.lists import fold
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import FIRST, LAST, Anchor, Edge, ListQuery

NAMES = st.lists(st.text("abÅ å", min_size=1, max_size=3), min_size=0, max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES, descending=st.booleans(), limit=st.integers(1, 7), search=st.sampled_from(["", "a", "b", "å"]))
def test_windows_from_both_ends_equal_a_sorted_list(
    crm: Crm, admin: Actor, names: list[str], descending: bool, limit: int, search: str
) -> None:
    with crm.as_actor(admin) as work:
        session = work.session
        session.execute(delete(Customer))
        for name in names:
            session.add(
                Customer(
                    customer_name=name, name_key=fold(name), search_text=fold(name), customer_account_type="Individual"
                )
            )
        session.flush()
        every = [(c.name_key, c.customer_id) for c in session.query(Customer) if fold(search) in c.search_text]
        expected = [identity for _, identity in sorted(every, reverse=descending)]
        query = ListQuery(search=search, sort="customer_name", descending=descending)
        forwards, anchor, more = [], FIRST, True
        while more:
            window = CUSTOMER_LIST.window(session, query, anchor, limit)
            forwards += [key.id for key in window.keys]
            more = window.more_after
            anchor = Anchor(Edge.AFTER, window.keys[-1]) if window.keys else anchor
        backwards, anchor, more = [], LAST, True
        while more:
            window = CUSTOMER_LIST.window(session, query, anchor, limit)
            backwards = [key.id for key in window.keys] + backwards
            more = window.more_before
            anchor = Anchor(Edge.BEFORE, window.keys[0]) if window.keys else anchor
        assert forwards == backwards == expected
        assert CUSTOMER_LIST.count(session, query, 3).capped is (len(expected) > 3)
