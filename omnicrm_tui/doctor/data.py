"""What is in the database: its version, its clock, what waits for a process, and whether all of it agrees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from gettext import gettext as _
from gettext import ngettext

from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.doctor.findings import Finding, broken, fine, look
from omnicrm_tui.errors import DatabaseProblem, NotFound
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.rules import JOBS, SCHEDULE
from omnicrm_tui.settings import Settings

LARGEST_DRIFT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=2)
"""How long what is due may wait before somebody should look: a courier looks every second."""
UNSTARTED_SECONDS = 120
"""How long a job may wait for its first process."""


def version(settings: Settings) -> Iterator[Finding]:
    """Ask the database for the version of its tables (PLT-518)."""
    name = _("Database")
    try:
        found = migrate.current_version(settings)
    except DatabaseProblem as error:
        yield broken(
            name, error.message, _("Nothing works until the database can be reached: check database.* and the server.")
        )
        return
    if found.state is migrate.SchemaState.LOADING or migrate.is_half_restored(settings.home):
        what = _("It is being filled by a restore or a move, or one of them was interrupted.")
        yield broken(name, what, _("Let it finish, or run the same command again."))
    elif found.state is migrate.SchemaState.CURRENT:
        yield fine(name, _("{kind}, version {version}").format(kind=_kind(settings), version=found.revision))
    elif found.state is migrate.SchemaState.NEWER:
        what = _("It is of version {version}, which this program does not know.").format(version=found.revision)
        yield broken(name, what, _("Install the newer program on this host too."))
    elif found.state is migrate.SchemaState.EMPTY:
        yield broken(name, _("It is empty."), _("Run 'omnicrm db upgrade' to make its tables."))
    else:
        what = _("It is of the older version {version}.").format(version=found.revision)
        yield broken(name, what, _("Back it up, then run 'omnicrm db upgrade'."))


def clock(crm: Crm) -> Iterator[Finding]:
    """Compare this host's clock with the database's: leases and expiry dates stand on them."""
    name = _("Clock")
    drift = crm.database_clock() - crm.clock.now()
    if abs(drift) > LARGEST_DRIFT:
        seconds = f"{drift.total_seconds():+.0f}"
        yield broken(
            name,
            _("The database's clock differs by {seconds} s from this host's.").format(seconds=seconds),
            _("Let both hosts keep time by NTP (chrony, systemd-timesyncd)."),
        )
    else:
        yield fine(name, crm.clock.now().isoformat(timespec="seconds"))


def leases(crm: Crm) -> Iterator[Finding]:
    """Tell when something is due and nobody leads (the contracts page)."""
    name = _("Outbox")
    with crm.reading(system_actor("doctor")) as work:
        backlog = work.messaging.backlog()
    if not backlog.due or backlog.oldest is None:
        yield fine(name, _("nothing waits"))
        return
    found = ngettext("{n} message is due", "{n} messages are due", backlog.due).format(n=backlog.due)
    if not backlog.led:
        mend = _("Start 'omnicrm worker' or 'omnicrm serve', or leave a terminal open.")
        yield broken(name, _("{found}, and no process delivers them.").format(found=found), mend)
    elif crm.clock.now() - backlog.oldest > LONGEST_WAIT:
        yield look(
            name,
            _("{found} since {when}.").format(found=found, when=backlog.oldest.isoformat(timespec="minutes")),
            _("Look at the outbox: the mail server or the SMS centre may refuse them."),
        )
    else:
        yield fine(name, found)


def jobs(crm: Crm) -> Iterator[Finding]:
    """Tell when jobs are held by nobody."""
    name = _("Jobs")
    with crm.reading(system_actor("doctor")) as work:
        abandoned = [*work.provisioning.abandoned(), *work.provisioning.unstarted(UNSTARTED_SECONDS)]
        held_back = [job for job in work.provisioning.left_over() if job.inventory_ids]
        led = {duty.name for duty in work.messaging.leaders() if duty.led}
    if abandoned:
        found = ngettext("{n} job has no process: {numbers}", "{n} jobs have no process: {numbers}", len(abandoned))
        found = found.format(n=len(abandoned), numbers=_first(abandoned))
        if led >= {JOBS, SCHEDULE}:
            yield look(name, found, _("A worker, server or open terminal sees to them within a minute."))
        else:
            mend = _("Start 'omnicrm worker' or 'omnicrm serve', or leave a terminal open.")
            yield broken(name, _("{found}, and nobody sees to them.").format(found=found), mend)
    if held_back:
        numbers = _first([job.provision_id for job in held_back])
        items = _first([number for job in held_back for number in job.inventory_ids])
        found = _("The process of job {numbers} died; items {items} are out of service since.")
        mend = _("Remove what the job lists as not undone, then put the items into stock again.")
        yield look(name, found.format(numbers=numbers, items=items), mend)
    if not abandoned and not held_back:
        yield fine(name, _("none is without a process"))


def _first(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers[:10])


def signing_key(crm: Crm) -> Iterator[Finding]:
    """Tell how old the key is that signs tokens."""
    name = _("Signing key")
    if crm.settings.jwt_secret is None and not any(crm.settings.keys_folder.glob("token-*.key")):
        yield fine(name, _("none yet"))  # the first log-in makes it; a look changes nothing
        return
    with crm.reading(system_actor("doctor")) as work:
        signing = [key for key in work.identity.signing_keys() if key.signs]
    if not signing:
        yield fine(name, _("jwt_secret of the configuration"))
        return
    number, age = signing[0].number, crm.clock.now() - signing[0].made
    most = crm.settings.security.signing_key_days
    found = ngettext("number {number}, {n} day old", "number {number}, {n} days old", age.days)
    found = found.format(number=number, n=age.days)
    if most and age > timedelta(days=most):
        yield look(name, found, _("Run 'omnicrm keys rotate': nobody is logged out by it."))
    else:
        yield fine(name, found)


def ssh_identities(crm: Crm) -> Iterator[Finding]:
    """Tell whom SSH keys stand for who may not log in; nothing where no key stands for anybody."""
    name, identities = _("SSH keys"), crm.settings.security.ssh_identities
    mend = _("Correct or remove the line in security.ssh_identities.")
    wrong = 0
    for number, one in enumerate(identities, 1):
        if problem := _no_way_in(crm, one.user):
            wrong += 1
            found = _("entry {number} ({key}): {problem}")
            yield look(name, found.format(number=number, key=one.key or one.principal, problem=problem), mend)
    if identities and not wrong:
        words = ngettext("{n} stands for a user", "{n} stand for users", len(identities))
        yield fine(name, words.format(n=len(identities)))


def _no_way_in(crm: Crm, login: str) -> str:
    """Return why nobody can log in by that name, "" where somebody can."""
    try:
        with crm.reading(system_actor("doctor")) as work:
            user = work.identity.user_by_login(login)
    except NotFound as error:
        return error.message
    may = user.active and not user.deleted and (user.contact_id is not None or not user.is_customer)
    return "" if may else _("{name} may not log in.").format(name=login)


def agreement(crm: Crm) -> Iterator[Finding]:
    """Read every row: what points at another points at one that is there, and the books add up."""
    from omnicrm_tui.upkeep.proof import prove

    name = _("Data")
    problems = prove(crm.engine).problems()
    for problem in problems:
        yield broken(name, problem, _("Keep a backup of it as it is, then ask who changed the database by hand."))
    if not problems:
        yield fine(name, _("everything refers to what is there, and the books add up"))


def _kind(settings: Settings) -> str:
    from sqlalchemy.engine import make_url

    return make_url(settings.database_url).get_backend_name()
