"""`omnicrm api-key`: keys for machines, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, TypeVar

import click

from omnicrm_tui.cli.caller import calling
from omnicrm_tui.cli.printing import print_record, print_rows
from omnicrm_tui.cli.records import Form, Id, add_twin, forms
from omnicrm_tui.cli.twins import TWINS

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_schemas import NewApiKey
    from omnicrm_tui.work import Work

T = TypeVar("T")

PRESETS = ("ansible", "billing", "monitoring", "portal")


@click.group("api-key")
def api_key() -> None:
    """List API keys, show, make, extend or revoke one."""


add_twin(api_key, TWINS["api-key"])


@api_key.command()
@forms
def configured(form: Form | None) -> None:
    """List the keys and whitelisted addresses of the configuration file, with their uses."""
    with calling() as caller:
        rows = caller.read(lambda work: work.identity.configured_access())
    columns = ("number", "kind", "name", "description", "roles", "use_count", "last_used")
    print_rows(iter(rows), columns, form or "text")


@api_key.command()
@click.option("--name", help="Which system uses it; a preset has a name.")
@click.option("--description", help="What for.")
@click.option("--preset", type=click.Choice(PRESETS), help="Name, permissions and end of a usual kind of key.")
@click.option("--permission", "permissions", multiple=True, help="A permission or role; may be given several times.")
@click.option("--until", help="Its last day (YYYY-MM-DD).")
@click.option("--days", type=click.IntRange(1, 36_500), help="How many days it is valid.")
@click.option("--customer", type=Id, help="The only customer whose data it sees.")
@click.option("--protected", is_flag=True, help="It cannot be revoked before its protection is taken away.")
@forms
def create(form: Form | None, until: str | None, days: int | None, preset: str | None, **given: Any) -> None:
    """Make a key and print it, for this once."""
    from omnicrm_tui.identity.key_schemas import ApiKeyInput
    from omnicrm_tui.schemas import parse

    given["customer_id"] = given.pop("customer")
    values = _of_preset(preset) | {name: value for name, value in given.items() if value not in (None, ())}
    if not values.get("name"):
        raise click.UsageError(_("Give the key a --name, or take a --preset."))
    days = days or (values.pop("days", None) if until is None else None)
    values.pop("days", None)

    def make(work: Work) -> NewApiKey:
        end = _end(work, until, days)
        return work.identity.create_api_key(parse(ApiKeyInput, {**values, "expiry_date": end}))

    _print_new(_change(make), form)


@api_key.command()
@click.argument("number", metavar="ID", type=Id)
@click.option("--until", help="Its last day (YYYY-MM-DD).")
@click.option("--days", type=click.IntRange(1, 36_500), help="How many days from now it is valid.")
@click.option("--for-ever", "for_ever", is_flag=True, help="It never expires.")
@forms
def extend(number: int, until: str | None, days: int | None, for_ever: bool, form: Form | None) -> None:
    """Let a key end later; an expired one is good again."""
    from omnicrm_tui.identity.key_schemas import ExtensionInput
    from omnicrm_tui.schemas import parse

    if sum((until is not None, days is not None, for_ever)) != 1:
        raise click.UsageError(_("Say until when: --until, --days or --for-ever."))
    print_record(
        _change(
            lambda work: work.identity.extend_api_key(
                number, parse(ExtensionInput, {"expiry_date": _end(work, until, days)})
            )
        ),
        form or "text",
    )


@api_key.command()
@click.argument("number", metavar="ID", type=Id)
@forms
def regenerate(number: int, form: Form | None) -> None:
    """Revoke a key at once and print another in its place, for this once."""
    _print_new(_change(lambda work: work.identity.regenerate_api_key(number)), form)


@api_key.command()
@click.argument("number", metavar="ID", type=Id)
@forms
def revoke(number: int, form: Form | None) -> None:
    """Revoke a key for good: its next use is refused."""

    def end(work: Work) -> Any:
        work.identity.revoke_api_key(number)
        return work.identity.api_key(number)

    print_record(_change(end), form or "text")


def _change(use: Callable[[Work], T]) -> T:
    with calling() as caller:
        return caller.change(use)


def _of_preset(slug: str | None) -> dict[str, Any]:
    from omnicrm_tui.identity import key_rules

    found: dict[str, Any] = {}
    for design in key_rules.PRESETS:
        if design.slug == slug:
            found = {"name": design.name, "description": design.description, "days": design.days}
            found["permissions"] = list(design.permissions)
    return found


def _end(work: Work, until: str | None, days: int | None) -> str | None:
    """Return the last day, in the operator's zone."""
    from omnicrm_tui.identity.key_rules import last_day

    return until if days is None else last_day(work.clock.now(), days, work.settings.crm.timezone).isoformat()


def _print_new(made: NewApiKey, form: Form | None) -> None:
    """Print the key on standard output, and what to think about on standard error, out of a script's way."""
    print_record(made, form or "text")
    click.echo(_("Copy this key now - it will not be shown again!"), err=True)
    for warning in made.warnings:
        click.echo(warning, err=True)
