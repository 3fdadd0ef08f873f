"""A sealed file: compressed, encrypted with a passphrase, and told from any changed or shortened copy of itself.

    16 bytes  the file's mark
    19 bytes  how the key is made from the passphrase (scrypt): salt, log2 of N, r, p
    16 bytes  a tag that only the right passphrase makes
    then chunks: 4 bytes of length, AES-256-GCM ciphertext of up to 1 MiB of a zlib stream

The key is the file's own, because the salt is. A chunk's nonce is its number and whether it is the last one, so
that a chunk that was moved, repeated, swapped or left out does not open, and a file without its end is seen.
"""

from __future__ import annotations

import hashlib
import os
import struct
import unicodedata
import zlib
from gettext import gettext as _
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from omnicrm_tui.errors import CrmError

LEAST_PASSPHRASE = 12
"""Characters of a passphrase: whoever has the file may try as many as he can compute."""

_MARK = b"OmniCRM backup 1"
_SALT_BYTES = 16
_COST = (16, 8, 1)
"""log2(N), r, p of scrypt: 64 MiB and a fifth of a second for each attempt."""
_GREATEST_COST = (20, 16, 4)
_HEADER = struct.Struct(f"{len(_MARK)}s{_SALT_BYTES}sBBB")
_LENGTH = struct.Struct(">I")
_TAG_BYTES = 16
_CHUNK = 1 << 20
_LEVEL = 1
_PROOF_NONCE = b"\xff" * 12


class DamagedFile(CrmError):
    """The file is no backup, or not the one that was written."""


class WrongPassphrase(CrmError):
    """The passphrase does not open the file."""


class SealedWriter:
    """Seals a stream of bytes into `file`. Without `close` the file has no end, and no reader accepts it."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        header = _HEADER.pack(_MARK, os.urandom(_SALT_BYTES), *_COST)
        self._cipher, proof = _opened(header, passphrase)
        self._header = header
        self._packer = zlib.compressobj(_LEVEL)
        self._waiting = bytearray()
        self._number = 0
        file.write(header + proof)

    def write(self, data: bytes) -> None:
        """Add `data` to the stream."""
        self._waiting += self._packer.compress(data)
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]

    def close(self) -> None:
        """Write what is left, and the end."""
        self._waiting += self._packer.flush()
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        body = self._cipher.encrypt(_nonce(self._number, last), chunk, self._header)
        self._number += 1
        self._file.write(_LENGTH.pack(len(body)) + body)


class SealedReader:
    """Opens what SealedWriter sealed. Raises WrongPassphrase, and DamagedFile for what is not as it was written."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        self._header = file.read(_HEADER.size)
        proof = file.read(_TAG_BYTES)
        if not self._header.startswith(_MARK) or len(proof) < _TAG_BYTES:
            raise DamagedFile(_("This is not a backup of OmniCRM."))
        self._cipher, expected = _opened(self._header, passphrase)
        if proof != expected:
            raise WrongPassphrase(
                _("The passphrase does not open this backup, or the beginning of the file was changed.")
            )
        self._begin()

    def _begin(self) -> None:
        self._unpacker = zlib.decompressobj()
        self._ready = bytearray()
        self._place = 0
        self._number = 0
        self._ended = False

    @property
    def identity(self) -> str:
        """What tells this file from every other: 24 letters and digits."""
        return hashlib.sha256(self._header).hexdigest()[:24]

    def authenticate(self) -> None:
        """Look at the whole file, end included, before anything in it is used; then begin anew."""
        while not self._ended:
            self._chunk()
        self._file.seek(_HEADER.size + _TAG_BYTES)
        self._begin()

    def line(self) -> bytes:
        """Return the next line of the stream, without its end."""
        while (end := self._ready.find(b"\n", self._place)) < 0:
            self._more()
        return self._take(end + 1 - self._place)[:-1]

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes of the stream."""
        while len(self._ready) - self._place < size:
            self._more()
        return self._take(size)

    def at_end(self) -> bool:
        """Tell whether the stream is over."""
        while not self._ended and self._place == len(self._ready):
            self._more()
        return self._ended and self._place == len(self._ready)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._ready[self._place : self._place + size])
        self._place += size
        return taken

    def _more(self) -> None:
        if self._ended:
            raise DamagedFile(_("The backup says less than it should."))
        del self._ready[: self._place]
        self._place = 0
        self._ready += self._unpacker.decompress(self._chunk())

    def _chunk(self) -> bytes:
        where = self._file.tell()
        size = self._file.read(_LENGTH.size)
        length = _LENGTH.unpack(size)[0] if len(size) == _LENGTH.size else 0
        body = self._file.read(length) if _TAG_BYTES <= length <= _CHUNK + _TAG_BYTES else b""
        if not body or len(body) < length:
            raise DamagedFile(_("The backup is cut off or damaged at byte {where}.").format(where=where))
        for last in (False, True):
            try:
                chunk = self._cipher.decrypt(_nonce(self._number, last), body, self._header)
            except InvalidTag:
                continue
            self._number += 1
            self._ended = last
            if last and self._file.read(1):
                raise DamagedFile(_("The backup goes on behind its end: something was added to the file."))
            return chunk
        raise DamagedFile(_("The backup was changed or damaged near byte {where}.").format(where=where))


def _opened(header: bytes, passphrase: str) -> tuple[AESGCM, bytes]:
    """Return the cipher of a file with that header, and the tag that proves the passphrase."""
    _mark, salt, *cost = _HEADER.unpack(header)
    if not all(1 <= given <= most for given, most in zip(cost, _GREATEST_COST, strict=True)):
        raise DamagedFile(_("The beginning of the backup was changed or damaged."))
    log_n, r, p = cost
    key = Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(_plain_form(passphrase))
    cipher = AESGCM(key)
    return cipher, cipher.encrypt(_PROOF_NONCE, b"", header)


def _plain_form(passphrase: str) -> bytes:
    """Keyboards write an accented letter as one character or as two; a passphrase is the same either way."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")


def _nonce(number: int, last: bool) -> bytes:
    return bytes([last]) + number.to_bytes(11, "big")
