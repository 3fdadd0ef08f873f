"""The outermost layer: one spelling for every address, an id and a time for every request, no traceback for anybody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omnicrm_tui import logs
from omnicrm_tui.api.auth import source_of
from omnicrm_tui.api.errors import answer_to, refusal
from omnicrm_tui.api.paths import canonical
from omnicrm_tui.api.rate_limit import count_call, fields_of, standing_of
from omnicrm_tui.identity.limits import ADDRESS, RateLimited
from omnicrm_tui.identity.rate_limits import network_of

NO_ROUTE = "(none)"
"""Stands for the route of what no router knows: made-up addresses make no new names."""

Observe = Callable[[str, str, int, float], None]
"""Hears of every request: method, route as it was declared, status, seconds."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = ("/health", "/metrics")
"""Asked every few seconds by machines: logged as details."""

log = logging.getLogger("omnicrm.api")


class Gate:
    """ASGI middleware in front of the routers."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self.app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on under an id of its own, and note what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = logs.request_id(Headers(scope=scope).get("x-request-id", ""))
        inner: Scope = {**scope, "path": canonical(scope["path"])}
        status = 500

        async def note_start(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(b"x-request-id", request_id.encode()), *_limits(inner)]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        begun = time.perf_counter()
        with logs.binding(request=request_id):
            try:
                await self._answer(scope, inner, receive, note_start, request_id)
            finally:
                self._note(inner, status, time.perf_counter() - begun)

    async def _answer(self, scope: Scope, inner: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Bring the path to its canonical spelling, and answer 500 for what nobody foresaw."""
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await refusal(400, "An address has no NUL characters.")(scope, receive, send)
            return
        try:
            _count(inner)
        except RateLimited as error:
            await answer_to(error, inner)(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(inner, receive, note_start)
        except Exception:
            log.exception("Unexpected error %s in %s %s", request_id, scope["method"], scope["path"])
            if started:
                raise
            text = f"Something went wrong on our side. The log has the details under {request_id}."
            await refusal(500, text)(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        self._observe(method, route, status, seconds)
        level = logging.DEBUG if route.startswith(_QUIET) else logging.INFO
        fields = {"status": status, "milliseconds": round(seconds * 1000, 1)}
        # An address that holds a code is not written down.
        path = route if "{token}" in route else scope["path"]
        log.log(level, "%s %s", method, path, extra={"fields": fields})


def _count(scope: Scope) -> None:
    """Count the call for its address, whoever it turns out to be. Raises RateLimited.

    How the system does is asked by machines all the time, and most of all when it does badly.
    """
    if not scope["path"].startswith("/health"):
        count_call(scope, ADDRESS, network_of(source_of(Request(scope))))


def _limits(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    standing = standing_of(scope)
    return () if standing is None else fields_of(standing, scope["app"].state.crm.clock.now())
