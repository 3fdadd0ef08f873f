"""What is elsewhere: the charging system, the HSS, the mail server, the SMS centre. Each is asked, none is changed."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import gettext as _

from omnicrm_tui.crm import Crm
from omnicrm_tui.doctor.findings import Finding, broken, fine, look
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.settings import Settings

REACH_SECONDS = 5.0


def charging(crm: Crm) -> Iterator[Finding]:
    """Ask the charging system whether it lives."""
    name = _("Charging system")
    section = crm.settings.ocs
    address = section.cgrates or section.OCS
    if not address:
        yield look(name, _("None is configured."), _("Set ocs.cgrates to host:port of its JSON-RPC."))
        return
    try:
        with crm.reading(system_actor("doctor")) as work:
            work.charging.ping()
    except OutsideSystemError as error:
        yield broken(name, error.message, _("Balances cannot be shown, and jobs fail, until it answers."))
        return
    yield fine(name, _("{address} answers for the tenant {tenant}").format(address=address, tenant=section.ocsTenant))
    with crm.reading(system_actor("doctor")) as work:
        left = [job for job in work.provisioning.left_over() if job.account and work.charging.has_account(job.account)]
    for job in left:
        found = _("Job {number} failed, and its account {account} is still there.")
        mend = _("Nobody is charged by it: remove the account in the charging system, and its HSS subscriber.")
        yield broken(name, found.format(number=job.provision_id, account=job.account), mend)


def subscribers(settings: Settings) -> Iterator[Finding]:
    """Ask each HSS whether something listens there: plays talk to it."""
    name = "HSS"
    if not settings.hss.hss_peers:
        yield look(name, _("None is configured."), _("Set hss.hss_peers where mobile services are sold."))
    for peer in settings.hss.hss_peers:
        problem = unreachable(peer)
        if problem:
            mend = _("Check hss.hss_peers and the way to it; mobile jobs fail until it answers.")
            yield broken(name, _("{address} cannot be reached: {problem}").format(address=peer, problem=problem), mend)
        else:
            yield fine(name, _("{address} listens").format(address=peer))


def mail(crm: Crm) -> Iterator[Finding]:
    """Greet the way that mail takes, without sending any."""
    name = _("Mail")
    with crm.reading(system_actor("doctor")) as work:
        try:
            where = work.messaging.check_mail()
        except OutsideSystemError as error:
            mend = _("Mail waits in the outbox meanwhile. Check mailjet or smtp in the configuration.")
            yield broken(name, error.message, mend)
            return
    if where:
        yield fine(name, where)
    else:
        yield look(
            name, _("No way to send mail is configured."), _("Set smtp.host, or mailjet.api_key and api_secret.")
        )


def short_messages(settings: Settings) -> Iterator[Finding]:
    """Ask whether something listens where the SMS centre should be."""
    name = _("SMS centre")
    address = settings.smsc.smsc_url
    if not address:
        yield look(name, _("None is configured."), _("Set smsc.smsc_url and smsc.api_key to send SMS."))
        return
    problem = unreachable(address)
    if problem:
        mend = _("SMS wait in the outbox meanwhile. Check smsc.smsc_url.")
        yield broken(name, _("{address} cannot be reached: {problem}").format(address=address, problem=problem), mend)
    else:
        yield fine(name, _("{address} listens").format(address=address))


def unreachable(url: str) -> str:
    """Return why nothing can be reached at `url`, or "" when something listens there."""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), REACH_SECONDS):
            return ""
    except (OSError, ValueError, UnicodeError) as error:
        return str(getattr(error, "strerror", None) or error)
