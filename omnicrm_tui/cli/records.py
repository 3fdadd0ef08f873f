"""`omnicrm customer list`, `omnicrm job show 88` and their like: each list and detail of the screens as a command.

They act with the permissions of whoever calls (see `caller`), for scripts and for people who use a screen reader.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from gettext import gettext as _
from itertools import islice
from typing import Any, Literal

import click

from omnicrm_tui.cli.caller import Caller, Rows, calling
from omnicrm_tui.cli.printing import print_record, print_rows
from omnicrm_tui.cli.twins import TWINS, Twin
from omnicrm_tui.exports import Wanted, fields_of, rows_of
from omnicrm_tui.listing import ListQuery

Form = Literal["text", "csv", "json"]

TABLE_ROWS = 50
"""Rows of a plain table unless more are asked for; CSV and JSON have all."""

MAX_ID = 2**63 - 1
Id = click.IntRange(1, MAX_ID)


def forms(command: Any) -> Any:
    """Give a command the options `--json` and `--csv`."""
    as_json = click.option("--json", "form", flag_value="json", help="Print JSON, one record on each line.")
    as_csv = click.option("--csv", "form", flag_value="csv", help="Print CSV with a heading.")
    return as_json(as_csv(command))


def add_twin(group: click.Group, twin: Twin) -> None:
    """Give `group` the commands `list` and `show` of a kind of record."""
    group.add_command(_list_command(twin))
    if twin.get is not None:
        group.add_command(_show_command(twin))


def _list_command(twin: Twin) -> click.Command:
    def run(form: Form | None, **chosen: Any) -> None:
        with calling() as caller:
            rows = _short_list(twin, caller, chosen) if twin.every else _long_list(twin, caller, chosen)
            _print(twin, rows, form or "text", chosen)

    run = forms(run)
    for option in reversed(_options(twin)):
        run = option(run)
    return click.command("list", help=_("List {records}.").format(records=twin.many))(run)


def _options(twin: Twin) -> list[Any]:
    options: list[Any] = []
    if twin.of_customer or twin.needs_customer:
        words = _("The customer's id.") if twin.needs_customer else _("Only those of the customer with this id.")
        options.append(click.option("--customer", type=Id, required=twin.needs_customer, help=words))
    if twin.every is None:
        options += [
            click.option("--search", default="", help="What to look for, as in the list's search."),
            click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="May be repeated."),
            click.option("--sort", default="", help="The field to sort by; a wrong one tells which there are."),
            click.option("--desc", is_flag=True, help="From the end of the order to its start."),
        ]
    most = _("Rows at most. [default: {rows}; CSV, JSON: all]").format(rows=TABLE_ROWS)
    return [
        *options,
        click.option("--limit", type=click.IntRange(1), help=most),
        click.option("--all", "everything", is_flag=True, help="All rows, however many."),
    ]


def _short_list(twin: Twin, caller: Caller, chosen: dict[str, Any]) -> Iterator[Any]:
    assert twin.every is not None
    every = twin.every
    return iter(caller.read(lambda work: every(work, chosen.get("customer"))))


def _long_list(twin: Twin, caller: Caller, chosen: dict[str, Any]) -> Iterator[Any]:
    return rows_of(_source(twin, caller, chosen), Wanted(_query(twin, chosen)))


def _source(twin: Twin, caller: Caller, chosen: dict[str, Any]) -> Rows[Any]:
    customer = chosen.get("customer")
    return Rows(caller, twin.room, twin.window, twin.count, {} if customer is None else {"customer_id": customer})


def _query(twin: Twin, chosen: dict[str, Any]) -> ListQuery:
    sort, descending = chosen["sort"], chosen["desc"]
    if not sort and twin.newest_first:
        sort, descending = twin.newest_first, not descending
    return ListQuery(chosen["search"], _filters(chosen["filters"]), sort, descending)


def _filters(given: Sequence[str]) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(_("{text!r}: write NAME=VALUE.").format(text=text), param_hint="--filter")
        filters.setdefault(name, []).append(value)
    return filters


def _print(twin: Twin, rows: Iterator[Any], form: Form, chosen: dict[str, Any]) -> None:
    limit = chosen["limit"] or (TABLE_ROWS if form == "text" and not chosen["everything"] else None)
    shown = print_rows((_told(twin, row, form) for row in islice(rows, limit)), twin.columns, form)
    if form == "text" and shown == limit and next(rows, None) is not None:
        more = _("The first {shown}. There are more: --all prints them all, --search narrows them.")
        print(more.format(shown=shown), file=sys.stderr)


def _told(twin: Twin, row: Any, form: Form) -> Any:
    """Return a record with its prose in the reader's language, for those who read it as text."""
    if form != "text" or not twin.prose:
        return row
    values = row if isinstance(row, Mapping) else fields_of(row)
    told = {name: tell(values) for name, tell in twin.prose.items() if name in values}
    return {**row, **told} if isinstance(row, Mapping) else replace(row, **told)


def _show_command(twin: Twin) -> click.Command:
    def run(number: int, form: Form | None) -> None:
        get = twin.get
        assert get is not None
        with calling() as caller:
            print_record(_told(twin, caller.read(lambda work: get(work, number)), form or "text"), form or "text")

    run = click.argument("number", metavar="ID", type=Id)(forms(run))
    return click.command("show", help=_("Show one of these, whole: {records}.").format(records=twin.many))(run)


def _group(name: str) -> click.Group:
    """Return the command of a kind of record that has no other commands."""
    group = click.Group(name, help=_("List {records}, or show one.").format(records=TWINS[name].many))
    add_twin(group, TWINS[name])
    return group


def __getattr__(name: str) -> click.Group:
    """Make the group that `commands.COMMANDS` names ("records:customer"): there is one for each twin."""
    if name not in TWINS:
        raise AttributeError(name)
    return _group(name)
