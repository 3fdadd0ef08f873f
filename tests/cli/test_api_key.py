"""`omnicrm api-key`: made, used, extended, made anew and revoked without a screen."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from tests.cli.test_records import KEY, Run, crm, demo, logged_in, made_demo, run

__all__ = ["crm", "demo", "logged_in", "made_demo", "run"]


def made(run: Run, *arguments: str) -> dict[str, Any]:
    """Make a key and return what was printed."""
    ended = run("api-key", "create", *arguments, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


@pytest.mark.req("PLT-259", "PLT-260", "PLT-277", "PLT-281")
def test_a_key_is_made_shown_once_and_used(logged_in: Run, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = logged_in("api-key", "create", "--name", "Sync", "--permission", "view_customer", "--days", "90", "--json")
    key = json.loads(ended.out)
    assert key["permissions"] == ["view_customer"]
    assert ended.err == "Copy this key now - it will not be shown again!\n"
    shown = logged_in("api-key", "show", str(key["api_key_id"]))
    assert (key["api_key"] in shown.out, "status: active" in shown.out) == (False, True)
    monkeypatch.setenv("OMNICRM_API_KEY", key["api_key"])
    assert logged_in("customer", "list").code == 0
    assert "view_product" in logged_in("product", "list").err
    monkeypatch.delenv("OMNICRM_API_KEY")
    [row] = csv.DictReader(io.StringIO(logged_in("api-key", "list", "--csv").out))
    assert (row["name"], row["use_count"]) == ("Sync", "2")


@pytest.mark.req("PLT-264", "PLT-265", "PLT-270", "PLT-274")
def test_a_key_is_extended_made_anew_and_revoked(logged_in: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(logged_in, "--preset", "billing")
    assert first["name"] == "Billing Sync QuickBooks"
    extended = logged_in("api-key", "extend", str(first["api_key_id"]), "--until", "2199-12-31", "--json")
    assert json.loads(extended.out)["expiry_date"] == "2199-12-31T23:59:59+00:00"
    assert "Say until when" in logged_in("api-key", "extend", str(first["api_key_id"])).err
    anew = logged_in("api-key", "regenerate", str(first["api_key_id"]), "--json")
    second = json.loads(anew.out)
    assert second["api_key"] != first["api_key"]
    revoked = logged_in("api-key", "revoke", str(second["api_key_id"]), "--json")
    assert json.loads(revoked.out)["status"] == "revoked"
    for key in (first, second):
        monkeypatch.setenv("OMNICRM_API_KEY", key["api_key"])
        refused = logged_in("customer", "list")
        assert (refused.code, "was revoked" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "--name"),
        (("--name", "x", "--permission", "fly"), "fly"),
        (("--name", "x", "--until", "yesterday"), "expiry_date"),
        (("--preset", "coffee"), "--preset"),
    ],
    ids=["no name", "no such permission", "no day", "no preset"],
)
def test_a_mistake_makes_no_key(logged_in: Run, crm: Crm, arguments: tuple[str, ...], sentence: str) -> None:
    ended = logged_in("api-key", "create", *arguments)
    assert ended.code in (1, 2)
    assert sentence in ended.err
    with crm.reading(system_actor("test")) as work:
        assert work.identity.api_key_figures().total == 0


def test_a_preset_is_a_start_that_options_change(logged_in: Run) -> None:
    key = made(logged_in, "--preset", "monitoring", "--name", "Grafana 2", "--permission", "view_status")
    assert (key["name"], key["permissions"]) == ("Grafana 2", ["view_status"])
    assert "never expires" in key["warnings"][0]


@pytest.mark.req("PLT-454", "CAT-182")
def test_what_the_configuration_lets_in_is_listed(logged_in: Run, demo: Path) -> None:
    entries = f'api_keys:\n  "{KEY}":\n    roles: [admin]\nip_whitelist:\n  10.0.0.0/24: {{roles: [admin]}}\n'
    (demo / "config.yaml").write_text(entries)
    table = logged_in("api-key", "configured")
    assert "0123...cdef" in table.out
    assert "10.0.0.0/24" in table.out
    assert KEY not in table.out
    rows = json.loads(logged_in("api-key", "configured", "--json").out)
    assert [row["kind"] for row in rows] == ["key", "address"]
    assert "has no description" in rows[0]["problems"][0]
