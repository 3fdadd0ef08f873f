"""Our `uri` beside Ansible's own, case by case, on a server that answers in every manner."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnicrm_tui.shipped import ACTION_PLUGINS

pytestmark = pytest.mark.ansible
IN_OTHER_WORDS = ("bad method", "bad choice", "bad timeout", "no url", "bad url")
VOLATILE = {"elapsed", "date", "invocation", "url", "exception"}


class Answers(BaseHTTPRequestHandler):
    """Tells what it was sent, and answers as the path says."""

    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        kind, _, rest = self.path.strip("/").partition("/")
        told = {"method": self.command, "path": self.path, "body": body}
        told["headers"] = {
            name.lower(): value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
        }
        self._answer(kind, rest, told)

    def _answer(self, kind: str, rest: str, told: dict[str, Any]) -> None:
        if kind == "redirect":
            self.send_response(int(rest.partition("/")[0]))
            self.send_header("Location", "/echo/there")
            data = b""
        elif kind == "basic" and "authorization" not in told["headers"]:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            data = b""
        else:
            self.send_response(int(rest) if kind == "status" else 200)
            data = json.dumps(told).encode()
            if kind == "text":
                data = "plain text: é".encode("latin-1")
            elif kind == "broken":
                data = b"{not json"
            elif kind == "gzip":
                data = gzip.compress(data, mtime=0)
                self.send_header("Content-Encoding", "gzip")
        types = {"text": "text/plain; charset=latin-1", "problem": "application/problem+json"}
        self.send_header("Content-Type", types.get(kind, "application/json"))
        self.send_header("X-Odd-Header", "1")
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = _do  # noqa: N815  http.server's names

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def cases(server: str, tmp_path: Path) -> dict[str, dict[str, Any]]:
    echo = f"{server}/echo/x?q=1"
    address = server.removeprefix("http://")
    return {
        "get": {"url": echo},
        "head": {"url": echo, "method": "HEAD"},
        "json body": {"url": echo, "method": "POST", "body_format": "json", "body": {"a": [1, None, True, "ü"]}},
        "json text": {"url": echo, "method": "put", "body_format": "json", "body": '{"a": 1}'},
        "json empty": {"url": echo, "method": "POST", "body_format": "json"},
        "own type": {
            **{"url": echo, "method": "POST", "body_format": "json", "body": [1]},
            "headers": {"content-type": "application/vnd.x+json", "X-Y": "z"},
        },
        "form": {
            **{"url": echo, "method": "POST", "body_format": "form-urlencoded"},
            "body": {"a": "1 2", "b": ["x", "y"], "c": None, "d": 3},
        },
        "form pairs": {
            **{"url": echo, "method": "POST", "body_format": "form-urlencoded"},
            "body": [["a", "1"], ["a", "2"]],
        },
        "form text": {"url": echo, "method": "POST", "body_format": "form-urlencoded", "body": "a=1"},
        "raw": {"url": echo, "method": "POST", "body": "raw text"},
        "content": {"url": f"{server}/text/x", "return_content": True},
        "no content": {"url": f"{server}/text/x"},
        "not json": {"url": f"{server}/broken/x", "return_content": "yes"},
        "problem json": {"url": f"{server}/problem/x"},
        "gzip": {"url": f"{server}/gzip/x"},
        "status wanted": {"url": f"{server}/status/404", "status_code": [200, 404]},
        "status as text": {"url": f"{server}/status/201", "status_code": "200,201"},
        "status unwanted": {"url": f"{server}/status/500"},
        "unwanted content": {"url": f"{server}/status/400", "return_content": True},
        "no content 204": {"url": f"{server}/status/204", "method": "DELETE", "status_code": 204},
        "redirect safe": {"url": f"{server}/redirect/302"},
        "redirect post": {"url": f"{server}/redirect/302", "method": "POST", "body": "x"},
        "redirect all": {"url": f"{server}/redirect/307", "method": "POST", "body": "x", "follow_redirects": "all"},
        "redirect none": {"url": f"{server}/redirect/301", "follow_redirects": "none", "status_code": 301},
        "basic": {"url": f"{server}/basic/x", "url_username": "me", "url_password": "pass word"},
        "basic forced": {"url": echo, "user": "me", "password": "pass word", "force_basic_auth": True},
        "user in url": {"url": f"http://me:word@{address}/echo/x", "force_basic_auth": True},
        "agent": {"url": echo, "http_agent": "Mine/1"},
        "bad method": {"url": echo, "method": "GET IT"},
        "bad choice": {"url": echo, "follow_redirects": "sometimes"},
        "bad timeout": {"url": echo, "timeout": "soon"},
        "no url": {"method": "GET"},
        "refused": {"url": "http://127.0.0.1:1/"},
        "bad url": {"url": "nonsense"},
        "dest": {"url": f"{server}/text/x", "dest": str(tmp_path / "got")},
        "src": {"url": echo, "method": "POST", "src": str(tmp_path / "sent")},
        "multipart": {"url": f"{server}/text/x", "method": "POST", "body_format": "form-multipart", "body": {"a": "1"}},
    }


@pytest.fixture(scope="module")
def answers(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What both said to every case: results by name and by module."""
    folder = tmp_path_factory.mktemp("uri")
    (folder / "sent").write_text("from a file")
    tasks: list[dict[str, Any]] = []
    for number, (name, arguments) in enumerate(cases(server, folder).items()):
        for kind, module in (("ours", "uri"), ("real", "ansible.builtin.uri")):
            tasks.append({module: arguments, "name": name, "register": f"{kind}_{number}", "ignore_errors": True})
    registers = [f"{kind}_{number}" for number in range(len(NAMES)) for kind in ("ours", "real")]
    everything = ", ".join(f"'{name}': {name}" for name in registers)
    keep = {"dest": str(folder / "answers.json"), "content": f"{{{{ {{{everything}}} | to_json }}}}"}
    tasks.append({"copy": keep, "name": "keep"})
    play = [{"name": "compare", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yaml").write_text(yaml.safe_dump(play, allow_unicode=True))
    environment = os.environ | {
        **{"ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS), "ANSIBLE_PYTHON_INTERPRETER": sys.executable},
        **{"ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_LOCALHOST_WARNING": "False"},
    }
    ansible = Path(sys.executable).with_name("ansible-playbook")
    run = subprocess.run([ansible, folder / "play.yaml"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    found = json.loads((folder / "answers.json").read_text())
    return {
        f"{kind} {name}": found[f"{kind}_{number}"] for number, name in enumerate(NAMES) for kind in ("ours", "real")
    }


NAMES = list(cases("http://127.0.0.1:1", Path("x")))


def test_ours_answers_as_the_real_one(answers: dict[str, dict[str, Any]]) -> None:
    """One test for all cases, so that the two runs of Ansible behind it are made once."""
    different = {}
    for name in NAMES:
        ours, real = (_comparable(answers[f"{kind} {name}"]) for kind in ("ours", "real"))
        if name in IN_OTHER_WORDS:  # both refuse; the words around the reason are those of a plugin or a module
            ours, real = ({"failed": answer["failed"]} for answer in (ours, real))
            assert ours["failed"], name
        if ours != real:
            different[name] = (ours, real)
    assert different == {}


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in answer.items() if key not in VOLATILE}
    kept["url"] = answer.get("url", "").rpartition("@")[2]
    kept["msg"] = str(answer.get("msg", "")).replace("Module failed", "Action failed")
    return kept
