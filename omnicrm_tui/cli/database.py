"""`omnicrm db`: the database's tables."""

from __future__ import annotations

import json
import sys
from gettext import gettext as _
from gettext import ngettext
from math import ceil
from typing import TYPE_CHECKING

import click

from omnicrm_tui.cli.whole_home import settings_of_whole_home
from omnicrm_tui.database import migrate

if TYPE_CHECKING:
    from omnicrm_tui.database.upgrade_lock import JobsRunning
    from omnicrm_tui.database.upgrade_plan import UpgradePlan


@click.group()
def db() -> None:
    """Make, upgrade or check the database's tables."""


@db.command()
@click.argument("revision", default="head")
@click.option(
    "--wait", type=click.IntRange(0), default=600, show_default=True, help="Seconds to wait for running jobs."
)
def upgrade(revision: str, wait: int) -> None:
    """Bring the tables to REVISION, by default the newest, once no job is running."""
    from omnicrm_tui import opening

    def told(waits: JobsRunning) -> None:
        click.echo(_("Waiting for jobs to end: {jobs}").format(jobs=", ".join(map(str, waits.jobs))))

    steps = opening.upgrade(settings_of_whole_home(), revision, wait, told)
    for step in steps:
        click.echo(_("Upgraded to {step}").format(step=step))
    if not steps:
        click.echo(_("The database is up to date."))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the tables back to REVISION, by default by one step; 'base' drops all of them, with the data."""
    settings = settings_of_whole_home()
    if not yes and sys.stdin.isatty():
        click.confirm(
            _("This drops what came after {revision}, with the data in it. Go on?").format(revision=revision),
            abort=True,
        )
    steps = migrate.downgrade(settings, revision)
    for step in steps:
        click.echo(_("Took back {step}").format(step=step))
    if not steps:
        click.echo(_("There is nothing to take back."))


@db.command()
def current() -> None:
    """Say which version the database has."""
    version = migrate.current_version(settings_of_whole_home())
    words = {
        migrate.SchemaState.EMPTY: "empty",
        migrate.SchemaState.CURRENT: f"{version.revision} (current)",
        migrate.SchemaState.OLDER: _("{revision} (older: this program works with {head})").format(
            revision=version.revision, head=migrate.HEAD
        ),
        migrate.SchemaState.NEWER: _("{revision} (newer: this program works with {head})").format(
            revision=version.revision, head=migrate.HEAD
        ),
        migrate.SchemaState.LOADING: _("being filled by a restore or a move"),
    }
    click.echo(words[version.state])


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
def check(as_json: bool) -> None:
    """Say what an upgrade would do, and about how long it would take; exit with 1 when there is something to do."""
    plan = migrate.plan(settings_of_whole_home())
    if as_json:
        click.echo(_as_json(plan))
    elif plan.steps:
        _tell(plan)
    else:
        click.echo(_("The database is up to date."))
    if plan.steps:
        sys.exit(1)


def _as_json(plan: UpgradePlan) -> str:
    steps = [
        {
            "revision": step.revision,
            "title": step.title,
            "seconds": round(step.seconds, 1),
            "tables": [{"table": one.table, "how": one.how, "rows": one.rows} for one in step.tables],
        }
        for step in plan.steps
    ]
    summary = {"found": plan.found, "known": plan.known, "seconds": round(plan.seconds, 1)}
    return json.dumps({**summary, "running_jobs": plan.running_jobs, "steps": steps}, indent=2)


def _tell(plan: UpgradePlan) -> None:
    for step in plan.steps:
        click.echo(_("An upgrade would bring {step}").format(step=f"{step.revision}: {step.title}"))
        for one in step.tables:
            click.echo(f"  {one.table} {one.words}")
    click.echo(_("It takes {about}. Nobody can save anything meanwhile.").format(about=_about(plan.seconds)))
    if plan.found is not None:
        click.echo(_("Open terminals and running servers say that they have to be started again. Back it up first."))
    if plan.running_jobs:
        click.echo(
            ngettext(
                "A job is running ({jobs}): the upgrade waits until it has ended.",
                "{count} jobs are running ({jobs}): the upgrade waits until they have ended.",
                len(plan.running_jobs),
            ).format(count=len(plan.running_jobs), jobs=", ".join(map(str, plan.running_jobs)))
        )


def _about(seconds: float) -> str:
    """Say how long, no more exactly than anybody can know."""
    if seconds < 5:
        return _("a few seconds")
    if seconds < 90:
        return _("about {seconds} seconds").format(seconds=ceil(seconds / 10) * 10)
    return _("about {minutes} minutes").format(minutes=ceil(seconds / 60))
