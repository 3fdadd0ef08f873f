"""The permission catalogue and the role designs, as data (BIL-435..459)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from omnicrm_tui.languages import N_

ADMIN = "admin"
CAN_IMPERSONATE = "can_impersonate"

VIEW_STATUS = "view_status"
"""Our own beside the guide's 84: figures of how the system does, nothing of any customer. It is held through `admin`,
or named in the list of an API key or a whitelisted address, so that monitoring gets no more than that."""

MANAGE_API_KEYS = "manage_api_keys"
"""Our own too, after the guide's MANAGE_API_KEYS (PLT-552): through `admin`, or a role that was given it."""

BESIDE = frozenset({VIEW_STATUS, MANAGE_API_KEYS})
"""What may be named in a list of permissions although it is none of the catalogue's 84."""

_VERBS = ("view", "create", "update", "delete")

_OWNED_ENTITIES = {
    "customer": "customers",
    "customer_site": "sites of customers",
    "customer_contact": "contacts of customers",
    "customer_attribute": "attributes of customers",
    "customer_tag": "tags of customers",
    "customer_service": "services of customers",
    "customer_activity": "the activity log",
    "customer_stripe_card": "payment methods of customers",
    "customer_transaction": "transactions",
    "customer_invoice": "invoices",
    "communication": "communications",
    "inventory": "inventory items",
    "inventory_template": "inventory templates",
    "provision": "provisioning jobs",
}
"""What belongs to a customer: five permissions each, `view_own_...` among them."""

_SHARED_ENTITIES = {
    "product": "products",
    "cbc_message": "cell broadcast messages",
    "provision_event": "events of provisioning jobs",
}
"""What belongs to nobody in particular: four permissions each."""


def _catalogue() -> Iterator[tuple[str, str]]:
    yield ADMIN, N_("Do everything")
    yield CAN_IMPERSONATE, N_("Act as another user; every action is logged with both")
    for entity, words in (_OWNED_ENTITIES | _SHARED_ENTITIES).items():
        for verb in _VERBS:
            yield f"{verb}_{entity}", f"{verb.capitalize()} {words}"
        if entity in _OWNED_ENTITIES:
            yield f"view_own_{entity}", f"View {words}: one's own customer only"


PERMISSIONS: dict[str, str] = dict(_catalogue())
"""Name and description of the 84 permissions (BIL-453); catalogues of texts have each description whole."""


@dataclass(frozen=True, slots=True)
class RoleDesign:
    """A role as it is first made; afterwards it is the operator's to change."""

    name: str
    description: str
    permissions: tuple[str, ...]


def _each(verbs: str, entities: str) -> tuple[str, ...]:
    return tuple(f"{verb}_{entity}" for entity in entities.split() for verb in verbs.split())


CUSTOMER_ROLE = "Customer"

ROLE_DESIGNS: tuple[RoleDesign, ...] = (
    RoleDesign("System Admin", N_("Full control of the system"), (ADMIN, CAN_IMPERSONATE)),
    RoleDesign(
        "Support",
        N_("Looks after customers and provisions their services"),
        (
            *_each("view create update", "customer customer_site customer_contact customer_attribute customer_tag"),
            # A job runs with these: what a play makes, and what its rollback removes again.
            *_each("view create update delete", "customer_service"),
            *_each("view create", "customer_transaction provision"),
            *_each("view update", "inventory"),
            *_each(
                "view",
                "communication customer_activity customer_invoice inventory_template product provision_event",
            ),
        ),
    ),
    RoleDesign(
        "Finance",
        N_("Transactions and invoices"),
        (
            *_each("view create", "customer_transaction customer_invoice"),
            *_each("view", "customer customer_site customer_contact customer_service customer_activity product"),
        ),
    ),
    RoleDesign(
        "Customer Admin",
        N_("A customer's own administrator: sees everything of its own customer"),
        _each(
            "view_own",
            "customer customer_site customer_contact customer_service customer_activity customer_transaction"
            " customer_invoice communication inventory provision",
        ),
    ),
    RoleDesign(
        "Read-only Auditor",
        N_("Sees everything, changes nothing"),
        _each("view", " ".join(_OWNED_ENTITIES | _SHARED_ENTITIES)),
    ),
    RoleDesign(
        CUSTOMER_ROLE,
        N_("A customer in self-care; assigned by itself to users that are linked to a contact"),
        _each(
            "view_own",
            "customer customer_site customer_contact customer_service customer_activity customer_stripe_card"
            " customer_transaction customer_invoice inventory provision",
        ),
    ),
)
"""The six typical roles (BIL-454..459)."""


_OF_THE_OPERATOR = frozenset(
    {
        ADMIN,
        CAN_IMPERSONATE,
        "create_customer",
        *BESIDE,
        *_each("create update delete", "product cbc_message inventory_template"),
    }
)
"""What reaches further than one customer, whoever's rows the session shows."""


def of_one_customer(permissions: Iterable[str]) -> frozenset[str]:
    """Return what is left of `permissions` for a key that is confined to one customer."""
    return frozenset(permissions) - _OF_THE_OPERATOR


def canonical(name: str) -> str:
    """Return a permission's name as the catalogue has it: `view_service` is `view_customer_service` (PLT-553)."""
    plain = name.strip().lower()
    verb, _line, entity = plain.rpartition("_")
    longer = f"{verb}_customer_{entity}"
    return longer if plain not in PERMISSIONS and longer in PERMISSIONS else plain


def clean_up_only(permissions: Iterable[str]) -> frozenset[str]:
    """Return what is left of a job's permissions once its initiator was revoked: enough to undo, no more."""
    undo = {"update_inventory", "update_customer_service", "delete_customer_service"}
    looking = {name for name in PERMISSIONS if name.startswith("view_")}
    held = set(permissions)
    return frozenset(undo | looking if ADMIN in held else held & (undo | looking))
