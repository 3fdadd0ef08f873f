"""What the process that runs a job writes: its claim, heartbeat, events and end.

Each method is one short transaction of the system actor, so that a watcher sees an event as soon as it
happened. The lease in the job's row decides who runs it: a claim succeeds for one process only, and all that is
written afterwards begins with an UPDATE that finds the row only while the lease is still this process's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import CursorResult, case, or_, update

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.languages import N_
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.provisioning.play_failures import CUT_OFF
from omnicrm_tui.provisioning.play_file import PlayNotFound, find_play, search_path
from omnicrm_tui.provisioning.rules import DEPROVISION, FAILED, MOST_CLEAN_UPS, PROVISIONED, RUNNING, SUCCESS
from omnicrm_tui.provisioning.schemas import ClaimedJob
from omnicrm_tui.provisioning.variables import forget_variables, open_variables
from omnicrm_tui.shipped import PLAYS
from omnicrm_tui.work import Work

CLEAN_UP = "clean_up"
"""Why a job runs whose first process died."""

DIED = N_("The process that ran this job ended.")
NOTHING_DONE = N_("It had not changed anything yet.")
ALL_UNDONE = N_("What it had done was undone.")
BY_HAND = N_("What its finished tasks made may have to be removed by hand.")
HELD_BACK = N_("Its items are out of service until somebody has looked.")
"""The lines that tell how the job of a process ends that died."""

LEASE_HEARTBEATS = 4
"""A lease outlasts this many heartbeats; after that the process is taken for dead."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event as the job's process reports it."""

    event_number: int
    event_name: str
    phase: str
    provisioning_status: int
    result: Mapping[str, Any]
    timestamp: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended: status 0 or 2, the finer reason, the sentence for people and the facts it set.

    Items are `held_back`, not given back, where what was done with them may not have been undone.
    """

    status: int
    reason: str
    message: str | None
    facts: Mapping[str, Any]
    held_back: bool = False


class JobProgress:
    """The pen of one job's process."""

    def __init__(self, crm: Crm, provision_id: int, owner: str) -> None:
        self._crm = crm
        self._actor = system_actor("provisioning")
        self.provision_id = provision_id
        self.owner = owner

    def claim(self, process_id: int) -> ClaimedJob | None:
        """Take the job's lease; None when it has ended or another process holds it."""
        with self._crm.as_actor(self._actor) as work:
            now_ms = milliseconds(work.clock.now())
            taken = _rows(
                work.session.execute(
                    update(Provision)
                    .where(
                        Provision.provision_id == self.provision_id,
                        Provision.provisioning_status == RUNNING,
                        or_(Provision.lease_until_ms.is_(None), Provision.lease_until_ms < now_ms),
                    )
                    .values(
                        lease_owner=self.owner,
                        lease_until_ms=self._lease_end(now_ms),
                        status_reason=case((Provision.clean_ups > 0, CLEAN_UP), else_=N_("running")),
                        started=work.clock.now(),
                        process_id=process_id,
                    )
                    .execution_options(synchronize_session=False)
                )
            )
            if not taken:
                return None
            job = work.session.get_one(Provision, self.provision_id)
            return ClaimedJob(
                provision_id=job.provision_id,
                customer_id=job.customer_id,
                product_id=job.product_id,
                service_id=job.service_id,
                provisioning_play=job.provisioning_play,
                action=job.action,
                initiating_user=job.initiating_user,
                cancel_requested=job.cancel_requested,
                clean_up=job.clean_ups > 0,
                facts=dict(job.facts),
                event_count=job.event_count,
            )

    def variables(self) -> dict[str, Any]:
        """Return the job's variables, secrets in clear; raises CrmError when the key that sealed them is gone."""
        with self._crm.reading(self._actor) as work:
            return open_variables(work, work.session.get_one(Provision, self.provision_id))

    def beat(self) -> None:
        """Renew the lease; raises LostLease."""
        with self._crm.as_actor(self._actor) as work:
            self._hold(work, lease_until_ms=self._lease_end(milliseconds(work.clock.now())))
            work.inventory.keep_reservations(self.provision_id)

    def cancel_requested(self) -> bool:
        """Tell whether somebody asked the job to stop."""
        with self._crm.reading(self._actor) as work:
            return work.session.get_one(Provision, self.provision_id).cancel_requested

    def record(self, *events: EventRecord, facts: Mapping[str, Any] | None = None) -> None:
        """Write events: each a new row, or the end of the running one with the same number; raises LostLease.

        With them go the `facts` that tasks have set: a clean-up after this process's death goes by them.
        """
        numbers = [event.event_number for event in events]
        last = max(numbers)
        with self._crm.as_actor(self._actor) as work:
            counted = case((Provision.event_count < last, last), else_=Provision.event_count)
            self._hold(work, event_count=counted, **({"facts": dict(facts)} if facts else {}))
            found = work.session.query(ProvisionEvent).filter(
                ProvisionEvent.provision_id == self.provision_id, ProvisionEvent.event_number.in_(numbers)
            )
            rows = {row.event_number: row for row in found}
            for event in events:
                row = rows.get(event.event_number)
                if row is None:
                    row = ProvisionEvent(provision_id=self.provision_id, event_number=event.event_number)
                    work.session.add(row)
                _fill(row, event)

    def finish(self, end: JobEnd) -> None:
        """Write the job's final status, free what it still holds, tell who has to know.

        A failed job gives its items back as they were and mails `provisioning.failure_list` (SVC-127); the mail
        goes to the outbox in this transaction. Raises LostLease: the job has ended, or is another process's.
        """
        with self._crm.as_actor(self._actor) as work:
            self._hold(work, lease_owner=None)
            self._end(work, self._locked(work), end)

    def interrupt(self, seen_lease_ms: int | None) -> bool | None:
        """End the job of a process that died, unless its lease was renewed since: then None.

        Tell whether it has ended. Where the process had done something that its play knows how to undo, it has not:
        it waits for a process that does (`rules.PROVISIONED`), and for another should that die as well.
        """
        with self._crm.as_actor(self._actor) as work:
            job = self._locked(work)
            if job.provisioning_status != RUNNING or job.lease_until_ms != seen_lease_ms:
                return None
            now = work.clock.now()
            cut_off = update(ProvisionEvent).where(
                ProvisionEvent.provision_id == self.provision_id, ProvisionEvent.provisioning_status == RUNNING
            )
            result = json.dumps({"msg": CUT_OFF})
            work.session.execute(
                cut_off.values(provisioning_status=FAILED, finished=now, provisioning_result_json=result)
            )
            doing = what_is_left(job.action, job.event_count, job.facts, self._is_ours(job.provisioning_play))
            if doing is Left.TO_UNDO and job.clean_ups < MOST_CLEAN_UPS:
                job.clean_ups += 1
                job.status_reason, job.started = CLEAN_UP, now
                job.lease_owner = job.lease_until_ms = job.process_id = None
                return False
            said = (DIED, NOTHING_DONE) if doing is Left.NOTHING else (DIED, BY_HAND, HELD_BACK)
            held_back = doing is not Left.NOTHING
            self._end(work, job, JobEnd(FAILED, "interrupted", "\n".join(said), job.facts, held_back))
            return True

    def _is_ours(self, play: str) -> bool:
        """Whether it is a play that comes with the product, and tells what it has begun to do."""
        try:
            return find_play(play, search_path(self._crm.settings.home)).parent == PLAYS
        except PlayNotFound:
            return False

    def _locked(self, work: Work) -> Provision:
        return work.session.get_one(Provision, self.provision_id, with_for_update=True)

    def _end(self, work: Work, job: Provision, end: JobEnd) -> None:
        job.provisioning_status = end.status
        job.status_reason = end.reason
        job.error_message = end.message
        job.facts = dict(end.facts)
        job.finished = work.clock.now()
        job.lease_owner = job.lease_until_ms = job.process_id = None
        if end.status == SUCCESS:
            work.inventory.release_reservations(self.provision_id)
            forget_variables(work, job)
        elif job.action == DEPROVISION:
            pass
        elif end.held_back:
            work.inventory.hold_back(self.provision_id)
        else:
            work.inventory.restore_reserved(self.provision_id)
        work.identity.end_job_tokens(self.provision_id)
        _log_end(work, job)
        if end.status == FAILED and end.reason != "cancelled":
            _mail_failure(work, job)

    def _hold(self, work: Work, **values: Any) -> None:
        """Change the row of a job that this process runs, and keep it for the transaction; raises LostLease.

        Heartbeat and events write beside each other and beside a user's cancel: a plain UPDATE, no version.
        """
        statement = (
            update(Provision)
            .where(Provision.provision_id == self.provision_id, Provision.lease_owner == self.owner)
            .values(values)
            .execution_options(synchronize_session=False)
        )
        if not _rows(work.session.execute(statement)):
            raise LostLease(f"job {self.provision_id} is no longer run by {self.owner}")

    def _lease_end(self, now_ms: int) -> int:
        return now_ms + int(self._crm.settings.provisioning.heartbeat_seconds * LEASE_HEARTBEATS * 1000)


class Left(Enum):
    """What a process leaves behind that died: nothing, something its play can undo, or something that nobody knows."""

    NOTHING = "nothing"
    TO_UNDO = "to undo"
    UNKNOWN = "unknown"


def what_is_left(action: str | None, events: int, facts: Mapping[str, Any], is_ours: bool) -> Left:
    """Tell what the process of a job left behind, by the facts that its tasks had set.

    Our plays set `provisioned_by_this_job` before they change anything. An operator's own play is run again with
    action=deprovision where it had named a service of its own (architecture: recovery); otherwise it could take away
    what was there before.
    """
    if action == DEPROVISION or not events:
        return Left.NOTHING
    if is_ours:
        return Left.TO_UNDO if facts.get(PROVISIONED) else Left.NOTHING
    return Left.TO_UNDO if facts.get(PROVISIONED) or facts.get("service_uuid") else Left.UNKNOWN


class LostLease(Exception):
    """Another process runs the job now, or has ended it; this one has to stop, and must not write over that."""


def _fill(row: ProvisionEvent, event: EventRecord) -> None:
    row.event_name = event.event_name[:500]
    row.phase = event.phase
    row.provisioning_status = event.provisioning_status
    row.provisioning_result_json = json.dumps(event.result, ensure_ascii=False, default=str)
    row.timestamp = event.timestamp
    row.finished = event.finished


_FAILURES = {
    "failed": (N_("Provisioning failed (failed)"), N_("Deprovisioning failed (failed)")),
    "cancelled": (N_("Provisioning failed (cancelled)"), N_("Deprovisioning failed (cancelled)")),
    "timed_out": (N_("Provisioning failed (timed_out)"), N_("Deprovisioning failed (timed_out)")),
    "interrupted": (N_("Provisioning failed (interrupted)"), N_("Deprovisioning failed (interrupted)")),
    "fatal": (N_("Provisioning failed (fatal)"), N_("Deprovisioning failed (fatal)")),
}
"""What the log says of a failed job, by its reason: of one that made a service, and of one that removed it."""


def _log_end(work: Work, job: Provision) -> None:
    removal = job.action == DEPROVISION
    what = N_("Deprovisioning finished") if removal else N_("Provisioning finished")
    if job.provisioning_status != SUCCESS:
        what = _FAILURES.get(job.status_reason, _FAILURES["failed"])[removal]
    work.activity.record(
        "provisioning",
        job.provision_id,
        what,
        customer_id=job.customer_id,
        service_id=job.service_id,
        new={"provisioning_play": job.provisioning_play, "error": job.error_message},
    )


def _mail_failure(work: Work, job: Provision) -> None:
    from omnicrm_tui.provisioning.failure_mail import failure_mail

    recipients = work.settings.provisioning.failure_list
    if not recipients:
        return
    events = work.provisioning.events(job.provision_id)
    mail = failure_mail(work.provisioning.get(job.provision_id), events, work.settings.crm.language)
    for recipient in recipients:
        work.messaging.enqueue_email(
            recipient, mail.subject, mail.text, html=mail.html, customer_id=job.customer_id, kind="provisioning_failure"
        )


def milliseconds(moment: datetime) -> int:
    """Return a moment as leases are written: milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _rows(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
