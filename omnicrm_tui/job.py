"""The process that runs one provisioning job: `python -m omnicrm_tui.job <provision_id>`.

It outlives the terminal that asked for it. It claims the job by its lease, serves the REST API to its own play
on a loopback port, runs the play, writes each event as it happens, and always ends the job with a final status.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from omnicrm_tui import logs
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import CrmError, DatabaseProblem
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor
from omnicrm_tui.provisioning.ansible_run import PlayResult, PlayRun, RunSettings
from omnicrm_tui.provisioning.job_folder import JobFolder, job_folder
from omnicrm_tui.provisioning.play_file import search_path
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress, LostLease
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import ClaimedJob
from omnicrm_tui.provisioning.task_events import TaskEvent
from omnicrm_tui.redaction import Redactor, SecretValues
from omnicrm_tui.settings import Settings, secret_texts

log = logging.getLogger("omnicrm.job")

CANCEL_POLL_SECONDS = 0.3
FINISH_SECONDS = 600.0
"""How long a job that has ended waits for a database that cannot be written."""
FINISH_PAUSE_SECONDS = 0.5
_SECRET_COLUMNS = ("ki", "opc", "management_password")


class Job:
    """One job in this process, from its claim to its end."""

    def __init__(self, crm: Crm, provision_id: int) -> None:
        self._crm = crm
        self._settings = crm.settings
        self._actor = system_actor("provisioning")
        owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._progress = JobProgress(crm, provision_id, owner)
        self._secrets = SecretValues()
        self._stopped = threading.Event()
        self._lost = False
        self._unwritten: dict[int, EventRecord] = {}
        self._pause = threading.Event()

    def run(self) -> int:
        """Run the job; return 0 when this process was the one to run it, 3 when another one is."""
        claimed = self._progress.claim(os.getpid())
        if claimed is None:
            return 3
        try:
            result = self._play(claimed)
        except CrmError as error:
            self._finish(JobEnd(FAILED, "fatal", error.message, {}))
        except Exception:
            log.exception("job %s ended by an error of ours", claimed.provision_id)
            message = "The job could not be run because of an internal error; the job log has the details."
            self._finish(JobEnd(FAILED, "fatal", message, {}))
        else:
            if not self._lost:
                self._finish(job_end(result))
        return 0

    def _finish(self, end: JobEnd) -> None:
        """Write the end, once the database lets us: what a play did must not be taken for undone, or the reverse."""
        give_up = time.monotonic() + FINISH_SECONDS
        while True:
            try:
                self._write_events()
                self._progress.finish(end)
                return
            except DatabaseProblem as problem:
                log.warning("job %s has ended, and waits: %s", self._progress.provision_id, problem.message)
                if time.monotonic() > give_up:
                    raise
                self._pause.wait(FINISH_PAUSE_SECONDS)

    def _play(self, claimed: ClaimedJob) -> PlayResult:
        with self._crm.as_actor(self._actor) as work:
            tokens = work.identity.mint_job_tokens(claimed.provision_id, claimed.initiating_user)
        self._secrets.add(tokens.access_token, tokens.refresh_token)
        self._learn_secrets(claimed)
        variables = {**self._progress.variables(), "access_token": tokens.access_token}
        redactor = Redactor(self._secrets)
        redactor.learn(variables)
        with (
            own_api(self._crm) as api_url,
            job_folder(
                play_folders=search_path(self._settings.home),
                config=plain(self._settings),
                variables=variables,
                api_url=api_url,
                parent=self._settings.jobs_folder,
                provision_id=claimed.provision_id,
            ) as folder,
        ):
            folder.write_tokens(tokens.access_token)
            run = PlayRun(
                claimed.provisioning_play,
                folder,
                self._report,
                variables=variables,
                redactor=redactor,
                clock=self._crm.clock,
                api_url=api_url,
                settings=RunSettings(
                    ansible_playbook=self._settings.provisioning.ansible_playbook or None,
                    timeout_seconds=self._settings.provisioning.task_timeout_seconds,
                ),
            )
            return self._watched(run, folder, tokens.refresh_token)

    def _watched(self, run: PlayRun, folder: JobFolder, refresh_token: str) -> PlayResult:
        signal.signal(signal.SIGTERM, lambda _number, _frame: run.cancel())
        keeper = threading.Thread(target=self._keep, args=(run, folder, refresh_token), name="keeper", daemon=True)
        keeper.start()
        try:
            return run.run()
        finally:
            self._stopped.set()
            keeper.join(timeout=10)

    def _keep(self, run: PlayRun, folder: JobFolder, refresh_token: str) -> None:
        """Renew lease and token while the play runs, and pass a request to cancel on."""
        settings = self._settings
        # Not the clock's time: put back by an hour, it would hold the heartbeat back for as long.
        beat_at = refresh_at = time.monotonic()
        refresh_at += settings.security.access_token_minutes * 40
        while not self._stopped.wait(CANCEL_POLL_SECONDS):
            try:
                now = time.monotonic()
                if now >= beat_at:
                    beat_at = now + settings.provisioning.heartbeat_seconds
                    self._progress.beat()
                if self._progress.cancel_requested():
                    run.cancel()
                if now >= refresh_at:
                    refresh_at = now + settings.security.access_token_minutes * 40
                    refresh_token = self._renew_tokens(folder, refresh_token)
            except LostLease:
                self._lost = True
                run.cancel()
                return
            except CrmError as error:
                # The database is away for a moment: the play goes on, and the next beat tries again.
                log.warning("job %s: %s", self._progress.provision_id, error.message)

    def _renew_tokens(self, folder: JobFolder, refresh_token: str) -> str:
        with self._crm.as_actor(self._actor) as work:
            tokens = work.identity.refresh(refresh_token, "127.0.0.1")
        self._secrets.add(tokens.access_token, tokens.refresh_token)
        folder.write_tokens(tokens.access_token)
        return tokens.refresh_token

    def _learn_secrets(self, claimed: ClaimedJob) -> None:
        """Teach the redactor what this job may meet: keys of its items, and the configuration's secrets."""
        self._secrets.add(*secret_texts(self._settings))
        name = f"job {claimed.provision_id}"
        reader = Actor(ActorKind.JOB, name, permissions=frozenset({"admin"}), provision_id=claimed.provision_id)
        with self._crm.reading(reader) as work:
            items = set(work.provisioning.choices(claimed.provision_id).values())
            for inventory_id in items:
                item = work.inventory.get(inventory_id, secrets=True)
                self._secrets.add(*(getattr(item, column) for column in _SECRET_COLUMNS))

    def _report(self, event: TaskEvent) -> None:
        """Write an event; while the database is away it waits for the next one, and the play goes on."""
        self._unwritten[event.event_number] = EventRecord(
            event_number=event.event_number,
            event_name=event.event_name,
            phase=event.phase,
            provisioning_status=event.status,
            result=event.result,
            timestamp=event.started,
            finished=event.finished,
        )
        try:
            self._write_events()
        except DatabaseProblem as problem:
            log.warning("job %s: %s", self._progress.provision_id, problem.message)

    def _write_events(self) -> None:
        for number in list(self._unwritten):
            self._progress.record(self._unwritten[number])
            del self._unwritten[number]


def job_end(result: PlayResult) -> JobEnd:
    """Return the job's end for the play's: 0 or 2, the finer reason, and what could not be undone."""
    if result.status == SUCCESS:
        return JobEnd(SUCCESS, "finished", None, result.facts)
    reason = "failed"
    for name in ("cancelled", "timed_out", "interrupted", "fatal"):
        if getattr(result, name):
            reason = name
            break
    message = result.message or "The play failed."
    if result.not_undone:
        message += f"\nCould not be undone: {', '.join(result.not_undone)}."
    return JobEnd(FAILED, reason, message, result.facts)


def plain(value: Any) -> Any:
    """Return settings as plain data, secrets in clear: only for the job's private folder."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {name: plain(item) for name, item in value}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


@contextmanager
def own_api(crm: Crm) -> Iterator[str]:
    """Yield the address where the play finds the API: a running one, or ours on a free loopback port.

    The socket listens at once and Ansible takes half a second to start, so the web framework is imported
    meanwhile: calls that come earlier wait in the socket's queue.
    """
    address = crm.settings.crm.internal_address
    if not _is_local(address):
        yield address
        return
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = _BesidePlay(crm, listener)
    server.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()


class _BesidePlay:
    """The API server, imported and started in a thread."""

    def __init__(self, crm: Crm, listener: socket.socket) -> None:
        self._crm = crm
        self._listener = listener
        self._server: Any = None
        self._thread = threading.Thread(target=self._start, name="start-api", daemon=True)

    def start(self) -> None:
        """Begin to start it."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it, once it has started."""
        self._thread.join()
        if self._server is not None:
            self._server.stop()

    def _start(self) -> None:
        from omnicrm_tui.api.server import ApiServer

        server = ApiServer(self._crm, self._listener)
        server.start()
        self._server = server


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "localhost") in ("localhost", "127.0.0.1", "::1")


def main() -> int:
    """Run the job whose number is the only argument."""
    settings: Settings = load_settings(os.environ)
    provision_id = int(sys.argv[1])
    logs.begin(settings, "job", job=provision_id, request=os.environ.get(logs.REQUEST_VARIABLE))
    crm = Crm.open(settings)
    try:
        return Job(crm, provision_id).run()
    finally:
        crm.close()


if __name__ == "__main__":
    sys.exit(main())
