"""The whole examination, in the order in which one thing stands on another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from gettext import gettext as _

from omnicrm_tui.crm import Crm
from omnicrm_tui.doctor import data, here, there
from omnicrm_tui.doctor.findings import Finding, broken
from omnicrm_tui.errors import CrmError
from omnicrm_tui.settings import Settings


def examine(
    settings: Settings, environ: Mapping[str, str] = os.environ, *, every_row: bool = True
) -> Iterator[Finding]:
    """Yield what is found, as it is found. A check that itself fails is a finding too: the others go on.

    Without `every_row` the data themselves are not read: of a large installation that takes a while.
    """
    yield from _each(
        [
            lambda: here.configuration(settings),
            lambda: here.home(settings),
            lambda: here.disk(settings),
            lambda: here.terminal(environ),
            lambda: here.ansible(settings),
            lambda: here.plays(settings),
            lambda: there.subscribers(settings),
            lambda: there.short_messages(settings),
        ]
    )
    database = list(_each([lambda: data.version(settings)]))
    yield from database
    if any(finding.state == "broken" for finding in database):
        return
    crm = Crm.open(settings)
    try:
        yield from _each(_with_data(crm))
        if every_row:
            yield from _each([lambda: data.agreement(crm)])
    finally:
        crm.close()


def _with_data(crm: Crm) -> list[Callable[[], Iterable[Finding]]]:
    """Return the checks that need the database."""
    return [
        lambda: data.clock(crm),
        lambda: data.leases(crm),
        lambda: data.jobs(crm),
        lambda: data.signing_key(crm),
        lambda: data.ssh_identities(crm),
        lambda: there.charging(crm),
        lambda: there.mail(crm),
    ]


def _each(checks: Iterable[Callable[[], Iterable[Finding]]]) -> Iterator[Finding]:
    for check in checks:
        try:
            yield from check()
        except CrmError as error:
            yield broken(_("Doctor"), error.message, _("Mend what it says, then look again."))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            yield broken(_("Doctor"), f"{where}{error.strerror or error}", _("Mend what it says, then look again."))
