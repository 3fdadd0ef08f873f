"""Screens in French at 80x24, run by test_french.py in a process that speaks it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from omnicrm_tui.charging import rules
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.provisioning.play_failures import SILENCE, TIMED_OUT
from omnicrm_tui.settings import CrmSection
from screens import themes
from tests.fixtures.databases import NOON
from tests.fixtures.pictures import Compare
from tests.screens.harness import LARGE, press, screen_text, settled, signed_in_app, type_text
from tests.screens.people import add_people
from tests.screens.shop import FakeJob, open_shop, start_job
from tests.screens.test_snapshots import WAYS
from tests.screens.test_users import team as team
from tests.screens.test_users_snapshots import WAYS as USERS
from tests.screens.test_work_snapshots import WAYS as WORK
from tests.screens.test_work_snapshots import busy_shop as busy_shop


@pytest.fixture(autouse=True)
def in_french(crm: Crm) -> None:
    settings = CrmSection(language="fr", currency="EUR", timezone="Europe/Paris")
    crm.settings = crm.settings.model_copy(update={"crm": settings})


@pytest.mark.parametrize(
    "name",
    ["customers-new", "palette", "customer-billing", "customer-edit", "go"],
)
async def test_a_screen_of_customers(crm: Crm, admin: Actor, same_picture: Compare, name: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, theme=themes.DARK.name) as pilot:
        await WAYS[name](pilot)
        same_picture(pilot.app, f"french-{name}")


@pytest.mark.parametrize("name", ["catalogue-terms", "job-failed", "item-edit", "product-pricing"])
async def test_a_screen_of_work(busy_shop: Crm, admin: Actor, same_picture: Compare, name: str) -> None:
    async with signed_in_app(busy_shop, admin, theme=themes.DARK.name) as pilot:
        await WORK[name](pilot)
        same_picture(pilot.app, f"french-{name}")


@pytest.mark.parametrize("name", ["users", "users-new", "user", "user-delete", "role-matrix", "role-delete"])
async def test_a_screen_of_users(team: Crm, admin: Actor, same_picture: Compare, name: str) -> None:
    async with signed_in_app(team, admin, theme=themes.DARK.name, room="users") as pilot:
        await USERS[name](pilot)
        same_picture(pilot.app, f"french-{name}")


@pytest.mark.req("SVC-123", "PLT-483")
async def test_advice_about_a_fatal_error_is_french(crm: Crm, admin: Actor) -> None:
    """Jobs write it down in English; "Load the configuration" is the play's own name."""
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    job.task("Load the configuration")
    silence = SILENCE.format(what="300")
    job.task(TIMED_OUT.title, 2, msg=silence, common_causes=[*TIMED_OUT.causes], what_to_do=[*TIMED_OUT.advice])
    job.finish(2, "timed_out", silence)
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await settled(pilot)
        shown = screen_text(pilot.app).replace("\N{NO-BREAK SPACE}", " ")
        assert "Échec, délai dépassé" in shown
        assert "Erreur : Il ne s’est rien passé pendant 300 secondes" in shown
        assert "Que faire : Regardez la dernière étape pour voir ce qu’elle attendait." in shown
        assert "Erreur fatale : la tâche n’avançait plus et a été arrêtée" in shown
        assert "Load the configuration" in shown
        await press(pilot, "right", "enter")
        detail = screen_text(pilot.app)
        assert "une étape attend une saisie ou une condition" in detail


@pytest.mark.req("CAT-160", "CAT-418", "PLT-483")
def test_balances_are_told_in_french() -> None:
    left = partial(rules.description, unlimited=False, money="5,00 €")
    amounts = {rules.DATA: Decimal(13421772800), rules.VOICE: Decimal(74_100), rules.SMS: Decimal(7)}
    assert [left(kind, amount) for kind, amount in amounts.items()] == [
        "Reste 12,5 Go",
        "Reste 1\N{NO-BREAK SPACE}235 minutes",
        "Reste 7 SMS",
    ]
    assert left(rules.MONETARY, Decimal(5)) == "Crédit de 5,00 €"
    assert rules.description(rules.VOICE, Decimal(0), unlimited=True, money="") == "Minutes illimitées"
    ends = [None, NOON, *(NOON + timedelta(hours=hours) for hours in (1, 5, 30, 264))]
    assert [rules.relative(when, NOON) for when in ends] == [
        *("jamais", "expiré", "dans 1 heure", "dans 5 heures", "demain", "dans 11 jours")
    ]


@pytest.mark.req("BIL-453", "PLT-483")
async def test_what_a_permission_allows_is_told_in_french(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    reader = Actor(ActorKind.STAFF, "reader", permissions=frozenset({"view_customer"}))
    async with signed_in_app(crm, reader) as pilot:
        await press(pilot, "enter", "5")
        shown = " ".join(screen_text(pilot.app).split())
        assert "demande la permission view_customer_transaction (Consulter les transactions)." in shown


async def test_a_refusal_is_told_in_french(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 4711")
        await press(pilot, "enter")
        await settled(pilot)
        assert "Il n’y a pas de client 4711." in screen_text(pilot.app)
