"""The systems that a play calls, small and in memory: our API on one port, OCS, HSS, mail and SMS on another."""

from __future__ import annotations

import contextlib
import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KI, OPC = "A1B2C3D4E5F60718293A4B5C6D7E8F90", "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
SMS_KEY = "sms-key-51c0ffee"
TOKEN = "job-token-3f6a9b2c7d"
NEWER_TOKEN = "job-token-newer-8e1d"
MAIL_SECRET = "mailjet-secret-77aa"
IMSI = "310120123456789"
LI = {"contact_email": "li@example.com", "contact_firstname": "Li", "contact_lastname": "Wei"}
SECRETS = (KI, OPC, SMS_KEY, TOKEN, NEWER_TOKEN, MAIL_SECRET)


def stock() -> dict[int, dict[str, Any]]:
    free = {"customer_id": None, "service_id": None}
    return {
        789: {
            **{"inventory_id": 789, "item": "SIM Card", "item_state": "New", "itemtext1": "8961234567890123456"},
            **{"itemtext2": IMSI, "iccid": "8961234567890123456", "imsi": IMSI, "ki": KI, "opc": OPC, **free},
        },
        101: {
            **{"inventory_id": 101, "item": "Mobile Number", "item_state": "In Stock"},
            **{"itemtext1": "+61412345678", **free},
        },
        555: {
            **{"inventory_id": 555, "item": "SIM Card", "item_state": "Assigned", "itemtext2": "310120000000001"},
            **{"customer_id": 456, "service_id": 7000},
        },
    }


@dataclass
class Backend:
    """The state of all systems, what they received, and what is to go wrong."""

    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    items: dict[int, dict[str, Any]] = field(default_factory=stock)
    services: dict[int, dict[str, Any]] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscribers: dict[str, dict[str, Any]] = field(default_factory=dict)
    mails: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=lambda: [dict(LI)])
    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, tuple[int, Any]] = field(default_factory=dict)
    hang_on: str = ""
    token: str = TOKEN
    calls: list[str] = field(default_factory=list)
    seen_elsewhere: list[str] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    api_port: int = 0
    other_port: int = 0

    def __post_init__(self) -> None:
        base = {"comment": "", "service_type": "mobile", "retail_cost": 15.0, "wholesale_cost": 3.0}
        self.products[1] = base | {
            **{"product_id": 1, "product_name": "Mobile SIM Only", "retail_setup_cost": 5.0},
            **{"wholesale_setup_cost": 1.0, "inventory_items_list": "['SIM Card', 'Mobile Number']"},
        }
        self.products[2] = base | {"product_id": 2, "product_name": "Plain", "inventory_items_list": "[]"}

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def config(self) -> dict[str, Any]:
        other = f"127.0.0.1:{self.other_port}"
        return {
            "crm": {"base_url": "http://localhost:5000"},
            "ocs": {"cgrates": other, "ocsTenant": "lab.example"},
            "hss": {"hss_peers": [f"http://{other}"], "apn_list": "1,2"},
            "smsc": {"smsc_url": f"http://{other}/SMSc/", "api_key": SMS_KEY, "source_msisdn": "Demo"},
            "mailjet": {"api_key": "mail-key", "api_secret": MAIL_SECRET, "base_url": f"http://{other}"},
            "database": {"password": "db-password-never-there"},
            "jwt_secret": "signing-secret-never-there",
            "stripe": {"secret_key": "sk_test_never_there"},
            "api_keys": {"key-never-there": {"roles": ["admin"]}},
        }

    def snapshot(self) -> dict[str, Any]:
        """Everything that a rollback has to leave as it was."""
        names = ("items", "services", "transactions", "accounts", "subscribers")
        return {name: copy.deepcopy(getattr(self, name)) for name in names}

    def api(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        if path == "/crm/auth/refresh":
            good = (body or {}).get("refresh_token") == "refresh-1"
            return (200, {"token": NEWER_TOKEN, "refresh_token": "refresh-2"}) if good else (401, {})
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"message": "The token has expired"}
        parts = path.strip("/").split("/")
        handler = getattr(self, f"_{parts[1]}", None)
        return handler(method, parts[2:], body) if handler else (404, {"message": "unknown"})

    def other(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        if "Bearer" in str(headers.get("Authorization", "")):
            self.seen_elsewhere.append(path)
        if path == "/jsonrpc":
            return 200, {"id": 1, **self._ocs(body["method"], body["params"][0])}
        if path.startswith("/subscriber/"):
            return self._hss(method, path.rpartition("/")[2], body)
        if path.startswith("/SMSc/"):
            self.messages.append(body)
            return 201, {}
        if path == "/v3.1/send":
            self.mails.append(body)
            return 200, {}
        return 404, {}

    def _product(self, _method: str, parts: list[str], _body: Any) -> tuple[int, Any]:
        product = self.products.get(int(parts[-1]))
        return (200, product) if product else (404, {"message": "unknown product"})

    def _customer(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if method == "PUT" and parts[-1] == "email":
            self.outbox.append(body)
            return 200, {"recipients": [contact["contact_email"] for contact in self.contacts]}
        return 200, {"customer_id": 456, "contacts": self.contacts}

    def _inventory(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts[0] == "customer_id":
            return 200, {"data": [item for item in self.items.values() if item["customer_id"] == int(parts[1])]}
        item = self.items.get(int(parts[1]))
        if item is None:
            return 404, {"message": "unknown item"}
        if method == "PATCH":
            item.update(body)
        return 200, item

    def _service(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if method == "PUT":
            number = 900 + len(self.services)
            self.services[number] = {**body, "service_id": number}
            return 200, self.services[number]
        if parts[0] == "service_uuid":
            found = [one for one in self.services.values() if one["service_uuid"] == parts[1]]
            return (200, found[0]) if found else (404, {"message": "unknown service"})
        service = self.services.get(int(parts[-1]))
        if service is None:
            return 404, {"message": "unknown service"}
        if method == "DELETE":
            del self.services[int(parts[-1])]
        elif method == "PATCH":
            service.update(body)
        return 200, service

    def _transaction(self, _method: str, _parts: list[str], body: Any) -> tuple[int, Any]:
        self.transactions.append(body)
        return 200, {**body, "transaction_id": len(self.transactions)}

    def _ocs(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        name = method.partition(".")[2]
        account = params.get("Account", "")
        if name == "SetAccount":
            self.accounts[account] = {"balances": []}
        elif name == "AddBalance":
            self.accounts[account]["balances"].append({"type": params["BalanceType"], **params["Balance"]})
        elif name == "RemoveAccount":
            if account not in self.accounts:
                return {"result": None, "error": "SERVER_ERROR: NOT_FOUND"}
            del self.accounts[account]
        elif name.startswith("Remove"):
            return {"result": None, "error": "NOT_FOUND"}
        return {"result": "OK", "error": None}

    def _hss(self, method: str, imsi: str, body: Any) -> tuple[int, Any]:
        if method == "PUT":
            self.subscribers[imsi] = body
        elif imsi not in self.subscribers:
            return 404, {}
        elif method == "PATCH":
            self.subscribers[imsi].update(body)
        elif method == "DELETE":
            del self.subscribers[imsi]
            return 200, {}
        return 200, self.subscribers[imsi]


def _handler(backend: Backend, answer: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(data) if data else None
            name = body["method"] if self.path == "/jsonrpc" else f"{self.command} {self.path}"
            backend.calls.append(name)
            if backend.hang_on and backend.hang_on in name and not backend.hanging.is_set():
                backend.hanging.set()
                backend.release.wait(60)
            faults = [fault for key, fault in backend.faults.items() if key in name]
            status, reply = faults[0] if faults else answer(self.command, self.path, body, self.headers)
            text = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815  http.server's names

        def log_message(self, *_arguments: Any) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the play gave up waiting
                super().handle()

    return Handler


@contextmanager
def running_backend() -> Iterator[Backend]:
    """All systems on free ports, until the block ends."""
    backend = Backend()
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), _handler(backend, answer)) for answer in (backend.api, backend.other)
    ]
    backend.api_port, backend.other_port = (server.server_address[1] for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield backend
    finally:
        backend.release.set()
        for server in servers:
            server.shutdown()
            server.server_close()
