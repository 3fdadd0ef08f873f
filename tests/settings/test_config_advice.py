"""What `omnicrm config check` warns of, though it is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from omnicrm_tui.config_advice import advice
from omnicrm_tui.settings import ApiKey, CrmSection, Settings, StripeSection, WhitelistEntry


@pytest.mark.req("CAT-182", "PLT-454", "PLT-455")
def test_roles_that_are_nowhere_are_named_and_those_that_are_shipped_are_not(tmp_path: Path) -> None:
    known = ["admin", "view_customer", "Support", "view_status"]
    settings = Settings(
        home=tmp_path,
        api_keys={
            "a" * 32: ApiKey(roles=known, description="known"),
            "b" * 32: ApiKey(roles=["suport", "view_customers"], description="misspelt"),
            "c" * 32: ApiKey(roles=[], description="nothing"),
        },
        ip_whitelist={"10.1.2.3": WhitelistEntry(roles=["Night desk", "Night desk"], description="own role")},
    )
    assert list(advice(settings)) == [
        "ip_whitelist.10.1.2.3 names Night desk: no permission, and no role unless one of that name was made.",
        "API key 2 names suport: no permission, and no role unless one of that name was made. Did you mean Support?",
        "API key 2 names view_customers: no permission, and no role unless one of that name was made."
        " Did you mean view_customer?",
        "API key 3 has no roles: it may do nothing.",
    ]


@pytest.mark.req("CAT-180")
def test_a_key_that_nobody_explained_and_a_file_that_all_may_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.touch()
    file.chmod(0o644)
    keys = {"a" * 32: ApiKey(roles=["view_customer"], description="billing"), "b" * 32: ApiKey(roles=["view_customer"])}
    settings = Settings(home=tmp_path, config_path=file, api_keys=keys)
    assert list(advice(settings)) == [
        f"{file} can be read by other users and may hold secrets: chmod 600 it.",
        "API key 2 has no description: say which system uses it.",
    ]
    file.chmod(0o600)
    assert len(list(advice(settings))) == 1


@pytest.mark.req("PLT-485", "PLT-518")
def test_cards_in_another_currency_or_mode_deserve_a_look(tmp_path: Path) -> None:
    stripe = StripeSection(secret_key=SecretStr("sk_live_1"), publishable_key="pk_test_1", currency="usd")
    settings = Settings(home=tmp_path, crm=CrmSection(currency="GBP"), stripe=stripe)
    assert list(advice(settings)) == [
        "crm.currency is GBP and stripe.currency is usd: cards would be charged in another.",
        "stripe.secret_key and stripe.publishable_key are of different modes: one is for tests, one is live.",
    ]
    fine = settings.model_copy(update={"stripe": StripeSection(secret_key=SecretStr("sk_live_1"), currency="gbp")})
    assert list(advice(fine)) == ["stripe.publishable_key is blank: cards cannot be added."]


@pytest.mark.req("PLT-483")
def test_a_language_without_texts_deserves_a_look(tmp_path: Path) -> None:
    assert "crm.language is gr" in next(advice(Settings(home=tmp_path, crm=CrmSection(language="gr"))))
    assert list(advice(Settings(home=tmp_path, crm=CrmSection(language="fr")))) == []
