"""A database that holds sealed values gets no new keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

from omnicrm_tui.crm import Crm
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.sealed_columns import SEALED, require_keys
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.inventory.schemas import ItemInput, TemplateInput

NOT_SEALED: set[str] = {"activity_chain.last_hash", "activity_log.chain_hash"}


def test_every_column_of_bytes_is_sealed_or_named_here() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type.impl if isinstance(column.type, TypeDecorator) else column.type, LargeBinary)
    }
    assert found - NOT_SEALED == set(SEALED)


def test_sealed_values_without_their_keys_are_told(any_crm: Crm, admin: Actor, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    require_keys(any_crm.engine, folder)
    with any_crm.as_actor(admin) as work:
        work.inventory.create_template(TemplateInput(item="SIM Card", itemtext1_label="ICCID"))
        work.inventory.create(ItemInput(item="SIM Card", itemtext1="8944", ki="0" * 32))
    with pytest.raises(DatabaseProblem, match=r"inventory\.ki.*Copy the folder keys"):
        require_keys(any_crm.engine, folder)
    folder.mkdir()
    (folder / "column-1.key").write_bytes(b"k" * 32)
    require_keys(any_crm.engine, folder)


def test_a_new_home_makes_its_keys_and_a_lost_key_is_not_made_again(crm: Crm, admin: Actor) -> None:
    Crm.open(crm.settings).close()
    keys = crm.settings.keys_folder
    assert [path.name for path in keys.iterdir()] == ["column-1.key"]
    again = Crm.open(crm.settings)
    with again.as_actor(admin) as work:
        work.inventory.create_template(TemplateInput(item="SIM Card", itemtext1_label="ICCID"))
        work.inventory.create(ItemInput(item="SIM Card", itemtext1="8944", ki="0" * 32))
    again.close()
    (keys / "column-1.key").unlink()
    with pytest.raises(DatabaseProblem, match="sealed"):
        Crm.open(crm.settings)
    assert list(keys.iterdir()) == []
