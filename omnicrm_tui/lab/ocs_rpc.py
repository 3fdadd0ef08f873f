"""JSON-RPC as the charging engine speaks it: which methods there are, and how an answer looks (CAT-490)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from omnicrm_tui.clock import Clock
from omnicrm_tui.lab import ocs_accounts, ocs_actions, ocs_plans, ocs_profiles
from omnicrm_tui.lab.ocs_binding import bind
from omnicrm_tui.lab.ocs_core import Method, Ocs
from omnicrm_tui.lab.ocs_errors import OcsError
from omnicrm_tui.lab.store import Store

DEFAULT_TENANT: Final = "cgrates.org"
_ALIASES: Final = {"ApierV1": "APIerSv1", "ApierV2": "APIerSv2"}
_SUBSYSTEMS: Final = [
    "APIerSv1",
    "APIerSv2",
    "AttributeSv1",
    "CacheSv1",
    "CDRsV1",
    "ChargerSv1",
    "ConfigSv1",
    "CoreSv1",
    "FilterSv1",
    "GuardianSv1",
    "RALsV1",
    "Responder",
    "ResourceSv1",
    "RouteSv1",
    "SchedulerSv1",
    "ServiceManagerV1",
    "SessionSv1",
    "StatSv1",
    "ThresholdSv1",
]
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_STATUS: Final = {
    "active_memory": "4MiB",
    "cpu_time": "1s",
    "go_version": "none",
    "goroutines": 1,
    "node_id": "omnilab",
    "open_files": 16,
    "os_threads_in_use": 1,
    "pid": 1,
    "resident_memory": "32MiB",
    "running_since": "",
    "system_memory": "32MiB",
    "version": "CGRateS@v0.11.0~lab",
}


def _ok(_ocs: Ocs, _args: object) -> str:
    return "OK"


def _status(ocs: Ocs, _args: object) -> dict[str, Any]:
    return {**_STATUS, "running_since": ocs.now().strftime("%a %b %d %H:%M:%S UTC %Y")}


METHODS: Final[Mapping[str, Method]] = {
    **{f"{name}.Ping": Method(None, lambda _ocs, _args: "Pong") for name in _SUBSYSTEMS},
    "CoreSv1.Status": Method(None, _status),
    "SchedulerSv1.Reload": Method(None, _ok),
    "CacheSv1.ReloadCache": Method(None, _ok),
    "CacheSv1.Clear": Method(None, _ok),
    **ocs_accounts.METHODS,
    **ocs_actions.METHODS,
    **ocs_plans.METHODS,
    **ocs_profiles.METHODS,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request that could be read: `id` comes back in the answer."""

    id: object
    method: str
    params: object


def read_call(body: bytes) -> Call:
    """Read a request; raises OcsError for anything but a JSON object with a text `method`."""
    try:
        text = body.decode("utf-8", "replace")
        request = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        raise OcsError("jsonrpc: request body is no JSON") from None
    if not isinstance(request, dict):
        raise OcsError("jsonrpc: request body is no JSON object")
    fields = {key.lower(): value for key, value in _clean(request).items()}
    if not isinstance(fields.get("method"), str):
        raise OcsError("jsonrpc: request body missing method")
    return Call(fields.get("id"), fields["method"], fields.get("params"))


def _refuse(word: str) -> None:
    raise ValueError(word)


def _clean(value: Any) -> Any:
    """Replace half surrogates, which no file and no other program would take."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


class OcsRpc:
    """The OCS behind its transport; calls are carried out one after the other, each in one transaction."""

    def __init__(self, store: Store, clock: Clock, tenant: str = DEFAULT_TENANT) -> None:
        self._store = store
        self._ocs = Ocs(store, clock, tenant)

    def answer(self, body: bytes) -> dict[str, Any]:
        """Carry out a request and return its answer; whatever it changed is kept before this returns.

        `error` is null or a plain string; the transport says HTTP 200 to both. The request and the outcome are
        recorded.
        """
        try:
            call = read_call(body)
        except OcsError as error:
            detail = {"body": body[:2_000].decode("utf-8", "replace")}
            self._store.record("ocs", "json-rpc", "unreadable request", detail, str(error))
            return {"id": None, "result": None, "error": str(error)}
        with self._store.transaction():
            result, error_text = self._outcome(call)
            self._record(call, error_text)
        return {"id": plain(call.id), "result": result, "error": error_text}

    def _outcome(self, call: Call) -> tuple[object, str | None]:
        try:
            return self.call(call.method, call.params), None
        except OcsError as error:
            return None, str(error)

    def call(self, method: str, params: object) -> object:
        """Carry out one method with its `params` list; raises OcsError with the text for the caller."""
        found = find_method(method)
        if params is None:
            raise OcsError("jsonrpc: request body missing params")
        if not isinstance(params, list):
            raise OcsError("json: cannot unmarshal object into Go value of type [1]interface {}")
        first = params[0] if params else None
        return found.run(self._ocs, first if found.params is None else bind(found.params, first))

    def _record(self, call: Call, error: str | None) -> None:
        params = call.params if isinstance(call.params, list) else []
        about = params[0] if params and isinstance(params[0], dict) else {}
        subject = next((about[key] for key in ("Account", "Id", "ID", "ActionsId") if about.get(key)), "")
        detail = {"method": call.method, "params": plain(call.params)}
        self._store.record("ocs", "json-rpc", f"{call.method} {subject}".strip(), detail, error or "OK")


def find_method(name: str) -> Method:
    """Return the method of that name, an older alias or the second API's copy of the first's; raises OcsError."""
    service, dot, verb = name.rpartition(".")
    if not dot:
        raise OcsError(f"rpc: service/method request ill-formed: {name}")
    service = _ALIASES.get(service, service)
    if service not in _SUBSYSTEMS:
        raise OcsError(f"rpc: can't find service {name}")
    found = METHODS.get(f"{service}.{verb}")
    if found is None and service == "APIerSv2":
        found = METHODS.get(f"APIerSv1.{verb}")
    if found is None:
        raise OcsError(f"rpc: can't find method {name}")
    return found


def plain(value: Any) -> Any:
    """Turn exact numbers into those that JSON can hold, at any depth."""
    if isinstance(value, Decimal):
        number = float(value)
        return number if abs(number) != float("inf") else str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
