# SPDX-License-Identifier: GPL-3.0-or-later
# This file imports Ansible and is therefore, unlike the product, under the GNU General Public License,
# version 3 or later. It never imports the product.
"""`uri`, answered inside the controller: 16 ms a call instead of 360, and it can be cancelled.

It takes the place of the short name `uri` in a play. Arguments that concern files, sockets or certificates,
hosts other than the controller, `become`, `async` and `environment` go to the real module unchanged; so does
everything written as `ansible.builtin.uri`.

Environment (all optional):

OMNICRM_API_URL      base address of the CRM's own API
OMNICRM_TOKEN_FILE   JSON file with `access_token` and perhaps `refresh_token`. When our API answers 401 to a
                     bearer token, a newer token is taken from here, or asked for with the refresh token, and
                     the request is sent once more (SVC-087). Such a token goes to our API only.
OMNICRM_CANCEL_FILE  once this file exists, every call in a main section fails with "cancelled by operator",
                     those already waiting too; calls in rescue and always sections go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import tempfile
import threading
import time
import typing as t
import urllib.parse

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.urls import fetch_url, mask_url, parse_content_type
from ansible.plugins.action import ActionBase

CANCELLED = "cancelled by operator"
POLL_SECONDS = 0.05
BODY_FORMATS = ("form-urlencoded", "json", "raw")
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "url": {"type": "str", "required": True},
    "method": {"type": "str", "default": "GET"},
    "body": {"type": "raw"},
    "body_format": {"type": "str", "default": "raw", "choices": list(BODY_FORMATS)},
    "headers": {"type": "dict", "default": {}},
    "status_code": {"type": "list", "elements": "int", "default": [200]},
    "return_content": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 30},
    "follow_redirects": {
        "type": "str",
        "default": "safe",
        "choices": ["all", "no", "none", "safe", "urllib2", "yes"],
    },
    "validate_certs": {"type": "bool", "default": True},
    "url_username": {"type": "str", "aliases": ["user"]},
    "url_password": {"type": "str", "aliases": ["password"], "no_log": True},
    "force_basic_auth": {"type": "bool", "default": False},
    "http_agent": {"type": "str", "default": "ansible-httpget"},
    "force": {"type": "bool", "default": False},
    "use_proxy": {"type": "bool", "default": True},
    "use_netrc": {"type": "bool", "default": True},
    "decompress": {"type": "bool", "default": True},
    "unredirected_headers": {"type": "list", "elements": "str", "default": []},
}
ANSWERED_HERE = frozenset(ARGUMENTS) | {"user", "password"}


class _Failed(Exception):
    """What a module's fail_json would have ended with."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(result.get("msg"))
        self.result = result


class _Caller:
    """The little of a module that `fetch_url` asks for."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params = params
        self.tmpdir = tempfile.gettempdir()

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise _Failed(result)


class ActionModule(ActionBase):
    """The action plugin that Ansible loads for `uri`."""

    TRANSFERS_FILES = False
    _supports_async = True
    _supports_check_mode = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if not self._is_answered_here():
            return self._hand_over(tmp, task_vars)
        super().run(tmp, task_vars)
        _validation, params = self.validate_argument_spec(ARGUMENTS)
        params = _plain(params)
        cancel = _cancel_check(self._task)
        started = time.monotonic()
        try:
            prepared = _prepare(params)
            result = _with_fresh_token(prepared, lambda request: _interruptible(request, cancel))
        except _Failed as failure:
            result = failure.result | {"failed": True}
        result["elapsed"] = int(time.monotonic() - started)
        result.setdefault("changed", False)
        if params.get("url_password"):
            result = remove_values(result, [params["url_password"]])
        return result | {"invocation": {"module_args": _shown(params)}}

    def _is_answered_here(self) -> bool:
        task = self._task
        args = task.args
        plain_task = not task.async_val and not task.become and not any(task.environment or [])
        return (
            plain_task
            and self._connection.transport == "local"
            and ANSWERED_HERE.issuperset(args)
            and str(args.get("body_format", "raw")) in BODY_FORMATS
        )

    def _hand_over(self, tmp: str | None, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        real = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.uri",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        result: dict[str, t.Any] = real.run(tmp, task_vars)
        return result


def _plain(value: t.Any) -> t.Any:
    """Ansible's marked containers and strings as ordinary ones, so that other threads and JSON may have them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _shown(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The request as the event may tell it: everything but the credentials."""
    headers = {
        name: "********" if name.lower() in ("authorization", "cookie", "x-api-key") else value
        for name, value in params["headers"].items()
    }
    password = "********" if params.get("url_password") else None
    return params | {"url": mask_url(params["url"]), "headers": headers, "url_password": password}


def _prepare(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Bring the body into its final form and name its type, as the real module does."""
    method = params["method"].upper()
    if not (method.isascii() and method.isalpha()):
        raise _Failed({"msg": "Parameter 'method' needs to be a single word in uppercase, like GET or POST."})
    headers, body = dict(params["headers"]), params["body"]
    content_type = None
    if params["body_format"] == "json":
        content_type = "application/json"
        body = body if isinstance(body, str) else json.dumps(body)
    elif params["body_format"] == "form-urlencoded":
        content_type = "application/x-www-form-urlencoded"
        body = _form(body)
    if content_type and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = content_type
    return params | {"method": method, "headers": headers, "body": body}


def _form(body: t.Any) -> t.Any:
    if isinstance(body, dict):
        pairs = list(body.items())
    elif isinstance(body, list):
        pairs = body
    elif body is None:
        raise _Failed({"msg": "failed to parse body as form_urlencoded: expected a list or a dict", "elapsed": 0})
    else:
        return body
    fields = []
    for name, values in pairs:
        for value in values if isinstance(values, (list, dict)) else [values]:
            if value is not None:
                fields.append((to_text(name), to_text(value, nonstring="simplerepr")))
    return urllib.parse.urlencode(fields, doseq=True)


def _cancel_check(task: t.Any) -> t.Callable[[], bool]:
    path = os.environ.get("OMNICRM_CANCEL_FILE")
    if not path or _is_clean_up(task):
        return lambda: False
    return lambda: os.path.exists(path)


def _is_clean_up(task: t.Any) -> bool:
    """Whether the task, or something that contains it, stands in a rescue or always section."""
    below, node = {task._uuid}, getattr(task, "_parent", None)
    while node is not None:
        sections = [*getattr(node, "rescue", ()), *getattr(node, "always", ())]
        if any(part._uuid in below for part in sections):
            return True
        below.add(node._uuid)
        node = getattr(node, "_parent", None)
    return False


def _interruptible(request: dict[str, t.Any], cancelled: t.Callable[[], bool]) -> dict[str, t.Any]:
    """Make the call in a thread of its own and give it up as soon as the job is cancelled."""
    if cancelled():
        raise AnsibleActionFail(CANCELLED)
    outcome: list[dict[str, t.Any] | BaseException] = []

    def work() -> None:
        try:
            outcome.append(_call(request))
        except BaseException as problem:  # it is raised again in the thread that waits
            outcome.append(problem)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        if thread.is_alive() and cancelled():
            raise AnsibleActionFail(CANCELLED)
    answer = outcome[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _call(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Send one request; return what the real module would."""
    response, info = fetch_url(
        _Caller(request),
        request["url"],
        data=request["body"],
        headers=dict(request["headers"]),
        method=request["method"],
        timeout=request["timeout"],
        force=request["force"],
        use_proxy=request["use_proxy"],
        use_netrc=request["use_netrc"],
        decompress=request["decompress"],
        unredirected_headers=request["unredirected_headers"],
    )
    has_body = bool(response) and response.fp is not None
    subtype, encoding = "octet-stream", "utf-8"
    if has_body:
        _type, _main, subtype, encoding = parse_content_type(response)
    is_json = subtype.rpartition("+")[2].lower() in ("json", "javascript")
    good = info["status"] in request["status_code"]
    content = None
    if is_json or request["return_content"] or not good:
        content = _read(response, info, request)
    result = {"redirected": info["url"] != mask_url(request["url"]), "changed": False} | info
    result = {name.replace("-", "_").lower(): value for name, value in result.items()}
    result["status"] = int(result["status"])
    if "location" in result:
        result["location"] = urllib.parse.urljoin(mask_url(request["url"]), result["location"])
    return _finish(request, result, content, encoding, is_json, good)


def _read(response: t.Any, info: dict[str, t.Any], request: dict[str, t.Any]) -> t.Any:
    if response is None or response.fp is None or response.closed:
        return info.pop("body", b"")
    try:
        return response.read()
    except http.client.HTTPException as problem:
        raise _Failed({"msg": f"HTTP Error while fetching {mask_url(request['url'])}: {problem}"}) from problem


def _finish(
    request: dict[str, t.Any],
    result: dict[str, t.Any],
    content: t.Any,
    encoding: str,
    is_json: bool,
    good: bool,
) -> dict[str, t.Any]:
    text = to_text(content, encoding=encoding) if isinstance(content, bytes) else None
    if is_json and text is not None:
        with contextlib.suppress(ValueError):  # the type promised JSON: then the text is all there is
            result["json"] = json.loads(text)
    if request["return_content"]:
        result["content"] = text
    if not good:
        result["failed"] = True
        expected, said = request["status_code"], result.get("msg", "")
        result["msg"] = f"Status code was {result['status']} and not {expected}: {said}"
    return result


# --- a fresh token for our own API -------------------------------------------------------------------------


def _with_fresh_token(
    request: dict[str, t.Any], send: t.Callable[[dict[str, t.Any]], dict[str, t.Any]]
) -> dict[str, t.Any]:
    result = send(request)
    sent = _bearer(request["headers"])
    if result["status"] != 401 or sent is None or not _is_our_api(request["url"]):
        return result
    fresh = _fresh_token(sent)
    if fresh is None:
        return result
    headers = {name: value for name, value in request["headers"].items() if name.lower() != "authorization"}
    headers["Authorization"] = f"Bearer {fresh}"
    # never carried to another address by a redirection
    kept_here = [*request["unredirected_headers"], "Authorization"]
    return send(request | {"headers": headers, "unredirected_headers": kept_here})


def _bearer(headers: dict[str, t.Any]) -> str | None:
    for name, value in headers.items():
        scheme, _, token = str(value).strip().partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "bearer":
            return token.strip()
    return None


def _is_our_api(url: str) -> bool:
    ours = os.environ.get("OMNICRM_API_URL")
    return bool(ours) and _origin(url) == _origin(ours)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return parts.scheme, host, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _fresh_token(sent: str) -> str | None:
    """A token other than the one refused: somebody's newer one, or one asked for now."""
    path = os.environ.get("OMNICRM_TOKEN_FILE")
    if not path:
        return None
    try:
        with open(path, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # a refresh token is good for one use
            tokens = json.load(file)
            if tokens.get("access_token") not in (None, sent):
                return str(tokens["access_token"])
            renewed = _refresh(tokens.get("refresh_token"))
            if renewed is None:
                return None
            file.seek(0)
            file.truncate()
            json.dump(tokens | renewed, file)
            return renewed["access_token"]
    except (OSError, ValueError):
        return None


def _refresh(refresh_token: str | None) -> dict[str, str] | None:
    if not refresh_token:
        return None
    request = {name: option.get("default") for name, option in ARGUMENTS.items()}
    request |= {
        "url": os.environ["OMNICRM_API_URL"].rstrip("/") + "/crm/auth/refresh",
        "method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"refresh_token": refresh_token}),
        "follow_redirects": "none",
    }
    answer = _call(request).get("json")
    if not isinstance(answer, dict) or not answer.get("token"):
        return None
    return {"access_token": answer["token"], "refresh_token": answer.get("refresh_token", refresh_token)}
