"""Every dialog that there is, and how each is opened. A dialog that is added has to be added here too."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen

import screens
import widgets
from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.catalog.quote import quote
from omnicrm_tui.identity.key_schemas import ApiKeyInput, NewApiKey
from omnicrm_tui.identity.schemas import Enrolment, PermissionView, RoleView
from omnicrm_tui.identity.second_factor import provisioning_uri
from omnicrm_tui.schemas import Input as Schema
from omnicrm_tui.work import Work
from screens.base import Dialog
from screens.choose import Choose, ChooseCustomer
from screens.dialogs import Confirm, FormDialog, Reading
from screens.drafts import Draft
from screens.enrolment import BackupCodes, Enrol
from screens.export import ExportDialog
from screens.key_dialogs import ChoosePermissions, ShownOnce
from screens.keys import KeysScreen
from screens.links import Links, QrCode
from screens.order import AskRenewal
from screens.order_details import OrderForm, order_form
from screens.palette import Palette
from screens.password import ChangePassword
from screens.picker import Picker
from screens.review import Ordered, Review
from screens.role_matrix import RoleMatrix
from screens.second_factor import SecondFactor
from screens.unfinished import DraftOffer
from screens.user_forms import TemporaryPassword
from tests.screens.harness import settled, until
from tests.screens.shop import MOBILE
from tests.screens.walk import Opener
from widgets.form import Field

ABSTRACT = {Dialog}
OURS = ("omnicrm_tui", "screens", "widgets")

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODES = tuple(f"{number:08}" for number in range(12345678, 12345688))


def dialogs() -> set[type[ModalScreen[Any]]]:
    """Return the class of every screen of ours that lies on top of another."""
    for package in (screens, widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return {kind for kind in _subclasses(ModalScreen) if kind.__module__.split(".")[0] in OURS} - ABSTRACT


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def by_key(room: str, key: str) -> Opener:
    """Return what opens a dialog with a key that is pressed in a room."""

    async def opened(pilot: Pilot[None]) -> Screen[Any]:
        cast(OmniCrmApp, pilot.app).go(room)
        await settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, Dialog))
        return pilot.app.screen

    return opened


def by_itself(make: Callable[[OmniCrmApp], Screen[Any]]) -> Opener:
    """Return what puts a dialog on top of where one is, as those do that come late in a row of questions."""

    async def opened(pilot: Pilot[None]) -> Screen[Any]:
        await pilot.app.push_screen(made := make(cast(OmniCrmApp, pilot.app)))
        return made

    return opened


class Everything(Schema):
    """What the form of the walk asks for."""

    name: str
    kind: str
    wanted: bool
    notes: str


FIELDS = [
    Field("name", "Name"),
    Field("kind", "Kind", "choice", choices=[("a", "A"), ("b", "B")]),
    Field("wanted", "Wanted", "bool"),
    Field("notes", "Notes", "lines"),
]


OFFERED = [("view_customer", "View customers"), ("admin", "Do everything")]


async def _marked(names: list[str]) -> list[str]:
    return names


def _new_key(work: Work) -> NewApiKey:
    return work.identity.create_api_key(ApiKeyInput(name="$(id)"))


async def _saved(data: Everything) -> Everything:
    return data


def _draft(app: OmniCrmApp) -> Draft:
    return Draft("new customer", "New customer", app.desk.now(), {"customer_name": "Ada"}, {}, "customers", None, "new")


def _ordered(work: Work) -> Ordered:
    product, customer = work.catalog.get(MOBILE), work.customers.get(1)
    price = quote(product, "EUR", work.clock.now(), work.settings.crm.timezone)
    return Ordered(product, customer, price, ["SIM Card #1"], "", auto_renew=True)


def _role(work: Work) -> tuple[RoleView, Sequence[PermissionView]]:
    return work.identity.role(1), work.identity.permissions()


def _order_form(app: OmniCrmApp) -> OrderForm:
    return order_form(app.desk.read_here(lambda work: work.customers.get(2)), None)


OPENED_BY: dict[type[ModalScreen[Any]], Opener] = {
    AskRenewal: by_itself(lambda _app: AskRenewal(30)),
    BackupCodes: by_itself(lambda _app: BackupCodes(CODES)),
    ChangePassword: by_itself(lambda _app: ChangePassword(1)),
    ChoosePermissions: by_itself(lambda _app: ChoosePermissions("What may it do?", OFFERED, [], _marked)),
    Choose: by_key("inventory", "n"),
    ChooseCustomer: by_itself(lambda _app: ChooseCustomer("Mobile 20GB")),
    Confirm: by_itself(lambda _app: Confirm("Void it?", "$(id) `id` ; id")),
    DraftOffer: by_itself(lambda app: DraftOffer(_draft(app))),
    Enrol: by_itself(lambda _app: Enrol(Enrolment(1, SECRET, provisioning_uri("ada@mail.example", SECRET), CODES))),
    ExportDialog: by_key("customers", "E"),
    FormDialog: by_itself(lambda _app: FormDialog("Every kind of field", Everything, FIELDS, _saved)),
    KeysScreen: by_key("customers", "question_mark"),
    Links: by_itself(lambda app: Links(app.settings.branding)),
    OrderForm: by_itself(_order_form),
    Palette: by_key("customers", "colon"),
    Picker: by_itself(lambda _app: Picker(("SIM Card", "Mobile Number"), {})),
    QrCode: by_itself(lambda _app: QrCode("Support", "https://support.example.com")),
    Reading: by_itself(lambda _app: Reading("Activity", ["$(id)"] * 50)),
    Review: by_itself(lambda app: Review(app.desk.read_here(_ordered), app.formats)),
    RoleMatrix: by_itself(lambda app: RoleMatrix(*app.desk.read_here(_role))),
    ShownOnce: by_itself(lambda app: ShownOnce(app.desk.change_here(_new_key))),
    SecondFactor: by_itself(lambda _app: SecondFactor("challenge", False)),
    TemporaryPassword: by_itself(lambda _app: TemporaryPassword("Ada", "$(id) `id`")),
}
