"""The HTTP doors of the lab: OCS, HSS, SMSC, Mailjet, and on each of them the lab's own controls under /lab."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from omnicrm_tui.lab.hss import Hss, HssError, without_secrets
from omnicrm_tui.lab.mail import Refused, keep_mailjet, keep_sms
from omnicrm_tui.lab.ocs_errors import OcsError
from omnicrm_tui.lab.ocs_rpc import OcsRpc, read_call
from omnicrm_tui.lab.store import PARTS, Mode, Store, Switch, check_part, make_switch

MOST_BYTES: Final = 30 * 1024 * 1024
MOST_LISTED: Final = 1_000
_NONSENSE: Final = PlainTextResponse("<<< not what you asked for >>>")

Endpoint = Callable[[Request], Awaitable[Response]]


def ocs_app(store: Store, rpc: OcsRpc, controls: list[Route]) -> Starlette:
    """`POST /jsonrpc`; switched to fail it answers 503, to nonsense 200 with a text that is no JSON."""

    async def jsonrpc(request: Request) -> Response:
        body = await read_body(request)
        switched = await _switched(store, "ocs", _method_name(body))
        return switched or JSONResponse(rpc.answer(body))

    return Starlette(routes=[Route("/jsonrpc", jsonrpc, methods=["POST"]), *controls])


def _method_name(body: bytes) -> str:
    try:
        return read_call(body).method
    except OcsError:
        return ""


def hss_app(store: Store, controls: list[Route]) -> Starlette:
    """`PUT|GET|PATCH|DELETE /subscriber/<imsi>` and the list `GET /subscriber`."""
    hss = Hss(store)

    async def subscriber(request: Request) -> Response:
        imsi = request.path_params["imsi"]
        call = f"{request.method} /subscriber/{imsi}"
        body = {} if request.method in ("GET", "HEAD", "DELETE") else await read_object(request)
        switched = await _switched(store, "hss", call)
        if switched:
            return switched
        with store.transaction():
            try:
                answer: dict[str, Any] = _hss_call(hss, request.method, imsi, body)
                status, outcome = 200, "OK"
            except HssError as error:
                answer, status, outcome = {"result": error.reason}, error.status, error.reason
            if request.method not in ("GET", "HEAD"):
                store.record("hss", request.method, call, without_secrets(body), f"{status} {outcome}")
        return JSONResponse(answer, status)

    async def listing(_request: Request) -> Response:
        switched = await _switched(store, "hss", "GET /subscriber")
        return switched or JSONResponse({"data": hss.identities()})

    methods = ["PUT", "GET", "PATCH", "DELETE"]
    routes = [Route("/subscriber/{imsi}", subscriber, methods=methods), Route("/subscriber", listing)]
    return Starlette(routes=[*routes, *controls])


def _hss_call(hss: Hss, method: str, imsi: str, body: dict[str, Any]) -> dict[str, Any]:
    if method == "DELETE":
        hss.delete(imsi)
        return {"result": "OK", "subscriber_id": imsi}
    calls: dict[str, Callable[[], dict[str, Any]]] = {
        "PUT": lambda: hss.put(imsi, body),
        "PATCH": lambda: hss.patch(imsi, body),
    }
    return {"result": "OK", **calls.get(method, lambda: hss.get(imsi))()}


def smsc_app(store: Store, controls: list[Route]) -> Starlette:
    """`POST /SMS/plaintext/<api_key>`, `POST /api/send` and `POST /send`, each answering 201."""

    def taking(kind: str) -> Endpoint:
        async def take(request: Request) -> Response:
            body = await read_fields(request)
            # The address of the plain-text form holds the caller's key: the call is named without it.
            switched = await _switched(store, "smsc", f"POST /{kind}")
            if switched:
                return switched
            try:
                number = keep_sms(store, kind, body)
            except Refused as error:
                store.record("smsc", kind, "refused", without_secrets(body), str(error))
                return JSONResponse({"result": str(error)}, 400)
            return JSONResponse({"result": "OK", "message_id": number}, 201)

        return take

    routes = [
        Route("/SMS/plaintext/{api_key}", taking("SMS/plaintext"), methods=["POST"]),
        Route("/api/send", taking("api/send"), methods=["POST"]),
        Route("/send", taking("send"), methods=["POST"]),
    ]
    return Starlette(routes=[*routes, *controls])


def mailjet_app(store: Store, controls: list[Route]) -> Starlette:
    """`POST /v3.1/send` (CAT-506) and `GET /v3/REST/sender` with basic authentication, any key and secret."""

    def stranger(request: Request) -> Response | None:
        if request.headers.get("authorization", "").lower().startswith("basic "):
            return None
        return JSONResponse({"ErrorMessage": "API key authentication/authorization failure"}, 401)

    async def senders(request: Request) -> Response:
        switched = await _switched(store, "mail", "GET /v3/REST/sender")
        return switched or stranger(request) or JSONResponse({"Count": 0, "Data": [], "Total": 0})

    async def send(request: Request) -> Response:
        body = await read_object(request)
        switched = await _switched(store, "mail", "POST /v3.1/send")
        if refused := switched or stranger(request):
            return refused
        try:
            return JSONResponse(keep_mailjet(store, body))
        except Refused as error:
            store.record("mail", "mailjet", "refused", {}, str(error))
            return JSONResponse({"ErrorMessage": str(error)}, 400)

    routes = [Route("/v3.1/send", send, methods=["POST"]), Route("/v3/REST/sender", senders)]
    return Starlette(routes=[*routes, *controls])


def control_routes(store: Store, addresses: Callable[[], Mapping[str, Any]]) -> list[Route]:
    """The lab's own controls: `/lab`, `/lab/switch/<part>`, `/lab/received/<part>`."""

    async def overview(_request: Request) -> Response:
        switches = {part: asdict(store.switch(part)) for part in PARTS}
        return JSONResponse({"addresses": dict(addresses()), "switches": switches})

    async def switch(request: Request) -> Response:
        part = _part(request)
        if request.method == "PUT":
            try:
                store.set_switch(part, _read_switch(await read_object(request)))
            except ValueError as error:
                raise HTTPException(400, str(error)) from None
        return JSONResponse(asdict(store.switch(part)))

    async def received(request: Request) -> Response:
        part = _part(request)
        after_id, limit = (_number(request, name, default) for name, default in (("after_id", 0), ("limit", 100)))
        rows = store.received(part, after_id, min(limit, MOST_LISTED))
        return JSONResponse({"data": [{**asdict(row), "at": row.at.isoformat()} for row in rows]})

    return [
        Route("/lab", overview),
        Route("/lab/switch/{part}", switch, methods=["GET", "PUT"]),
        Route("/lab/received/{part}", received),
    ]


def _part(request: Request) -> str:
    try:
        return check_part(request.path_params["part"])
    except ValueError as error:
        raise HTTPException(404, str(error)) from None


def _read_switch(body: dict[str, Any]) -> Switch:
    seconds, only_for = body.get("seconds", 2.0), body.get("only_for", "")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isinstance(only_for, str):
        raise ValueError("seconds must be a number and only_for a text")
    return make_switch(str(body.get("mode")), seconds, only_for)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise HTTPException(400, f"{name} must be a number, 0 or more")
    return int(text)


async def _switched(store: Store, part: str, call: str) -> Response | None:
    """Return the answer that the part's switch puts in place of the real one; None lets the call through."""
    switch = store.switch(part)
    if not switch.applies_to(call):
        return None
    if switch.mode is Mode.SLOW:
        await asyncio.sleep(switch.seconds)
        return None
    store.record(part, "switched", call, {}, switch.mode.value)
    if switch.mode is Mode.NONSENSE:
        return _NONSENSE
    return JSONResponse({"id": None, "result": None, "error": f"SERVER_ERROR: {part} is switched to fail"}, 503)


async def read_body(request: Request) -> bytes:
    """Return the body; answers 413 above 30 MiB, without keeping what is beyond."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST_BYTES:
                raise HTTPException(413, "the body is larger than 30 MiB")
            chunks.append(chunk)
    except ClientDisconnect:
        raise HTTPException(400, "the client went away") from None
    return b"".join(chunks)


async def read_object(request: Request) -> dict[str, Any]:
    """Return the body's JSON object; answers 400 to anything else."""
    try:
        body = json.loads(await read_body(request), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body is no JSON object")
    return body


async def read_fields(request: Request) -> dict[str, Any]:
    """Return the fields of a JSON object or of a form."""
    if "application/x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl((await read_body(request)).decode("utf-8", "replace"), max_num_fields=100))
    return await read_object(request)


def _refuse(word: str) -> None:
    raise ValueError(word)
