"""Logs: whole lines of JSON, from any number of processes, without secrets, in bounded files."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from omnicrm_tui import logs
from omnicrm_tui.provisioning.dispatcher import LocalDispatcher
from omnicrm_tui.redaction import Redactor
from omnicrm_tui.settings import ApiKey, DatabaseSection, LogsSection, Settings, SmtpSection

LOG = logging.getLogger("omnicrm.test")
HIDDEN = ("Pa$$", "p@ss", "p%40ss", "5e5e", "kkkk", "abcdef", "own-key", "hunter2", "rt-01", "at-01", "other-pass")


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    """Leave no handler behind, nor the level of the root logger."""
    level = logging.getLogger().level
    yield
    logs.end()
    logging.getLogger().setLevel(level)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; each has to be JSON."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.req("PLT-070")
def test_a_line_tells_when_how_bad_where_what_and_for_whom(settings: Settings) -> None:
    logs.begin(settings, "serve", job=None)
    with logs.binding(request="r-1"):
        LOG.info("Made %s", "Zoë", extra={"fields": {"status": 200}})
        thread = threading.Thread(target=LOG.warning, args=("Elsewhere",))
        thread.start()
        thread.join()
    LOG.debug("Too small")
    logging.getLogger("a.library").info("Too chatty")
    logging.getLogger("a.library").warning("Heard")
    path = settings.logs_folder / "serve.log"
    first, elsewhere, heard = lines_of(path)
    assert {name: first[name] for name in first if name != "at"} == {
        "level": "info",
        "logger": "omnicrm.test",
        "process": "serve",
        "pid": os.getpid(),
        "request": "r-1",
        "status": 200,
        "message": "Made Zoë",
    }
    assert first["at"].endswith("Z")
    assert "request" not in elsewhere
    assert heard["message"] == "Heard"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


def test_the_level_is_the_configured_one(settings: Settings) -> None:
    logs.begin(settings.model_copy(update={"logs": LogsSection(level="error")}), "worker")
    LOG.warning("No")
    logging.getLogger("a.library").warning("No")
    LOG.error("Yes")
    logs.begin(settings.model_copy(update={"logs": LogsSection(level="debug")}), "worker")
    LOG.debug("Yes")
    assert [line["message"] for line in lines_of(settings.logs_folder / "worker.log")] == ["Yes", "Yes"]


@pytest.mark.req("PLT-070")
def test_no_secret_reaches_a_log(settings: Settings) -> None:
    secrets = {
        "smtp": SmtpSection(password=SecretStr('smtp-Pa$$ "quoted"')),
        "database": DatabaseSection(server="db", password=SecretStr("db/p@ss word")),
        "jwt_secret": SecretStr("5e" * 32),
        "api_keys": {"k" * 40: ApiKey(roles=["admin"])},
    }
    configured = settings.model_copy(update=secrets)
    logs.begin(configured, "serve")
    for text in (
        'logged in with smtp-Pa$$ "quoted" and db/p@ss word',
        f"connecting to {configured.database_url}",
        f"signed with {'5e' * 32}, called with {'k' * 40}",
        "Authorization: Bearer abcdef.0123456789",
        "X-Api-Key: another-systems-own-key-0123",
        'body {"password": "hunter2!", "refresh_token": "rt-0123456789"}',
        "GET /x?access_token=at-0123456789&page=2",
        "postgresql://crm:other-pass@db/omnicrm",
    ):
        LOG.error("%s", text, extra={"fields": {"said": text}})
    try:
        raise ValueError("inside: db/p@ss word")
    except ValueError:
        LOG.exception("with a traceback")
    written = (settings.logs_folder / "serve.log").read_text("utf-8")
    for secret in [
        "Pa$$",
        "p@ss",
        "p%40ss",
        "5e5e",
        "kkkk",
        "abcdef",
        "own-key",
        "hunter2",
        "rt-01",
        "at-01",
        "other-pass",
    ]:
        assert secret not in written, secret
    assert "page=2" in written
    assert "ValueError" in written


def test_nothing_is_printed_by_threads_and_warnings(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    logs.begin(settings, "tui")

    def die() -> None:
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=die, name="doomed")
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old-fashioned", stacklevel=1)
    assert capfd.readouterr() == ("", "")
    died, warned = lines_of(settings.logs_folder / "tui.log")
    assert died["message"] == "The thread doomed ended"
    assert "in a thread" in died["error"]
    assert "old-fashioned" in warned["message"]


_WRITER = """
import logging, sys
from pathlib import Path
from omnicrm_tui.logs import JsonLines, SharedFile
from omnicrm_tui.redaction import Redactor
handler = SharedFile(Path(sys.argv[1]), most=20_000, keep=int(sys.argv[3]))
handler.setFormatter(JsonLines(Redactor(), {"writer": sys.argv[2]}))
log = logging.getLogger("omnicrm.writer")
log.addHandler(handler)
log.setLevel("INFO")
for number in range(600):
    log.info("%s", "x" * (number % 90), extra={"fields": {"number": number}})
"""


def _write_together(path: Path, keep: int) -> None:
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(writer), str(keep)]) for writer in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]


@pytest.mark.req("PLT-070")
def test_processes_share_a_file_and_lose_no_line_when_it_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    _write_together(path, 100)
    files = [path, *tmp_path.glob("worker.log.*")]
    assert len(files) > 10
    seen = [(line["writer"], line["number"]) for file in files for line in lines_of(file)]
    assert sorted(seen) == [(str(writer), number) for writer in range(3) for number in range(600)]


def test_no_more_files_are_kept_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    (tmp_path / "worker.log.9").write_text("from when more were kept")
    _write_together(path, 2)
    assert sorted(file.name for file in tmp_path.glob("worker.log.*")) == ["worker.log.1", "worker.log.2"]
    assert all(file.stat().st_size < 25_000 for file in tmp_path.iterdir())


def test_a_full_disk_loses_lines_and_says_so_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = logs.SharedFile(tmp_path / "serve.log", most=1 << 20, keep=1)
    handler.setFormatter(logs.JsonLines(Redactor(), {}))
    room, real = [1000], os.write

    def write(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)

    def say(text: str) -> None:
        handler.emit(logging.LogRecord("omnicrm.test", logging.INFO, "", 0, text, None, None))

    for _ in range(20):
        say("x" * 90)
    room[0] = 1_000_000
    say("There is room again")
    handler.close()
    *before, told, last = (tmp_path / "serve.log").read_text().splitlines()
    whole, torn = before[:-1], before[-1]
    assert len(json.loads(whole[0])["message"]) == 90
    with pytest.raises(ValueError):
        json.loads(torn)
    assert json.loads(told)["message"] == f"{20 - len(whole)} lines could not be written"
    assert json.loads(last)["message"] == "There is room again"


@pytest.mark.parametrize("given", ["a", "Req-1.2_3", "f" * 64])
def test_a_callers_id_is_taken(given: str) -> None:
    assert logs.request_id(given) == given


@pytest.mark.parametrize("given", ["", "-x", "a b", "a\n", "f" * 65, "é", '"}'])
def test_an_id_that_is_none_is_replaced(given: str) -> None:
    made = logs.request_id(given)
    assert made != given
    assert len(made) == 16


def test_a_jobs_process_is_told_which_request_started_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str | None] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: told.append(env.get(logs.REQUEST_VARIABLE)))
    dispatcher = LocalDispatcher(settings)
    dispatcher.dispatch(1)
    with logs.binding(request="r-2"):
        dispatcher.dispatch(2)
    assert told == [None, "r-2"]
