"""The headless twin of each list and detail that a screen shows: what it is called, and where its rows come from.

A room that gets a list or a page adds a line here; a test walks the screens and names what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.exports import fields_of
from omnicrm_tui.identity.actor import who
from omnicrm_tui.languages import said
from omnicrm_tui.provisioning.play_failures import told_event, told_message
from omnicrm_tui.provisioning.rules import REASONS, STATUS_NAMES

if TYPE_CHECKING:
    from omnicrm_tui.work import Work

Room = Callable[["Work"], Any]
Telling = Callable[[Mapping[str, Any]], Any]
"""Returns of a record, by the names of its fields, what people read in the place of one of them."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A kind of record as commands list and show it.

    `room` has the list's methods, named by `window` and `count`; a kind that is only known within a customer, or
    has a handful of records, has `every` instead. `get` returns one record. `columns` are the fields of the plain
    table; CSV and JSON have all of them.
    """

    name: str
    many: str
    columns: tuple[str, ...]
    room: Room
    get: Callable[[Work, int], Any] | None = None
    every: Callable[[Work, int | None], Sequence[Any]] | None = None
    window: str = "window"
    count: str = "count"
    of_customer: bool = False
    """Whether `--customer` narrows the list to one customer's."""
    needs_customer: bool = False
    """Whether there is a list only within a customer."""
    prose: Mapping[str, Telling] = field(default_factory=dict)
    """Fields with words of ours, stored in English, and what gives people theirs; CSV and JSON are as stored."""
    newest_first: str = ""
    """The sort whose descending order is the list's own."""


def _words(*names: str) -> dict[str, Telling]:
    """Return how fields are told that hold one stored word each."""
    return {name: partial(_word, name) for name in names}


def _word(name: str, record: Mapping[str, Any]) -> str:
    return said(record[name] or "")


def _service(work: Work, service_id: int) -> dict[str, Any]:
    """Return a service as its page shows it: with its items, and its account in the charging system."""
    service = work.customer_services.get(service_id)
    try:
        account: Any = work.charging.account(service_id)
    except OutsideSystemError as error:
        account = {"problem": error.message}
    return {**fields_of(service), "items": work.inventory.items_of_service(service_id), "account": account}


def _job(work: Work, provision_id: int) -> dict[str, Any]:
    """Return a job with its tasks so far."""
    return {**fields_of(work.provisioning.get(provision_id)), "events": work.provisioning.events(provision_id)}


def _user(work: Work, user_id: int) -> dict[str, Any]:
    """Return a user as its page shows it: with open sessions, and what it may do through which role."""
    user = fields_of(work.identity.user(user_id))
    return {**user, "sessions": work.identity.sessions_of(user_id), "rights": work.identity.rights(user_id)}


def _contacts(work: Work, customer_id: int | None) -> Sequence[Any]:
    return work.customers.contacts(customer_id or 0)


def _sites(work: Work, customer_id: int | None) -> Sequence[Any]:
    return work.customers.sites(customer_id or 0)


_ALL = (
    Twin(
        "customer",
        _("customers"),
        ("customer_id", "customer_name", "customer_account_type", "customer_status", "customer_phone"),
        room=lambda work: work.customers,
        get=lambda work, number: work.customers.get(number),
        prose=_words("customer_account_type", "customer_payment_type", "customer_status"),
    ),
    Twin(
        "contact",
        _("contacts of a customer"),
        ("contact_id", "contact_firstname", "contact_lastname", "contact_types", "contact_phone", "contact_email"),
        room=lambda work: work.customers,
        every=_contacts,
        needs_customer=True,
    ),
    Twin(
        "site",
        _("sites of a customer"),
        ("site_id", "site_name", "address_line_1", "city", "zip_code", "country"),
        room=lambda work: work.customers,
        every=_sites,
        needs_customer=True,
    ),
    Twin(
        "service",
        _("services"),
        ("service_id", "service_name", "service_type", "service_status", "customer_name", "end_date"),
        room=lambda work: work.customer_services,
        get=_service,
        of_customer=True,
        prose=_words("service_status"),
    ),
    Twin(
        "item",
        _("stock items"),
        ("inventory_id", "item", "itemtext1", "item_state", "item_location", "customer_name"),
        room=lambda work: work.inventory,
        get=lambda work, number: work.inventory.get(number),
        of_customer=True,
        prose=_words("item_state"),
    ),
    Twin(
        "template",
        _("kinds of stock items"),
        ("inventory_template_id", "item", "retail_cost", "wholesale_cost"),
        room=lambda work: work.inventory,
        every=lambda work, _customer: work.inventory.templates(),
    ),
    Twin(
        "product",
        _("products"),
        ("product_id", "product_name", "category", "service_type", "retail_cost", "enabled"),
        room=lambda work: work.catalog,
        get=lambda work, number: work.catalog.get(number),
    ),
    Twin(
        "transaction",
        _("charges and credits"),
        ("transaction_id", "customer_id", "transaction_date", "title", "retail_cost", "currency", "invoice_id"),
        room=lambda work: work.billing,
        get=lambda work, number: work.billing.get(number),
        of_customer=True,
        newest_first="transaction_id",
    ),
    Twin(
        "invoice",
        _("invoices"),
        ("invoice_id", "invoice_number", "customer_id", "due_date", "retail_cost", "currency", "status"),
        room=lambda work: work.billing,
        get=lambda work, number: work.billing.invoice(number),
        window="invoice_window",
        count="invoice_count",
        of_customer=True,
        newest_first="invoice_id",
        prose=_words("status"),
    ),
    Twin(
        "job",
        _("provisioning jobs"),
        ("provision_id", "created", "provisioning_status", "status_reason", "customer_name", "playbook_description"),
        room=lambda work: work.provisioning,
        get=_job,
        of_customer=True,
        newest_first="provision_id",
        prose={
            "provisioning_status": lambda job: said(STATUS_NAMES.get(job["provisioning_status"], "?")),
            "status_reason": lambda job: said(REASONS.get(job["status_reason"]) or str(job["status_reason"])),
            "error_message": lambda job: told_message(job["error_message"]),
            "events": lambda job: [told_event(event) for event in job["events"]],
        },
    ),
    Twin(
        "activity",
        _("entries of the activity log"),
        ("activity_id", "timestamp", "actor_name", "action", "object_type", "object_id"),
        room=lambda work: work.activity,
        get=lambda work, number: work.activity.get(number),
        of_customer=True,
        newest_first="activity_id",
        prose={**_words("action"), "actor_name": lambda entry: who(entry["actor_name"], entry["user_id"])},
    ),
    Twin(
        "message",
        _("e-mails and SMS of the outbox"),
        ("outbox_id", "created", "channel", "recipient", "subject", "status"),
        room=lambda work: work.messaging,
        get=lambda work, number: work.messaging.get(number),
        newest_first="outbox_id",
        prose=_words("status"),
    ),
    Twin(
        "user",
        _("users"),
        ("id", "username", "email", "roles", "is_customer", "active", "is_2fa_enabled", "last_login"),
        room=lambda work: work.identity,
        get=_user,
    ),
    Twin(
        "api-key",
        _("API keys"),
        ("api_key_id", "name", "created_by", "api_key", "status", "created", "expiry_date", "use_count", "last_used"),
        room=lambda work: work.identity,
        get=lambda work, number: work.identity.api_key(number),
        window="api_key_window",
        count="api_key_count",
    ),
    Twin(
        "impersonation",
        _("times that somebody acted as another user"),
        (
            *("impersonation_id", "impersonating_name", "target_name", "impersonation_start"),
            *("impersonation_duration", "end_reason", "purpose"),
        ),
        room=lambda work: work.impersonation,
        prose=_words("end_reason"),
        newest_first="impersonation_id",
    ),
    Twin(
        "role",
        _("roles"),
        ("id", "name", "description"),
        room=lambda work: work.identity,
        get=lambda work, number: work.identity.role(number),
        every=lambda work, _customer: work.identity.roles(),
        prose=_words("description"),
    ),
)

TWINS = {twin.name: twin for twin in _ALL}
