"""A sealed file opens with its passphrase and as it was written, or not at all."""

from __future__ import annotations

import io
import os

import pytest

from omnicrm_tui.upkeep import sealed
from omnicrm_tui.upkeep.sealed import DamagedFile, SealedReader, SealedWriter, WrongPassphrase
from tests.upkeep.conftest import PASSPHRASE


def _sealed(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, passphrase)
    writer.write(data)
    writer.close()
    return file.getvalue()


def _opened(file: bytes, size: int, passphrase: str = PASSPHRASE) -> bytes:
    reader = SealedReader(io.BytesIO(file), passphrase)
    reader.authenticate()
    data = reader.read(size)
    assert reader.at_end()
    return data


@pytest.mark.parametrize("size", [0, 1, 5000, 3 * (1 << 20) + 7])
def test_what_was_sealed_is_read_back(size: int) -> None:
    data = os.urandom(size)
    file = _sealed(data)
    assert _opened(file, size) == data
    assert size < 64 or data[:64] not in file


def test_lines_and_bytes_are_read_in_turn() -> None:
    reader = SealedReader(io.BytesIO(_sealed(b"one\n12345two\n")), PASSPHRASE)
    assert (reader.line(), reader.read(5), reader.line(), reader.at_end()) == (b"one", b"12345", b"two", True)
    with pytest.raises(DamagedFile):
        reader.line()


def test_a_changed_byte_anywhere_is_seen() -> None:
    file = _sealed(b"the books of the operator")
    for place in range(len(file)):
        changed = bytearray(file)
        changed[place] ^= 0x01
        with pytest.raises((DamagedFile, WrongPassphrase)):
            _opened(bytes(changed), 25)


def test_a_file_cut_off_anywhere_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_CHUNK", 64)
    file = _sealed(os.urandom(300))
    assert len(file) > 5 * 64
    for length in range(len(file)):
        with pytest.raises(DamagedFile):
            _opened(file[:length], 300)
    with pytest.raises(DamagedFile, match="goes on behind its end"):
        _opened(file + b"x", 300)


def test_chunks_are_neither_swapped_nor_repeated_nor_taken_from_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_CHUNK", 64)
    file, other = _sealed(bytes(range(256)) * 4), _sealed(bytes(range(256)) * 4)
    start = sealed._HEADER.size + sealed._TAG_BYTES
    step = 4 + 64 + 16

    def chunk(number: int, of: bytes = file) -> bytes:
        return of[start + number * step : start + (number + 1) * step]

    rest = file[start + 2 * step :]
    for wrong in (chunk(1) + chunk(0), chunk(0) + chunk(0), chunk(0) + chunk(1, other), chunk(1)):
        with pytest.raises(DamagedFile):
            _opened(file[:start] + wrong + rest, 1024)


def test_the_wrong_passphrase_is_told_from_a_damaged_file() -> None:
    file = _sealed(b"data", "Zoë's passphrase")
    with pytest.raises(WrongPassphrase):
        _opened(file, 4, "zoë's passphrase")
    # The same letters, typed on a keyboard that writes the accent by itself.
    assert _opened(file, 4, "Zoe\u0308's passphrase") == b"data"
    with pytest.raises(DamagedFile, match="not a backup"):
        _opened(b"SQLite format 3\0" * 10, 4)


def test_trying_passphrases_costs_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    log_n, r, _p = sealed._COST
    assert 128 * r * (1 << log_n) >= 64 * 1024 * 1024
    dear = bytearray(_sealed(b"data"))
    dear[sealed._HEADER.size - 3] = 60
    with pytest.raises(DamagedFile, match="beginning"):
        _opened(bytes(dear), 4)
