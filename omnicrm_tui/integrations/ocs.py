"""The online charging system: a client of its JSON-RPC (CAT-490)."""

from __future__ import annotations

import json
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.errors import OutsideSystemError

if TYPE_CHECKING:
    import httpx

NOT_FOUND = "NOT_FOUND"
LARGEST_ANSWER = 4 * 1024 * 1024


class OcsRefused(OutsideSystemError):
    """The charging system answered with an error; `code` is its own word, such as NOT_FOUND."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(_("The charging system refused {method}: {code}.").format(method=method, code=code[:200]))
        self.code = code


class OcsClient:
    """Calls one charging system. `address` is host:port or a whole URL; `timeout` is in seconds, per call.

    `transport` replaces the network in tests.
    """

    def __init__(self, address: str, tenant: str, timeout: float, transport: httpx.BaseTransport | None = None) -> None:
        self.tenant = tenant
        self._address = address
        self._timeout = timeout
        self._transport = transport

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """Return the result of `method`; the tenant is added to `params`.

        Raises OcsRefused for an error that the charging system reports (with HTTP 200), OutsideSystemError
        when it is not configured, cannot be reached, is too slow or answers nonsense.
        """
        answer = self._post({"method": method, "params": [{"Tenant": self.tenant, **params}], "id": 1})
        error = answer.get("error")
        if error is not None:
            raise OcsRefused(method, str(error))
        if "result" not in answer:
            raise self._nonsense()
        return answer["result"]

    def find(self, method: str, params: dict[str, Any]) -> Any:
        """Return the result of `method`, or None when what was asked for does not exist."""
        try:
            return self.call(method, params)
        except OcsRefused as refused:
            if refused.code == NOT_FOUND:
                return None
            raise

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        # Imported at the first call: a terminal that shows no balances does not pay for it.
        import httpx

        if not self._address:
            raise OutsideSystemError(_("No charging system is configured: set ocs.cgrates in config.yaml."))
        try:
            with (
                httpx.Client(timeout=self._timeout, transport=self._transport, trust_env=False) as client,
                client.stream("POST", self._url(), json=body) as response,
            ):
                content = _limited(response)
                status = response.status_code
        except httpx.TimeoutException as error:
            seconds = f"{self._timeout:g}"
            raise OutsideSystemError(
                _(
                    "The charging system at {address} did not answer within {seconds} s. Try again; if it goes on, "
                    "ask the operator of the charging system."
                ).format(address=self._address, seconds=seconds)
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideSystemError(
                _(
                    "The charging system at {address} cannot be reached. Check that it runs and that ocs.cgrates "
                    "in config.yaml is its address."
                ).format(address=self._address)
            ) from error
        return self._read(status, content)

    def _read(self, status: int, content: bytes | None) -> dict[str, Any]:
        if status != 200 or content is None:
            raise self._nonsense()
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            raise self._nonsense() from None
        if not isinstance(answer, dict):
            raise self._nonsense()
        return answer

    def _url(self) -> str:
        address = self._address.rstrip("/")
        return address if "://" in address else f"http://{address}/jsonrpc"

    def _nonsense(self) -> OutsideSystemError:
        return OutsideSystemError(
            _(
                "What answers at {address} is not a charging system, or is broken. Check ocs.cgrates in config.yaml."
            ).format(address=self._address)
        )


def _limited(response: httpx.Response) -> bytes | None:
    """Return the body, or None when there is more of it than any account needs."""
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > LARGEST_ANSWER:
            return None
    return bytes(content)
