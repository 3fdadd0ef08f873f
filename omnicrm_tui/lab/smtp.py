"""A small SMTP receiver: takes any mail for anybody, keeps it, and obeys the lab's switch."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from omnicrm_tui.lab.mail import keep_smtp
from omnicrm_tui.lab.store import Mode, Store

MOST_BYTES: Final = 25 * 1024 * 1024
MOST_RECIPIENTS: Final = 1_000
LONGEST_LINE: Final = 64 * 1024
IDLE_SECONDS: Final = 60.0
_PATH: Final = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>", re.IGNORECASE)


class _TooLong(Exception):
    """The peer sent a line longer than any that SMTP knows."""


class Session:
    """One connection. `serve` runs it to its end and never raises for what the peer does."""

    def __init__(self, store: Store, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._store = store
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "HELO": self._hello,
            "EHLO": self._extended_hello,
            "MAIL": self._mail,
            "RCPT": self._recipient,
            "DATA": self._data,
            "RSET": self._reset,
            "NOOP": self._nothing,
            "VRFY": self._verify,
            "AUTH": self._authenticate,
        }

    async def serve(self) -> None:
        """Greet, then answer commands until the peer quits, goes away, or is silent for a minute."""
        try:
            await self._say("220 lab.localhost ESMTP")
            while await self._command():
                pass
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass
        except _TooLong:
            self._writer.write(b"500 line too long\r\n")
        finally:
            self._writer.close()

    async def _command(self) -> bool:
        line = (await self._line()).decode("utf-8", "replace").strip()
        verb, _, rest = line.partition(" ")
        if verb.upper() == "QUIT":
            await self._say("221 bye")
            return False
        if self._store.switch("mail").applies_to("SMTP") and not await self._misbehave(verb.upper()):
            return False
        command = self._commands.get(verb.upper())
        if command is None:
            await self._say("500 command not known")
        else:
            await command(rest)
        return True

    async def _misbehave(self, verb: str) -> bool:
        """Do what the switch asks at the start of a mail; False ends the connection."""
        switch = self._store.switch("mail")
        if verb != "MAIL":
            return True
        if switch.mode is Mode.SLOW:
            await asyncio.sleep(switch.seconds)
            return True
        if switch.mode is Mode.FAIL:
            await self._say("421 lab.localhost is switched to fail")
        else:
            self._writer.write(b"\x00\xffthis is not SMTP\r\n")
            await self._writer.drain()
        return False

    async def _line(self) -> bytes:
        async with asyncio.timeout(IDLE_SECONDS):
            try:
                return await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                raise _TooLong from None

    async def _say(self, text: str) -> None:
        self._writer.write(text.encode() + b"\r\n")
        await self._writer.drain()

    async def _hello(self, _rest: str) -> None:
        await self._say("250 lab.localhost")

    async def _extended_hello(self, _rest: str) -> None:
        self._writer.write(b"250-lab.localhost\r\n")
        await self._say(f"250-SIZE {MOST_BYTES}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN")

    async def _mail(self, rest: str) -> None:
        found = _PATH.match(rest)
        if not found:
            await self._say("501 MAIL FROM:<address>")
            return
        self._sender, self._recipients = found[1], []
        await self._say("250 ok")

    async def _recipient(self, rest: str) -> None:
        found = _PATH.match(rest)
        if self._sender is None:
            await self._say("503 MAIL first")
        elif not found or not found[1]:
            await self._say("501 RCPT TO:<address>")
        elif len(self._recipients) >= MOST_RECIPIENTS:
            await self._say("452 too many recipients")
        else:
            self._recipients.append(found[1])
            await self._say("250 ok")

    async def _data(self, _rest: str) -> None:
        if not self._recipients or self._sender is None:
            await self._say("503 RCPT first")
            return
        await self._say("354 end with a dot on a line of its own")
        content = await self._content()
        if content is None:
            await self._say("552 too large")
        else:
            # The mail is on disk before it is accepted: the sender may forget it now.
            number = await asyncio.to_thread(keep_smtp, self._store, self._sender, self._recipients, content)
            await self._say(f"250 kept as {number}")
        self._sender, self._recipients = None, []

    async def _content(self) -> bytes | None:
        """Read to the final dot; None when there is more than allowed, which is read and thrown away."""
        lines: list[bytes] = []
        size = 0
        while (line := await self._line()) not in (b".\r\n", b".\n"):
            size += len(line)
            if size <= MOST_BYTES:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if size <= MOST_BYTES else None

    async def _reset(self, _rest: str) -> None:
        self._sender, self._recipients = None, []
        await self._say("250 ok")

    async def _nothing(self, _rest: str) -> None:
        await self._say("250 ok")

    async def _verify(self, _rest: str) -> None:
        await self._say("252 send it and see")

    async def _authenticate(self, rest: str) -> None:
        """Take any name and password, and keep neither."""
        method, _, initial = rest.partition(" ")
        questions = {"PLAIN": 0 if initial else 1, "LOGIN": 1 if initial else 2}.get(method.upper())
        if questions is None:
            await self._say("504 PLAIN or LOGIN")
            return
        for _ in range(questions):
            await self._say("334 ")
            await self._line()
        await self._say("235 ok")


async def start_smtp(store: Store, listener: socket.socket) -> asyncio.Server:
    """Serve SMTP on a listening socket."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(store, reader, writer).serve()

    return await asyncio.start_server(connected, sock=listener, limit=LONGEST_LINE)
