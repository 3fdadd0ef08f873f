"""The whole lab in one object: sockets bound before `start` returns, servers in a thread of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from starlette.applications import Starlette

from omnicrm_tui.clock import Clock, SystemClock
from omnicrm_tui.lab.http import control_routes, hss_app, mailjet_app, ocs_app, smsc_app
from omnicrm_tui.lab.ocs_rpc import DEFAULT_TENANT, OcsRpc
from omnicrm_tui.lab.smtp import start_smtp
from omnicrm_tui.lab.store import Received, Store, check_part, make_switch

LOOPBACK: Final = "127.0.0.1"
LISTENERS: Final = ("ocs", "hss", "smsc", "mailjet", "mail")
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0
_BACKLOG: Final = 512


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the lab listens: `ocs` and `mail` (SMTP) are "host:port", the others URLs without a final slash."""

    ocs: str
    tenant: str
    hss: str
    smsc: str
    mail: str
    mailjet: str
    control: str


class LabNetwork:
    """An OCS, an HSS, an SMSC and a mail sink on loopback, persistent in a state folder.

    `ports` maps "ocs", "hss", "smsc", "mailjet" or "mail" to a port; 0 or nothing means a free one. Usable as a
    context manager. `start` raises OSError naming the part whose port is taken.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        tenant: str = DEFAULT_TENANT,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        unknown = set(ports or {}) - set(LISTENERS)
        if unknown:
            raise ValueError(f"unknown parts {sorted(unknown)}: one of {', '.join(LISTENERS)}")
        self._folder = folder
        self._clock = clock or SystemClock()
        self._tenant = tenant
        self._ports = dict(ports or {})
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bind every socket and serve; a lab that already runs is left alone."""
        if self._running is not None:
            return
        listeners = _bind_all(self._ports)
        addresses = _addresses(listeners, self._tenant)
        try:
            store = Store(self._folder, self._clock)
        except BaseException:
            _close_all(listeners)
            raise
        running = _Running(store, addresses, listeners, OcsRpc(store, self._clock, self._tenant))
        self._running = running
        try:
            running.begin()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop serving and close the file; a call in progress gets a second to end."""
        if self._running is not None:
            running, self._running = self._running, None
            running.end()

    @property
    def addresses(self) -> Addresses:
        """Where the parts listen; raises RuntimeError when the lab does not run."""
        return self._active().addresses

    def switch(self, part: str, mode: str = "ok", *, seconds: float = 2.0, only_for: str = "") -> None:
        """Make a part "ok", "fail", "slow" (by `seconds`) or answer "nonsense" from the next call on.

        `only_for` limits it to calls whose name contains the text: an OCS method such as "AddBalance", a line
        such as "DELETE /subscriber", or "SMTP". Raises ValueError for an unknown part or mode.
        """
        self._active().store.set_switch(check_part(part), make_switch(mode, seconds, only_for))

    def received(self, part: str, after_id: int = 0, limit: int = 100) -> list[Received]:
        """Return what a part received after the given id, oldest first; part is ocs, hss, smsc or mail."""
        return self._active().store.received(check_part(part), after_id, limit)

    def reset(self) -> None:
        """Forget accounts, subscribers, messages and switches."""
        self._active().store.clear()

    def disconnect(self, part: str) -> None:
        """Close a part's port, so that callers are refused; "mail" closes SMTP and Mailjet."""
        self._active().disconnect(_listeners_of(part))

    def reconnect(self, part: str) -> None:
        """Open a disconnected part again on the port that it had; raises OSError when another took it."""
        self._active().reconnect(_listeners_of(part))

    def _active(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the lab network does not run")
        return self._running


def _listeners_of(part: str) -> tuple[str, ...]:
    return ("mail", "mailjet") if check_part(part) == "mail" else (part,)


class _Running:
    """The lab between start and stop: its thread, its event loop, a server for each listener."""

    def __init__(self, store: Store, addresses: Addresses, listeners: dict[str, socket.socket], rpc: OcsRpc) -> None:
        self.store = store
        self.addresses = addresses
        self._listeners = listeners
        self._ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
        controls = control_routes(store, lambda: _as_mapping(addresses))
        self._apps = {
            "ocs": ocs_app(store, rpc, controls),
            "hss": hss_app(store, controls),
            "smsc": smsc_app(store, controls),
            "mailjet": mailjet_app(store, controls),
        }
        self._servers: dict[str, _Server] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lab-network", daemon=True)

    def begin(self) -> None:
        self._thread.start()
        for name in LISTENERS:
            self._call(self._open(name, self._listeners[name]))

    def end(self) -> None:
        if self._thread.is_alive():
            self._call(self._close(list(self._servers)))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)
        _close_all(self._listeners)
        self.store.close()

    def disconnect(self, names: tuple[str, ...]) -> None:
        self._call(self._close([name for name in names if name in self._servers]))

    def reconnect(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self._servers:
                self._listeners[name] = _bind(name, self._ports[name])
                self._call(self._open(name, self._listeners[name]))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    async def _open(self, name: str, listener: socket.socket) -> None:
        app = self._apps.get(name)
        server = _HttpServer(app) if app else _SmtpServer(self.store)
        await server.open(listener)
        self._servers[name] = server

    async def _close(self, names: list[str]) -> None:
        servers = [self._servers.pop(name) for name in names]
        await asyncio.gather(*(server.close() for server in servers))


class _Server:
    """Something that serves one listening socket."""

    async def open(self, listener: socket.socket) -> None:
        """Start to serve."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop serving and close the socket."""
        raise NotImplementedError


class _HttpServer(_Server):
    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # A caller that keeps its connection between plays must not find it closed.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def open(self, listener: socket.socket) -> None:
        # The socket already listens: a caller that is faster than the server waits in its queue.
        self._serving = asyncio.create_task(self._server.serve([listener]))

    async def close(self) -> None:
        self._server.should_exit = True
        if self._serving:
            await asyncio.wait([self._serving], timeout=STOP_SECONDS / 2)


class _SmtpServer(_Server):
    def __init__(self, store: Store) -> None:
        self._store = store
        self._server: asyncio.Server | None = None

    async def open(self, listener: socket.socket) -> None:
        self._server = await start_smtp(self._store, listener)

    async def close(self) -> None:
        if self._server:
            self._server.close()


def _bind_all(ports: Mapping[str, int]) -> dict[str, socket.socket]:
    listeners: dict[str, socket.socket] = {}
    try:
        for name in LISTENERS:
            listeners[name] = _bind(name, ports.get(name, 0))
    except BaseException:
        _close_all(listeners)
        raise
    return listeners


def _bind(name: str, port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named: 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"the lab's {name} cannot listen on {LOOPBACK}:{port}: {error.strerror}") from None
    return listener


def _close_all(listeners: Mapping[str, socket.socket]) -> None:
    for listener in listeners.values():
        listener.close()


def _addresses(listeners: Mapping[str, socket.socket], tenant: str) -> Addresses:
    at = {name: f"{LOOPBACK}:{listener.getsockname()[1]}" for name, listener in listeners.items()}
    return Addresses(
        ocs=at["ocs"],
        tenant=tenant,
        hss=f"http://{at['hss']}",
        smsc=f"http://{at['smsc']}",
        mail=at["mail"],
        mailjet=f"http://{at['mailjet']}",
        control=f"http://{at['mailjet']}/lab",
    )


def _as_mapping(addresses: Addresses) -> dict[str, str]:
    return {name: getattr(addresses, name) for name in Addresses.__slots__}
