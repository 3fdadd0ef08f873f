"""Sealed values open in their own place only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.database.vault import Vault, new_key_file
from omnicrm_tui.errors import CrmError

KEY = bytes(range(32))


@given(value=st.text(), row_id=st.integers(min_value=1, max_value=2**63 - 1))
@pytest.mark.req("PLT-382")
def test_what_was_sealed_opens_again_and_shows_nothing(value: str, row_id: int) -> None:
    vault = Vault({1: KEY})
    sealed = vault.seal("inventory.ki", row_id, value)
    assert sealed is not None
    assert vault.open("inventory.ki", row_id, sealed) == value
    assert len(value.encode()) < 4 or value.encode() not in sealed


def test_a_value_moved_to_another_row_or_column_or_changed_does_not_open() -> None:
    vault = Vault({1: KEY})
    sealed = vault.seal("inventory.ki", 7, "465B5CE8")
    assert sealed is not None
    for column, row_id, body in (
        ("inventory.ki", 8, sealed),
        ("inventory.opc", 7, sealed),
        ("inventory.ki", 7, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(CrmError, match="altered"):
            vault.open(column, row_id, body)


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    old = Vault({1: KEY}).seal("c", 1, "before")
    both = Vault({1: KEY, 2: bytes(32)})
    assert both.open("c", 1, old) == "before"
    with pytest.raises(CrmError, match="key"):
        Vault({1: KEY}).open("c", 1, both.seal("c", 1, "after"))


def test_an_installation_is_known_by_its_first_key_and_gives_nothing_of_it_away() -> None:
    first, second = bytes(range(32)), bytes(32)
    ours = Vault({1: first}).installation
    assert Vault({1: first, 2: second}).installation == ours
    assert Vault({1: second, 2: first}).installation != ours
    assert len(ours) == 32
    assert ours not in first.hex()


def test_a_key_of_another_length_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault({1: KEY, 2: KEY[:16]})


def test_keys_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = Vault.from_folder(folder).seal("c", 1, "x")
    assert Vault.from_folder(folder).open("c", 1, first) == "x"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]
    assert new_key_file(folder / "column-1.key", 32) == (folder / "column-1.key").read_bytes()
