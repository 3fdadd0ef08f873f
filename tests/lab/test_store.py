"""The lab's memory by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.lab import store as module
from omnicrm_tui.lab.ocs_rpc import OcsRpc
from omnicrm_tui.lab.store import Store


@pytest.fixture
def store(lab_folder: Path, lab_clock: FrozenClock) -> Store:
    return Store(lab_folder, lab_clock)


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    store.put("kind", "kept", {"n": 1})
    with pytest.raises(RuntimeError), store.transaction():
        store.put("kind", "kept", {"n": 2})
        with store.transaction():
            store.put("kind", "new", {})
        raise RuntimeError
    assert store.keys("kind") == ["kept"]
    assert store.get("kind", "kept") == {"n": 1}


def test_rewriting_a_document_keeps_its_place(store: Store) -> None:
    for key in ("t:b", "t:a", "u:c"):
        store.put("kind", key, {})
    store.put("kind", "t:b", {"n": 1})
    assert store.keys("kind", "t:") == ["t:b", "t:a"]
    assert store.delete("kind", "t:b") is True
    assert store.delete("kind", "t:b") is False


def test_old_messages_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PER_PART", 3)
    monkeypatch.setattr(module, "PRUNE_EVERY", 5)
    for number in range(5):
        store.record("ocs", "k", str(number), {}, "OK")
    assert [row.summary for row in store.received("ocs")] == ["2", "3", "4"]


def test_what_is_shown_is_one_plain_line_and_of_bounded_size(store: Store) -> None:
    store.record("mail", "k", "a\x1b[31m\nb", {"text": "x" * 200_000}, "OK")
    [row] = store.received("mail")
    assert row.summary == "a [31m b"
    assert len(str(row.detail)) < 70_000


def test_expired_balances_leave_the_file_with_the_next_change(store: Store, lab_clock: FrozenClock) -> None:
    rpc = OcsRpc(store, lab_clock)
    pot = {"ID": "D", "ExpiryTime": "+1h"}
    rpc.call("ApierV1.AddBalance", [{"Account": "a", "BalanceType": "*data", "Value": 1, "Balance": pot}])
    lab_clock.advance(timedelta(hours=2))
    rpc.call("ApierV2.SetAccount", [{"Account": "a"}])
    doc = store.get("account", "cgrates.org:a")
    assert doc is not None
    assert doc["balances"] == {"*data": []}


def test_other_programs_read_the_newest_first_and_count(store: Store, lab_folder: Path) -> None:
    for number in range(5):
        store.record("hss", "k", str(number), {}, "OK")
    store.record("ocs", "k", "other", {}, "OK")
    newest = module.read_newest(lab_folder, "hss", limit=2)
    assert [row.summary for row in newest] == ["4", "3"]
    assert [row.summary for row in module.read_newest(lab_folder, "hss", newest[-1].id, 2)] == ["2", "1"]
    assert module.count_received(lab_folder, "hss") == 5
    assert module.read_newest(lab_folder / "none", "hss") == []
    assert module.count_received(lab_folder / "none", "hss") == 0
