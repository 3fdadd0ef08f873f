"""Every screen and every dialog has pictures, small and large, in the three themes; those that no other test draws."""

from __future__ import annotations

from typing import Any

import pytest
from textual.screen import Screen

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import RoleInput, UserChange
from screens.base import CrmScreen
from screens.links import Links, QrCode
from screens.own_sessions import OwnSessions
from screens.unfinished import DraftOffer
from screens.user_forms import TemporaryPassword
from tests.fixtures.pictures import KEPT, Compare
from tests.screens.every_dialog import OPENED_BY, OURS, _subclasses, dialogs
from tests.screens.harness import make_app, settled, signed_in_app
from tests.screens.people import PASSWORD, add_people, add_user
from tests.screens.test_snapshots import LOOKS, SIZES, in_each_look

HERE = {DraftOffer: "draft-offer", Links: "links", QrCode: "link-qr-code", TemporaryPassword: "temporary-password"}

PICTURED = {
    **{kind.__name__: name for kind, name in HERE.items()},
    **{"ApiKeyScreen": "api-key", "ApiKeysScreen": "api-keys", "AskRenewal": "renewal", "BackupCodes": "backup-codes"},
    **{"BillingScreen": "billing", "CatalogueScreen": "catalogue", "ChangePassword": "password-forced"},
    **{"Choose": "choose-kind", "ChooseCustomer": "choose-customer", "ChoosePermissions": "api-key-permissions"},
    **{"Confirm": "transaction-void", "CustomerScreen": "customer-overview", "CustomersScreen": "customers"},
    **{"Enrol": "enrolment", "ExportDialog": "export", "FirstStart": "first-start", "FormDialog": "customers-new"},
    **{"InventoryScreen": "inventory", "ItemScreen": "item", "JobScreen": "job-succeeded", "JobsScreen": "jobs"},
    **{"KeysScreen": "keys", "LabScreen": "lab", "LockScreen": "lock", "LoginScreen": "login"},
    **{"NowhereScreen": "nowhere", "OrderForm": "order-details", "OwnSessions": "own-sessions", "Palette": "palette"},
    **{"Picker": "picker", "ProductScreen": "product-configuration", "ProductsScreen": "products"},
    **{"Reading": "outbox-message", "Review": "review", "RoleMatrix": "role-matrix", "SecondFactor": "second-factor"},
    **{"ServiceScreen": "service", "ServicesScreen": "services", "ShownOnce": "api-key-shown-once"},
    **{"StatusScreen": "status", "UserScreen": "user", "UsersScreen": "users"},
}
"""By the name of its class, what the pictures of a screen or dialog are called."""


def test_every_screen_and_every_dialog_has_its_pictures() -> None:
    kinds: set[type[Screen[Any]]] = {*dialogs(), *(kind for kind in _subclasses(CrmScreen) if _is_ours(kind))}
    assert {kind.__name__ for kind in kinds} == set(PICTURED)
    wanted = {f"{name}-{size}-{look}.svg" for name in PICTURED.values() for size in SIZES for look in LOOKS}
    assert {name for name in wanted if not (KEPT / name).exists()} == set()


def _is_ours(kind: type[Any]) -> bool:
    return kind.__module__.partition(".")[0] in OURS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", HERE, ids=HERE.values())
async def test_a_dialog_looks_as_it_did(
    crm: Crm, admin: Actor, same_picture: Compare, kind: type[Any], size: str
) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, SIZES[size]) as pilot:
        await OPENED_BY[kind](pilot)
        await in_each_look(pilot, same_picture, f"{HERE[kind]}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_who_forgot_the_password_is_asked_for_the_address(
    crm: Crm, admin: Actor, same_picture: Compare, size: str
) -> None:
    add_user(crm, admin)
    async with make_app(crm).run_test(size=SIZES[size]) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+r")
        await in_each_look(pilot, same_picture, f"forgotten-{size}", dialog=True)


@pytest.mark.parametrize("size", SIZES)
async def test_the_rooms_of_ones_own_look_as_they_did(crm: Crm, admin: Actor, same_picture: Compare, size: str) -> None:
    add_user(crm, admin)
    add_user(crm, admin, username="nobody", email="nobody@mail.example", role="Finance")
    with crm.as_actor(admin) as work:
        work.identity.create_role(RoleInput(name="Nothing"))
        work.identity.update_user(2, UserChange(role=["Nothing"]))
    with crm.as_actor(visitor("192.0.2.7")) as work:
        ada, nobody = (work.identity.login(name, PASSWORD, "192.0.2.7").actor for name in ("ada", "nobody"))
    assert ada is not None
    assert nobody is not None
    async with signed_in_app(crm, ada, SIZES[size]) as pilot:
        await pilot.app.push_screen(OwnSessions())
        await in_each_look(pilot, same_picture, f"own-sessions-{size}")
    async with signed_in_app(crm, nobody, SIZES[size]) as pilot:
        await in_each_look(pilot, same_picture, f"nowhere-{size}")
