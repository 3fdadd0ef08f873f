"""Figures for Prometheus and for programs; health, for whoever decides where requests go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui import opening
from omnicrm_tui.api.app import create_app
from omnicrm_tui.api.exposition import BUCKETS, Family, Sample, Times, text_of
from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.messaging.leases import Lease
from omnicrm_tui.settings import ApiKey, Settings
from tests.api.conftest import ClientAs

KEY = "k" * 44
_NAME, _LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(\{{{_LABEL}(?:,{_LABEL})*\}})? (-?\d+(?:\.\d+)?(?:e-?\d+)?|[+-]Inf)")


def samples_of(text: str) -> dict[str, float]:
    """Read the format strictly: HELP, TYPE, then samples of that family alone; each sample once."""
    found: dict[str, float] = {}
    family, seen = "", set[str]()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in seen
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == family
            assert line.split()[3] in ("gauge", "counter", "histogram")
        else:
            match = _SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in (family, f"{family}_bucket", f"{family}_sum", f"{family}_count")
            key = f"{match[1]}{match[2] or ''}"
            assert key not in found
            found[key] = float(match[3])
    return found


@pytest.mark.req("PLT-069")
def test_labels_are_escaped_and_numbers_are_plain() -> None:
    awkward = {"route": 'a"b\\c\nd'}
    text = text_of([Family("x", "gauge", "back\\slash\nline", [Sample(1e-07, awkward), Sample(3.0), Sample(0.25)])])
    assert text == ('# HELP x back\\\\slash\\nline\n# TYPE x gauge\nx{route="a\\"b\\\\c\\nd"} 1e-07\nx 3\nx 0.25\n')
    assert text_of([Family("empty", "gauge", "", [])]) == "\n"


def test_a_histogram_counts_upwards_to_all() -> None:
    times = Times("t", "", ("route",))
    for seconds in (0.005, 0.0051, 0.3, 99.0):
        times.observe(seconds, "/a")
    times.observe(0.0, "/b")
    found = samples_of(text_of([times.family()]))
    assert [found[f't_bucket{{route="/a",le="{end}"}}'] for end in ("0.005", "0.01", "0.25", "0.5", "10")] == [
        *(1, 2, 2, 3, 3)
    ]
    assert found['t_bucket{route="/a",le="+Inf"}'] == found['t_count{route="/a"}'] == 4
    assert found['t_sum{route="/a"}'] == pytest.approx(99.3101)
    assert found['t_count{route="/b"}'] == 1
    assert list(BUCKETS) == sorted(BUCKETS)


@pytest.fixture
def watched(crm: Crm) -> TestClient:
    """An application whose configuration knows a key that reads figures and nothing else."""
    key = ApiKey(roles=["view_status"], description="monitoring")
    settings = crm.settings.model_copy(update={"api_keys": {KEY: key}})
    return TestClient(create_app(Crm(settings, crm.engine, crm.clock, crm.vault)))


@pytest.mark.req("PLT-069", "CAT-179")
def test_a_key_of_its_own_reads_the_figures_and_nothing_else(watched: TestClient) -> None:
    key = {"X-API-KEY": KEY}
    assert watched.get("/crm/metrics").status_code == 403
    assert watched.get("/crm/customer", headers=key).status_code == 403
    answer = watched.get("/crm/metrics", headers=key)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples_of(answer.text)
    assert found['omnicrm_jobs{state="waiting"}'] == 0
    assert found['omnicrm_duty_led{duty="outbox"}'] == 0
    assert watched.get("/crm/status", headers=key).json()["jobs"]["running"] == 0


@pytest.mark.req("PLT-069")
def test_requests_are_timed_by_route_as_declared_and_by_status(watched: TestClient) -> None:
    key = {"X-API-KEY": KEY}
    for path in ("/crm/customer/customer_id/7", "/customer/8/", "/nowhere/9", "/crm/health/live"):
        watched.get(path, headers=key)
    watched.request("BREW", "/crm/customer")
    found = samples_of(watched.get("/crm/metrics", headers=key).text)
    name = "omnicrm_api_request_seconds_count"
    assert found[f'{name}{{method="GET",route="/customer/{{customer_id}}",status="403"}}'] == 2
    assert found[f'{name}{{method="GET",route="(none)",status="404"}}'] == 1
    assert found[f'{name}{{method="GET",route="/health/live",status="200"}}'] == 1
    assert any('method="OTHER"' in key for key in found)
    assert not any("customer/7" in key or "nowhere" in key for key in found)


def test_the_figures_are_the_services(client_as: ClientAs, crm: Crm, admin: Actor) -> None:
    Lease(crm, "outbox", "host:1:a").hold()
    with crm.as_actor(admin) as work:
        work.messaging.enqueue_email("a@mail.example", "S", "T")
    client = client_as(Actor(ActorKind.MACHINE, "prometheus", permissions=frozenset({"view_status"})))
    found = samples_of(client.get("/crm/metrics").text)
    assert found['omnicrm_outbox_messages{state="waiting"}'] == 1
    assert found['omnicrm_duty_holder_info{duty="outbox",holder="host:1:a"}'] == 1
    assert found["omnicrm_disk_free_bytes"] > 0
    assert client.get("/crm/status").json()["outbox"]["due"] == 1


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Crm]:
    """A Crm on a database as `omnicrm db upgrade` makes it."""
    home = tmp_path / "installed"
    home.mkdir(mode=0o700)
    crm = opening.open_crm(Settings(home=home))
    yield crm
    crm.close()


@pytest.mark.req("CAT-192")
def test_ready_tells_database_schema_and_who_leads(installed: Crm) -> None:
    client = TestClient(create_app(installed))
    Lease(installed, "outbox").hold()
    answer = client.get("/crm/health/ready")
    assert answer.status_code == 200
    assert answer.json()["duties"] == {"jobs": False, "outbox": True, "schedule": False}
    assert (answer.json()["schema"], answer.json()["database"]) == (migrate.HEAD, "ok")


@pytest.mark.req("CAT-192")
def test_a_database_of_another_version_or_none_is_not_ready(installed: Crm) -> None:
    client = TestClient(create_app(installed))
    with installed.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    answer = client.get("/crm/health/ready")
    assert (answer.status_code, answer.json()["schema_state"]) == (503, "newer")
    assert client.get("/crm/health/live").status_code == 200


def test_a_database_that_is_gone_is_told_and_comes_back(installed: Crm) -> None:
    client = TestClient(create_app(installed))
    home = installed.settings.home
    file, away = home / "omnicrm.sqlite", home / "away"
    file.rename(away)
    installed.engine.dispose()
    file.mkdir()
    for path in ("/crm/health", "/crm/health/ready"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert "cannot be opened" in answer.json()["database"]
    file.rmdir()
    away.rename(file)
    assert client.get("/crm/health/ready").status_code == 200
