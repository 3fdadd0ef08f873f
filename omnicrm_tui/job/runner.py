"""One provisioning job, from its claim to its end.

Its process outlives the terminal that asked for it. It claims the job by its lease, serves the REST API to its own play
on a loopback port, runs the play, writes each event as it happens, and always ends the job with a final status.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, SecretStr

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import CrmError, DatabaseProblem
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor
from omnicrm_tui.identity.schemas import Tokens
from omnicrm_tui.job.preparation import Preparation, prepare
from omnicrm_tui.job.reports import Reports, Unwritable
from omnicrm_tui.languages import N_
from omnicrm_tui.provisioning import play_failures
from omnicrm_tui.provisioning.ansible_run import PlayResult, PlayRun
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.left_folders import remove_left_folders
from omnicrm_tui.provisioning.play_failures import NOT_UNDONE, Diagnosis
from omnicrm_tui.provisioning.play_file import MAIN, search_path
from omnicrm_tui.provisioning.progress import ALL_UNDONE, DIED, HELD_BACK, JobEnd, JobProgress, LostLease
from omnicrm_tui.provisioning.rules import DEPROVISION, FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import ClaimedJob
from omnicrm_tui.provisioning.task_events import FAILED as EVENT_FAILED
from omnicrm_tui.provisioning.task_events import TaskEvent
from omnicrm_tui.redaction import Redactor, SecretValues, secret_texts

log = logging.getLogger("omnicrm.job")

CANCEL_POLL_SECONDS = 0.3
RENEW_AGAIN_SECONDS = 5.0
"""After tokens could not be renewed or written down."""
FINISH_SECONDS = 600.0
"""How long a job that has ended waits for a database that cannot be written."""
FINISH_PAUSE_SECONDS = 0.5
_TOLD_TO_END = N_(
    "The host told the job to end, as it does when it shuts down. The play cleaned up as far as there was time."
)
_END_NOT_KEPT = N_("Why the job failed could not be written down; the job log has it.")
_SECRET_COLUMNS = ("ki", "opc", "management_password")


class Job:
    """One job in this process, from its claim to its end."""

    def __init__(self, crm: Crm, provision_id: int, preparation: Preparation | None = None) -> None:
        """`preparation` is closed at the end; without one the job makes its own."""
        self._crm = crm
        self._preparation = preparation
        self._settings = crm.settings
        self._actor = system_actor("provisioning")
        owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._progress = JobProgress(crm, provision_id, owner)
        self._secrets = SecretValues()
        self._stopped = threading.Event()
        self._lost = False
        self._cleans_up = False
        self._told_to_end = False
        self._playing: PlayRun | None = None
        self._given_up: Diagnosis | None = None
        self._reports = Reports(self._progress)
        self._pause = threading.Event()

    def run(self) -> int:
        """Run the job; return 0 when this process was the one to run it, 3 when another one is, or took it over."""
        claimed = self._progress.claim(os.getpid())
        if claimed is None:
            return 3
        try:
            end = self._end_of(claimed)
            if not self._lost:
                self._finish(end)  # first: whoever waits for the end need not wait for the API's
        finally:
            if self._preparation is not None:
                self._preparation.close()
        return 3 if self._lost else 0

    def _end_of(self, claimed: ClaimedJob) -> JobEnd:
        try:
            self._preparation = preparation = self._preparation or prepare(self._settings, claimed.provision_id)
            try:
                result = self._play(claimed, preparation)
                return clean_up_end(result, claimed.facts) if claimed.clean_up else job_end(result)
            finally:
                preparation.clear()
        except CrmError as error:
            return self._not_run(claimed, error.message)
        except Exception:
            log.exception("job %s ended by an error of ours", claimed.provision_id)
            message = N_("The job could not be run because of an internal error; the job log has the details.")
            return self._not_run(claimed, message)

    def _not_run(self, claimed: ClaimedJob, message: str) -> JobEnd:
        if claimed.clean_up:
            return _not_cleaned_up(message, claimed.facts)
        return JobEnd(FAILED, "fatal", message, {})

    def _finish(self, end: JobEnd) -> None:
        """Write the end, once the database lets us: what a play did must not be taken for undone, or the reverse."""
        give_up = time.monotonic() + FINISH_SECONDS
        while True:
            try:
                with contextlib.suppress(Unwritable):  # it has ended: what the play did stands
                    self._reports.write()
                self._progress.finish(end)
                return
            except LostLease:
                self._let_go()
                return
            except DatabaseProblem as problem:
                log.warning("job %s has ended, and waits: %s", self._progress.provision_id, problem.message)
                if time.monotonic() > give_up:
                    raise
                self._pause.wait(FINISH_PAUSE_SECONDS)
            except Exception:
                if not end.facts and end.message in (None, _END_NOT_KEPT):
                    raise
                log.exception("job %s: its end cannot be written as it is", self._progress.provision_id)
                end = replace(end, facts={}, message=end.message and _END_NOT_KEPT)

    def _play(self, claimed: ClaimedJob, preparation: Preparation) -> PlayResult:
        folder, api = preparation.folder, preparation.api
        remove_left_folders(self._settings.jobs_folder)
        with self._crm.as_actor(self._actor) as work:
            tokens = work.identity.mint_job_tokens(claimed.provision_id, claimed.initiating_user)
        self._secrets.add(tokens.access_token, tokens.refresh_token)
        self._learn_secrets(claimed)
        variables = {**self._progress.variables(), "access_token": tokens.access_token}
        if claimed.clean_up:
            variables |= {**claimed.facts, "action": DEPROVISION}
        redactor = Redactor(self._secrets)
        redactor.learn(variables)
        folder.fill(
            play_folders=search_path(self._settings.home),
            config=plain(self._settings),
            variables=variables,
            api_url=api.url,
        )
        folder.write_tokens(tokens.access_token)
        run = PlayRun(
            claimed.provisioning_play,
            preparation.ansible,
            self._report,
            variables=variables,
            redactor=redactor,
            clock=self._crm.clock,
            started=lambda: api.serve(self._crm, lambda: self._give_up(play_failures.NO_API)),
            last_event=claimed.event_count,
        )
        self._cleans_up, self._reports.keeps_facts = claimed.clean_up, not claimed.clean_up
        return self._watched(run, folder, tokens.refresh_token)

    def _watched(self, run: PlayRun, folder: JobFolder, refresh_token: str) -> PlayResult:
        self._playing = run
        signal.signal(signal.SIGTERM, lambda _number, _frame: self._end_early(run))
        keeper = threading.Thread(target=self._keep, args=(run, folder, refresh_token), name="keeper", daemon=True)
        keeper.start()
        try:
            result = run.run()
        finally:
            self._stopped.set()
            keeper.join(timeout=10)
        if self._given_up is not None and result.status != SUCCESS:
            return self._fatal(self._given_up, result)
        if result.cancelled and self._told_to_end:
            return replace(result, cancelled=False, interrupted=True, message=_TOLD_TO_END)
        return result

    def _fatal(self, why: Diagnosis, result: PlayResult) -> PlayResult:
        """Return the result of a play that we stopped, and report the event that says why."""
        now, number = self._crm.clock.now(), result.event_count + 1
        told = play_failures.fatal_result(why, why.headline)
        self._report([TaskEvent(number, why.title, EVENT_FAILED, MAIN, now, now, told, fatal=True)])
        return replace(result, cancelled=False, fatal=why.kind, message=why.headline, event_count=number)

    def _give_up(self, why: Diagnosis) -> None:
        """Stop a play that cannot go on for a reason of ours: its rescue section cleans up. Thread-safe."""
        self._given_up = self._given_up or why
        if self._playing is not None:
            self._playing.cancel()

    def _let_go(self) -> None:
        """Another process has the job, or has ended it: stop the play, and write nothing more. Thread-safe."""
        if not self._lost:
            log.warning(
                "job %s lost its lease: its play is stopped, and nothing more is written of it",
                self._progress.provision_id,
            )
        self._lost = True
        if self._playing is not None:
            self._playing.cancel()

    def _end_early(self, run: PlayRun) -> None:
        """The host shuts down: the play has as long as the host allows to clean up."""
        self._told_to_end = True
        run.cancel()

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
                if not self._cleans_up and self._progress.cancel_requested():
                    run.cancel()
                if now >= refresh_at:
                    refresh_at = now + RENEW_AGAIN_SECONDS
                    tokens = self._renewed_tokens(refresh_token)
                    refresh_token = tokens.refresh_token  # the old one is used up, whatever becomes of the file
                    folder.write_tokens(tokens.access_token)
                    refresh_at = now + settings.security.access_token_minutes * 40
            except LostLease:
                self._let_go()
                return
            except (CrmError, OSError) as error:
                # The database is away for a moment, or the disk full: the play goes on, and the next look tries again.
                log.warning("job %s: %s", self._progress.provision_id, error)

    def _renewed_tokens(self, refresh_token: str) -> Tokens:
        with self._crm.as_actor(self._actor) as work:
            tokens = work.identity.refresh(refresh_token, "127.0.0.1")
        self._secrets.add(tokens.access_token, tokens.refresh_token)
        return tokens

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

    def _report(self, tasks: Sequence[TaskEvent]) -> None:
        """Write what changed; while the database is away it waits for the next time, and the play goes on."""
        if self._lost:
            return
        self._reports.add(tasks)
        try:
            self._reports.write()
        except DatabaseProblem as problem:
            log.warning("job %s: %s", self._progress.provision_id, problem.message)
        except LostLease:
            self._let_go()
        except Unwritable:
            self._give_up(play_failures.NOT_WRITTEN)


def job_end(result: PlayResult) -> JobEnd:
    """Return the job's end for the play's: 0 or 2, the finer reason, and what could not be undone."""
    if result.status == SUCCESS:
        return JobEnd(SUCCESS, N_("finished"), None, result.facts)
    reason = N_("failed")
    for name in ("cancelled", "timed_out", "interrupted", "fatal"):
        if getattr(result, name):
            reason = name
            break
    message = result.message or N_("The play failed.")
    if result.not_undone:
        message += "\n" + NOT_UNDONE.format(what=", ".join(result.not_undone))
    return JobEnd(FAILED, reason, message, result.facts)


def clean_up_end(result: PlayResult, facts: Mapping[str, Any]) -> JobEnd:
    """Return how a job ends whose first process died, after a second one undid what that had done, or tried to."""
    if result.status == SUCCESS and not result.not_undone:
        return JobEnd(FAILED, "interrupted", f"{DIED}\n{ALL_UNDONE}", facts)
    return _not_cleaned_up(", ".join(result.not_undone) or result.message, facts)


def _not_cleaned_up(what: str, facts: Mapping[str, Any]) -> JobEnd:
    said = (DIED, NOT_UNDONE.format(what=what), HELD_BACK)
    return JobEnd(FAILED, "interrupted", "\n".join(said), facts, held_back=True)


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
