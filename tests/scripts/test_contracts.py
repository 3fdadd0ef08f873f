"""The arrows between the layers: `.importlinter` and its contract type."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest
from grimp import ImportGraph

from scripts.contracts import ArrowContract

ROOT = Path(__file__).resolve().parents[2]


def broken_contracts(importer: str, imported: str) -> set[str]:
    """The names of the house's contracts that one import would break."""
    graph = ImportGraph()
    graph.add_module(importer)
    graph.add_module(imported)
    graph.add_import(importer=importer, imported=imported)
    config = ConfigParser(interpolation=None)
    config.read(ROOT / ".importlinter")
    names = [name for name in config.sections() if name.startswith("importlinter:contract:")]
    broken = set[str]()
    for name in names:
        options = {key: value for key, value in config[name].items() if key not in {"type", "name"}}
        if not ArrowContract(name, {}, options).check(graph, verbose=False).kept:
            broken.add(name.rpartition(":")[2])
    return broken


@pytest.mark.req("PLT-063")
@pytest.mark.parametrize(
    ("importer", "imported", "contracts"),
    [
        ("screens.customers", "omnicrm_tui.customers.models", {"doors"}),
        ("screens.customers.detail", "sqlalchemy", {"doors"}),
        ("omnicrm_tui.cli", "omnicrm_tui.billing.models", {"doors"}),
        ("omnicrm_tui.api.customers", "omnicrm_tui.integrations.ocs", {"doors"}),
        ("omnicrm_tui.app", "fastapi", {"screens"}),
        ("screens.customers", "omnicrm_tui.api", {"screens"}),
        ("widgets.table", "omnicrm_tui.customers.service", {"widgets"}),
        ("widgets.table", "screens.customers", {"widgets"}),
        ("omnicrm_tui.billing.service", "omnicrm_tui.customers.models", {"rooms"}),
        ("omnicrm_tui.billing.pdf.page", "omnicrm_tui.customers.lookup", {"rooms"}),
        ("omnicrm_tui.billing.service", "textual", {"inside"}),
        ("omnicrm_tui.billing.service", "fastapi", {"inside"}),
        ("omnicrm_tui.work", "screens", {"inside"}),
        ("omnicrm_tui.billing.service", "omnicrm_tui.api.errors", {"inside"}),
        ("omnicrm_tui.api.customers", "textual", {"api"}),
        ("omnicrm_tui.lab.ocs", "omnicrm_tui.charging.service", {"lab"}),
        ("omnicrm_tui.provisioning.runner", "ansible", {"licences"}),
        ("omnicrm_tui.provisioning.runner", "playbooks.plugins", {"licences"}),
    ],
)
def test_forbidden_arrows(importer: str, imported: str, contracts: set[str]) -> None:
    assert broken_contracts(importer, imported) == contracts


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("screens.customers", "omnicrm_tui.customers.service"),
        ("omnicrm_tui.api.customers", "omnicrm_tui.customers.schemas"),
        ("widgets.table", "omnicrm_tui.listing"),
        ("widgets.form", "omnicrm_tui.customers.schemas"),
        ("omnicrm_tui.billing.service", "omnicrm_tui.billing.models"),
        ("omnicrm_tui.billing.service", "omnicrm_tui.customers.service"),
        ("omnicrm_tui.billing.service", "omnicrm_tui.integrations.stripe"),
        ("omnicrm_tui.customer_services.models", "omnicrm_tui.customer_services.rules"),
        ("omnicrm_tui.provisioning.runner", "ansible_runner"),
        ("omnicrm_tui.database.schema", "omnicrm_tui.billing.models"),
    ],
)
def test_allowed_arrows(importer: str, imported: str) -> None:
    assert broken_contracts(importer, imported) == set()
