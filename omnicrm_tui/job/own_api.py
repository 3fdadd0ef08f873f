"""Where a play finds the REST API: a running one elsewhere, or the job's own on a free loopback port."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from omnicrm_tui.settings import Settings

if TYPE_CHECKING:
    from omnicrm_tui.api.server import ApiServer
    from omnicrm_tui.crm import Crm

log = logging.getLogger("omnicrm.job")


class OwnApi:
    """The API of one job.

    Our socket listens at once; `serve` is for when Ansible plays. It takes a while to its first call, and the web
    framework is imported meanwhile: what calls earlier waits in the socket's queue.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises OSError when there is no port to listen at."""
        address = settings.crm.internal_address
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128) if _is_local(address) else None
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}" if self._listener else address
        self._server: ApiServer | None = None
        self._thread: threading.Thread | None = None

    def serve(self, crm: Crm, failed: Callable[[], None]) -> None:
        """Begin to answer, if it is ours; `failed` is called, in a thread of ours, when that cannot be."""
        if self._listener is not None:
            self._thread = threading.Thread(target=self._start, args=(crm, failed), name="start-api", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop answering and give the port back; may be called again."""
        if self._thread is not None:
            self._thread.join()
        if self._server is not None:
            self._server.stop()
            self._server = None
        elif self._listener is not None:
            self._listener.close()

    def _start(self, crm: Crm, failed: Callable[[], None]) -> None:
        assert self._listener is not None
        try:
            from omnicrm_tui.api.server import ApiServer

            server = ApiServer(crm, self._listener, limited=False)
            server.start()
            self._server = server
        except Exception:
            log.exception("the job's own API could not start")
            failed()
            self._listener.close()  # calls are refused from now on, instead of waiting for an answer


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "localhost") in ("localhost", "127.0.0.1", "::1")
