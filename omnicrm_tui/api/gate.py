"""The outermost layer: one spelling for every address, and no traceback for anybody."""

from __future__ import annotations

import logging
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omnicrm_tui.api.errors import refusal
from omnicrm_tui.api.paths import canonical

log = logging.getLogger("omnicrm.api")


class Gate:
    """ASGI middleware in front of the routers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bring the path to its canonical spelling, and answer 500 for what nobody foresaw."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await refusal(400, "An address has no NUL characters.")(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app({**scope, "path": canonical(scope["path"])}, receive, note_start)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("Unexpected error %s in %s %s", reference, scope["method"], scope["path"])
            if started:
                raise
            text = f"Something went wrong on our side. The log has the details under {reference}."
            await refusal(500, text)(scope, receive, send)
