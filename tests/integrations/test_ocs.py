"""The client of the charging system against a pretend transport."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.integrations.ocs import LARGEST_ANSWER, OcsClient, OcsRefused

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, address: str = "ocs.example:2080") -> OcsClient:
    return OcsClient(address, "cgrates.org", 2.0, httpx.MockTransport(handler))


@pytest.mark.req("CAT-490")
@pytest.mark.parametrize("address", ["ocs.example:2080", "http://ocs.example:2080/jsonrpc"])
def test_a_call_is_one_post_with_the_tenant(address: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": 1, "result": "OK", "error": None})

    assert client(answer, address).call("ApierV2.SetAccount", {"Account": "A1"}) == "OK"
    assert (seen[0].method, str(seen[0].url)) == ("POST", "http://ocs.example:2080/jsonrpc")
    assert seen[0].headers["content-type"] == "application/json"
    body = json.loads(seen[0].content)
    assert body["method"] == "ApierV2.SetAccount"
    assert body["params"] == [{"Tenant": "cgrates.org", "Account": "A1"}]


def test_an_error_of_the_charging_system_comes_with_its_code() -> None:
    refusing = client(lambda _: httpx.Response(200, json={"id": 1, "result": None, "error": "NOT_FOUND"}))
    with pytest.raises(OcsRefused) as refused:
        refusing.call("ApierV2.GetAccount", {"Account": "A1"})
    assert refused.value.code == "NOT_FOUND"
    assert refusing.find("ApierV2.GetAccount", {"Account": "A1"}) is None
    broken = client(lambda _: httpx.Response(200, json={"id": 1, "result": None, "error": "SERVER_ERROR: x"}))
    with pytest.raises(OcsRefused, match="SERVER_ERROR"):
        broken.find("ApierV2.GetAccount", {"Account": "A1"})


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(500, text="oops"),
        httpx.Response(404, json={"result": 1, "error": None}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text="[" * 50_000),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={}),
        httpx.Response(200, content=b"x" * (LARGEST_ANSWER + 1)),
    ],
)
def test_nonsense_is_named_with_its_address(response: httpx.Response) -> None:
    with pytest.raises(OutsideSystemError, match=r"ocs\.example:2080 is not a charging system"):
        client(lambda _: response).call("ApierV2.GetAccount", {})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (httpx.ReadTimeout("slow"), "did not answer within 2 s"),
        (httpx.ConnectError("refused"), "cannot be reached"),
        (httpx.RemoteProtocolError("half"), "cannot be reached"),
    ],
)
def test_an_unreachable_or_slow_system_is_told_with_what_to_do(error: Exception, sentence: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(OutsideSystemError, match=sentence):
        client(fail).call("ApierV2.GetAccount", {})
    with pytest.raises(OutsideSystemError, match=r"set ocs\.cgrates"):
        client(fail, "").call("ApierV2.GetAccount", {})
    with pytest.raises(OutsideSystemError, match="cannot be reached"):
        OcsClient("http://[nowhere", "cgrates.org", 1.0).call("ApierV2.GetAccount", {})


def test_the_http_library_is_not_loaded_before_the_first_call() -> None:
    code = "import sys; import omnicrm_tui.charging.service; sys.exit('httpx' in sys.modules or 'babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
