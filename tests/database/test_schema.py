"""What the tables say about each other."""

from __future__ import annotations

import pytest

from omnicrm_tui.database.base import Base, CustomerOwned
from omnicrm_tui.database.schema import metadata


@pytest.mark.req("CAT-001")
def test_everything_of_a_customer_hangs_on_the_customer() -> None:
    owned = {mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, CustomerOwned)}
    assert {"customer_contact", "customer_site", "customer_service", "inventory", "provision"} <= owned
    assert {"customer_transaction", "customer_invoice", "activity_log"} <= owned

    def parents(name: str) -> set[str]:
        return {key.column.table.name for key in metadata.tables[name].foreign_keys}

    astray = {name for name in owned - {"customer"} if not parents(name) & (owned | {"customer"})}
    assert astray == set()


@pytest.mark.req("CAT-030")
def test_the_table_of_sites_has_the_name_that_reports_use() -> None:
    assert "Customer_Site".lower() in metadata.tables
    assert {"customer_id", "latitude", "longitude"} <= set(metadata.tables["customer_site"].columns.keys())
