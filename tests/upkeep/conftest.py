"""An installation with something in every place, and a passphrase that costs little to try."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from omnicrm_tui.database import migrate, rows
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.rows import Row
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.settings import DatabaseSection, Settings
from omnicrm_tui.upkeep import sealed
from tests.fixtures.every_table import fill_every_table

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a key in no time; the file says itself what its key costs."""
    monkeypatch.setattr(sealed, "_COST", (1, 1, 1))


def installation(home: Path, url: str = "") -> Settings:
    """Make a home with its keys, plays and files, and a database with rows in every table."""
    (home / "plays").mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    Vault.from_folder(home / "keys")
    (home / "plays" / "play_ours é.yaml").write_text("- hosts: all\n")
    (home / "templates").mkdir()
    (home / "templates" / "invoice.html").write_text("<p>Invoice</p>")
    for passing in ("jobs/7/vars.json", "exports/customers.csv", "logs/errors.log", "lab/lab.sqlite3", "backups/old"):
        (home / passing).parent.mkdir(parents=True, exist_ok=True)
        (home / passing).write_text("of this machine")
    for lasting in ("seats/ab12/terminal.json", "drafts/7/0f.json"):
        (home / lasting).parent.mkdir(parents=True, exist_ok=True)
        (home / lasting).write_text("{}")
    for passing in (
        "session",
        "session.lock",
        "session.4711",
        "x.tmp",
        ".init.json.4711",
        "seats/ab12/session",
        "seats/ab12/session.lock",
        "seats/ab12/session.4711",
        "drafts/7/0f.4711",
        "keys/column-1.key.4711.0badcafe",
    ):
        (home / passing).write_text("secret")
    (home / "plays" / "round").symlink_to(home)
    (home / "plays" / "nowhere").symlink_to(home / "gone")
    config = home / "config.yaml"
    config.write_text("# ours\ncrm:\n  company_name: Zoë's Telecom\n")
    section = DatabaseSection(url=SecretStr(url)) if url else DatabaseSection()
    settings = Settings(home=home, config_path=config, database=section)
    migrate.upgrade(settings)
    engine = make_engine(settings.database_url)
    with rows.loading(engine) as connection, connection.begin():
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        fill_every_table(connection)
    engine.dispose()
    return settings


def everything(url: str, *names: str) -> dict[str, list[Row]]:
    """Return all rows of the named tables, by default of all, in the portable form."""
    engine = make_engine(url)
    with rows.snapshot(engine) as connection:
        found = {
            table.name: [row for batch in rows.read(connection, table, sorted(table.columns.keys())) for row in batch]
            for table in rows.tables_of(connection, names or metadata.tables)
        }
    engine.dispose()
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A filled installation on SQLite."""
    return installation(tmp_path / "home")
