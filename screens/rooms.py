"""The rooms one can go to, and the places within them that are opened by number.

A room or place names its screen as "module:Class" and is imported when it is first entered: the first frame pays
for no other screen. A room's screen takes no arguments; a place's takes the id of what it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from gettext import gettext as _
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

if TYPE_CHECKING:
    from omnicrm_tui.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class Room:
    """A room: `g` and `letter` go there, for those who hold `permission` ("" is everybody)."""

    name: str
    title: str
    letter: str
    permission: str
    screen: str


LOGIN = "login"
FIRST_START = "first-start"
NOWHERE = "nowhere"

ROOMS = (
    Room("customers", _("Customers"), "c", "view_customer", "screens.customers:CustomersScreen"),
    Room("services", _("Services"), "s", "view_customer_service", "screens.services:ServicesScreen"),
    Room("inventory", _("Inventory"), "i", "view_inventory", "screens.inventory:InventoryScreen"),
    Room("products", _("Products"), "p", "view_product", "screens.products:ProductsScreen"),
    Room("billing", _("Billing"), "b", "view_customer_transaction", "screens.billing:BillingScreen"),
    Room("jobs", _("Jobs"), "j", "view_provision", "screens.jobs:JobsScreen"),
    Room("status", _("Status"), "w", "view_status", "screens.status:StatusScreen"),
    Room("users", _("Users"), "u", "admin", "screens.users:UsersScreen"),
    Room("api-keys", _("API keys"), "k", "manage_api_keys", "screens.api_keys:ApiKeysScreen"),
    Room("lab", _("Lab"), "l", "admin", "screens.lab:LabScreen"),
)

PLACES = {
    "customer": "screens.customer:CustomerScreen",
    "service": "screens.service:ServiceScreen",
    "catalogue": "screens.catalogue:CatalogueScreen",
    "job": "screens.job:JobScreen",
    "item": "screens.item:ItemScreen",
    "product": "screens.product:ProductScreen",
    "user": "screens.user:UserScreen",
    "api-key": "screens.api_key:ApiKeyScreen",
}
"""What `app.open_place(name, id)` can open. The id of "catalogue" is the customer's who gets the product."""


def make(path: str, *args: Any) -> Screen[Any]:
    """Import the class that `path` names and return a screen of it."""
    module, name = path.split(":")
    screen: Screen[Any] = getattr(import_module(module), name)(*args)
    return screen


MODES: dict[str, str | Callable[[], Screen[Any]]] = {
    LOGIN: partial(make, "screens.login:LoginScreen"),
    FIRST_START: partial(make, "screens.first_start:FirstStart"),
    NOWHERE: partial(make, "screens.nowhere:NowhereScreen"),
    **{room.name: partial(make, room.screen) for room in ROOMS},
}
"""Each room keeps a stack of screens of its own, so that one comes back to where one was."""


def open_to(actor: Actor) -> list[Room]:
    """Return the rooms that `actor` may enter."""
    return [room for room in ROOMS if not room.permission or actor.may(room.permission)]


def first_room(actor: Actor) -> str:
    """Return the room that opens after signing in: the first that the permissions open (PLT-175)."""
    rooms = open_to(actor)
    return rooms[0].name if rooms else NOWHERE


def own_page(actor: Actor) -> int | None:
    """Return the customer whose page opens in that room: a customer's user begins with what is its own (PLT-174)."""
    return actor.own_customer_id if actor.may("view_customer") else None
