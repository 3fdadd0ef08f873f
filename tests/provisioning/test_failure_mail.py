"""The mail about a failed job: in the operator's language, whatever the process speaks that ends the job."""

from __future__ import annotations

import pytest

from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.schemas import OutboxView
from omnicrm_tui.provisioning.play_failures import MISSING_PLAY, NOT_UNDONE
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.settings import CrmSection, ProvisioningSection
from tests.fixtures.databases import NOON
from tests.fixtures.operator import Stock

SPACE = "\N{NO-BREAK SPACE}"


def mail_in(stock: Stock, language: str) -> OutboxView:
    """Let a job fail fatally, with something that could not be undone; return the mail that says so."""
    sections = {
        "crm": CrmSection(language=language),
        "provisioning": ProvisioningSection(failure_list=["noc@operator.example"]),
    }
    stock.crm.settings = stock.crm.settings.model_copy(update=sections)
    number = stock.order()
    job = JobProgress(stock.crm, number, "one")
    assert job.claim(11) is not None
    fatal = {"msg": "no play play_x", "common_causes": [*MISSING_PLAY.causes], "what_to_do": [*MISSING_PLAY.advice]}
    job.record(
        EventRecord(1, "Open", "main", SUCCESS, {}, NOON, NOON),
        EventRecord(2, MISSING_PLAY.title, "main", FAILED, fatal, NOON, NOON),
    )
    end = f"{MISSING_PLAY.headline}\n{NOT_UNDONE.format(what='Free the SIM')}"
    job.finish(JobEnd(FAILED, "fatal", end, {}))
    with stock.crm.reading(stock.admin) as work:
        mails = work.messaging.window(ListQuery(), FIRST, 5).rows
        assert [mail.recipient for mail in mails] == ["noc@operator.example"]
        return work.messaging.get(mails[0].outbox_id)


@pytest.mark.req("SVC-127", "PLT-483")
def test_a_french_operator_reads_it_in_french(stock: Stock) -> None:
    mail = mail_in(stock, "fr")
    text = mail.text.replace(SPACE, " ")
    assert "Échec de la mise en service" in str(mail.subject)
    assert "Échec, n’a pu être lancée" in text
    assert "Client : Zoë [bold]" in text
    assert "Erreur : le play n’existe pas\nN’a pas pu être défait : Free the SIM." in text
    assert "[Réussite] 1. Open\n[Échec] 2. Erreur fatale : le play n’existe pas" in text
    assert '"Relancez ensuite la tâche"' in text
    assert '"le nom est mal écrit : les majuscules comptent"' in text
    assert "Erreur fatale" in str(mail.html)
    assert "Relancez ensuite la tâche" in str(mail.html)


@pytest.mark.req("SVC-127")
@pytest.mark.parametrize("language", ["en", "gr"])
def test_without_texts_of_a_language_it_is_english(stock: Stock, language: str) -> None:
    mail = mail_in(stock, language)
    assert "Failed, could not be run" in mail.text
    assert "Error: the play does not exist\nCould not be undone: Free the SIM." in mail.text
    assert "[Failed] 2. Fatal error: the play does not exist" in mail.text
    assert '"Then retry the job"' in mail.text
