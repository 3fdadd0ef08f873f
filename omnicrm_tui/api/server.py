"""Serving the API: for good (`omnicrm serve`), or beside a job for as long as its play runs."""

from __future__ import annotations

import socket
import threading
from functools import partial
from types import TracebackType

import uvicorn
from anyio import to_thread
from fastapi import FastAPI

from omnicrm_tui.api.app import create_app
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.call_counter import SETTLE_SECONDS, settle_calls
from omnicrm_tui.identity.keeper import Keeper
from omnicrm_tui.identity.use_counter import WRITE_SECONDS, write_uses

THREADS = 15
"""Requests that run at once: as many as the engine has connections, so that none waits for one in vain."""
KEEP_ALIVE_SECONDS = 30
STOP_SECONDS = 5
_BACKLOG = 512


class ApiServer:
    """The API on its own thread, without access log and signal handlers.

        with ApiServer(crm, port=0) as server:
            call(server.url)

    Requests are accepted as soon as the socket listens, that is before `start` returns.
    """

    def __init__(
        self,
        crm: Crm,
        listener: socket.socket | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limited: bool = True,
    ):
        """Take `listener`, an already listening socket, or listen on `host` and `port` (0 for a free one).

        A job's own door is not `limited`: its play calls as often as it has to.
        """
        self._listener = _prompt(listener or listen(host, port))
        self._server = _Server(crm, limited)
        self._thread = threading.Thread(target=self._serve, name="api", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The address of the API, without a path."""
        host = self._listener.getsockname()[0]
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serve from now on; raises OutsideSystemError when the server cannot start."""
        self._thread.start()
        self._server.settled.wait()
        if not self._server.started:
            raise OutsideSystemError("The REST API could not start; the log says why.")

    def stop(self) -> None:
        """Finish the requests under way and give the port back. May be called twice."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS * 2)
        self._listener.close()

    def __enter__(self) -> ApiServer:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._server.settled.set()


def run(crm: Crm, listener: socket.socket) -> None:
    """Serve on `listener` until the process is told to end (SIGINT, SIGTERM); blocks."""
    _Server(crm, limited=True).run(sockets=[_prompt(listener)])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; raises OutsideSystemError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OutsideSystemError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from error
    return listener


def _prompt(listener: socket.socket) -> socket.socket:
    """Send answers at once: head and body are two writes, and Nagle would hold the second back for 40 ms."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(uvicorn.Server):
    """Tells a waiting thread when it is ready, or that it will never be, and writes down what requests count."""

    def __init__(self, crm: Crm, limited: bool) -> None:
        app = create_app(crm, limited=limited)
        super().__init__(_config(app))
        self.settled = threading.Event()
        uses, calls = app.state.uses, app.state.calls
        self._keepers = [Keeper("uses", uses.noted, partial(write_uses, crm, uses), WRITE_SECONDS)]
        if calls is not None:
            self._keepers.append(Keeper("calls", calls.noted, partial(settle_calls, crm, calls), SETTLE_SECONDS))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)
        for keeper in self._keepers:
            keeper.start()
        self.settled.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, once what was counted is written."""
        await super().shutdown(sockets)
        for keeper in self._keepers:
            await to_thread.run_sync(keeper.stop)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        # Forwarded headers are ours to judge, by the configuration (see `auth.source_of`).
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
