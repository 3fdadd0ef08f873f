"""One route answers every spelling of its address."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.api.paths import canonical, spellings


@pytest.mark.req("PLT-603", "CAT-544", "CAT-545")
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/crm/customers", "/customer"),
        ("/customers/", "/customer"),
        ("/crm/customer/", "/customer"),
        ("/crm/customer/customer_id/7", "/customer/7"),
        ("/crm/customer_id/7", "/customer/7"),
        ("/service/service_id/7/", "/service/7"),
        ("/crm/service/service_uuid/ab-1", "/service/service_uuid/ab-1"),
        ("/crm/site/customer_id/7", "/site/customer_id/7"),
        ("/provision/provision_id/3/cancel", "/provision/3/cancel"),
        ("/crm/crm/health", "/crm/health"),
        ("/crm", "/"),
        ("/crm/auth_id/login", "/auth_id/login"),
        ("/crm/auth/auth_id/login", "/auth/auth_id/login"),
        ("/crm/2fa_id/verify/user/7", "/2fa_id/verify/user/7"),
    ],
)
def test_every_spelling_leads_to_the_route(path: str, route: str) -> None:
    assert canonical(path) == route


@given(st.text(alphabet="/abc_idrm.%", max_size=40))
def test_a_canonical_path_never_ends_in_a_slash_and_is_absolute(path: str) -> None:
    found = canonical(path)
    assert found.startswith("/")
    assert "//" not in found
    assert found == "/" or not found.endswith("/")


@pytest.mark.parametrize("route", ["/customer", "/customer/{customer_id}", "/provision/{provision_id}/cancel"])
def test_what_the_documentation_lists_leads_back(route: str) -> None:
    for spelling in spellings(route):
        assert canonical(spelling) == route


@pytest.mark.req("PLT-603")
def test_all_spellings_answer_alike_and_none_redirects(client: TestClient) -> None:
    made = client.put("/crm/customer/", json={"customer_name": "Ada"}).json()
    number = made["customer_id"]
    for prefix in ("/crm", ""):
        for middle in (f"/customer/customer_id/{number}", f"/customer/{number}", f"/customer_id/{number}"):
            for end in ("", "/"):
                answer = client.get(f"{prefix}{middle}{end}")
                assert (answer.status_code, answer.json()) == (200, made)
