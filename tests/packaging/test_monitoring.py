"""What is shipped for monitoring speaks of figures that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnicrm_tui.api.exposition import Family, Times
from omnicrm_tui.api.metrics import families_of
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor

FOLDER = Path(__file__).parents[2] / "packaging" / "monitoring"
NEEDED = {"OmniCRMNobodyLeads", "OmniCRMOutboxOld", "OmniCRMOutboxOverdue", "OmniCRMJobsFailing", "OmniCRMDiskFull"}


@pytest.fixture
def families(crm: Crm, admin: Actor) -> dict[str, Family]:
    """Every family of samples, by its name in questions; some only show once there is something to show."""
    with crm.reading(admin) as work:
        found = {family.name: family for family in families_of(work.reporting.figures())}
    times = Times("omnicrm_api_request_seconds", "", ("method", "route", "status"))
    times.observe(0.1, "GET", "/customer", "200")
    whole = times.family()
    return found | {f"{whole.name}{suffix}": whole for suffix in ("_bucket", "_sum", "_count")}


def expressions() -> dict[str, str]:
    """Return every question that is shipped, by where it stands."""
    rules = yaml.safe_load((FOLDER / "omnicrm-alerts.yml").read_text())["groups"][0]["rules"]
    board: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    panels = {f"{p['title']} {t['refId']}": t["expr"] for p in board["panels"] for t in p["targets"]}
    return panels | {rule["alert"]: rule["expr"] for rule in rules}


@pytest.mark.req("PLT-069", "PLT-070")
def test_alerts_and_panels_ask_for_figures_that_there_are(families: dict[str, Family]) -> None:
    known = families.keys() | {"omnicrm_jobs_success_ratio"}
    asked = {place: set(re.findall(r"\bomnicrm_\w+", text)) for place, text in expressions().items()}
    assert {place: names - known for place, names in asked.items() if names - known} == {}
    assert set().union(*asked.values()) >= families.keys() - {
        "omnicrm_api_request_seconds_sum",
        "omnicrm_jobs_oldest_waiting_seconds",
        "omnicrm_cache_requests_total",
    }
    assert all(text.count("(") == text.count(")") for text in expressions().values())


def test_every_alert_says_what_is_wrong_and_how_bad_it_is() -> None:
    rules = yaml.safe_load((FOLDER / "omnicrm-alerts.yml").read_text())["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} >= NEEDED
    assert all(rule["labels"]["severity"] in ("warning", "critical") for rule in rules)
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_the_dashboard_has_no_panel_over_another() -> None:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)


def test_the_key_of_the_example_reads_figures_alone() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]
    assert scrape["metrics_path"] == "/crm/metrics"
    assert "X-API-KEY" in scrape["http_headers"]
