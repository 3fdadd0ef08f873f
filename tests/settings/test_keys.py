"""Each key of the operator's configuration: where it ends up, and what holds without it."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from omnicrm_tui.config_file import ConfigurationError, load_settings
from omnicrm_tui.settings import Settings

SECRET = "0f" * 32
KEY = "k" * 44
SENDER = "{from_email: billing@example.com, from_name: Billing, template_id: 6759851, subject: 'Your Invoice - '}"


def load(home: Path, text: str = "") -> Settings:
    """Load a configuration of the given text."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.yaml").write_text(text)
    return load_settings({"OMNICRM_HOME": str(home)})


def read(settings: Settings, path: str) -> Any:
    """Return what a dotted path leads to, secrets opened."""
    found: Any = reduce(getattr, path.split("."), settings)
    return found.get_secret_value() if isinstance(found, SecretStr) else found


@pytest.mark.parametrize(
    ("text", "path", "value", "default"),
    [
        pytest.param(
            "database: {username: crm}", "database.username", "crm", "omnitouch", marks=pytest.mark.req("PLT-426")
        ),
        pytest.param("database: {password: 2024}", "database.password", "2024", "", marks=pytest.mark.req("PLT-427")),
        pytest.param("database: {server: db}", "database.server", "db", None, marks=pytest.mark.req("PLT-428")),
        pytest.param(
            "database: {name: crm}", "database.name", "crm", "omnicrm", marks=pytest.mark.req("PLT-429", "PLT-598")
        ),
        pytest.param("database: {port: 3307}", "database.port", 3307, 3306, marks=pytest.mark.req("PLT-429")),
        pytest.param(
            "service_types: [fixed, dongle]",
            "service_types",
            ["fixed", "dongle"],
            ["omnicharge", "mobile", "internet", "iptv", "voip"],
            marks=pytest.mark.req("PLT-430", "PLT-599"),
        ),
        pytest.param(
            "hss: {hss_peers: ['http://10.0.0.1:8080']}",
            "hss.hss_peers",
            ["http://10.0.0.1:8080"],
            [],
            marks=pytest.mark.req("PLT-433"),
        ),
        pytest.param("hss: {apn_list: '1,2'}", "hss.apn_list", "1,2", "1,2,3,4,5,6", marks=pytest.mark.req("PLT-434")),
        pytest.param("mailjet: {api_key: abc}", "mailjet.api_key", "abc", "", marks=pytest.mark.req("PLT-435")),
        pytest.param("mailjet: {api_secret: def}", "mailjet.api_secret", "def", "", marks=pytest.mark.req("PLT-435")),
        pytest.param(
            "provisioning: {failure_list: [a@b.c]}",
            "provisioning.failure_list",
            ["a@b.c"],
            [],
            marks=pytest.mark.req("PLT-437", "SVC-140"),
        ),
        pytest.param(
            "invoice: {template_filename: t.html}",
            "invoice.template_filename",
            "t.html",
            "",
            marks=pytest.mark.req("PLT-438"),
        ),
        pytest.param(
            "crm: {base_url: 'https://api.example/'}",
            "crm.base_url",
            "https://api.example",
            "http://localhost:5000",
            marks=pytest.mark.req("PLT-439", "CAT-189"),
        ),
        pytest.param(
            "ocs: {ocsApi: 'http://10.0.0.2:8080/api'}",
            "ocs.ocsApi",
            "http://10.0.0.2:8080/api",
            "",
            marks=pytest.mark.req("PLT-440"),
        ),
        pytest.param(
            "ocs: {ocsTenant: mnc380.example}",
            "ocs.ocsTenant",
            "mnc380.example",
            "cgrates.org",
            marks=pytest.mark.req("PLT-441"),
        ),
        pytest.param(
            "ocs: {cgrates: 'localhost:2080'}", "ocs.cgrates", "localhost:2080", "", marks=pytest.mark.req("PLT-442")
        ),
        pytest.param(
            "smsc: {source_msisdn: YourCompany}",
            "smsc.source_msisdn",
            "YourCompany",
            "OmniCRM",
            marks=pytest.mark.req("PLT-444"),
        ),
        pytest.param(
            "smsc: {smsc_url: 'http://10.0.0.3/SMSc/'}",
            "smsc.smsc_url",
            "http://10.0.0.3/SMSc/",
            "",
            marks=pytest.mark.req("PLT-445"),
        ),
        pytest.param("smsc: {api_key: abc}", "smsc.api_key", "abc", "", marks=pytest.mark.req("PLT-446")),
        pytest.param(
            "cbc_url: 'http://10.0.0.4:8080'", "cbc_url", "http://10.0.0.4:8080", "", marks=pytest.mark.req("PLT-448")
        ),
        pytest.param(f"jwt_secret: {SECRET}", "jwt_secret", SECRET, None, marks=pytest.mark.req("PLT-449")),
        pytest.param(
            "stripe: {secret_key: sk_test_1}", "stripe.secret_key", "sk_test_1", "", marks=pytest.mark.req("PLT-450")
        ),
        pytest.param(
            "stripe: {publishable_key: pk_test_1}",
            "stripe.publishable_key",
            "pk_test_1",
            "",
            marks=pytest.mark.req("PLT-451"),
        ),
        pytest.param("stripe: {currency: aud}", "stripe.currency", "aud", "usd", marks=pytest.mark.req("PLT-452")),
        pytest.param(
            "stripe: {statement_descriptor_suffix: ACME}",
            "stripe.statement_descriptor_suffix",
            "ACME",
            "",
            marks=pytest.mark.req("PLT-453"),
        ),
        pytest.param(
            "crm: {default_country: Norway}", "crm.default_country", "Norway", "", marks=pytest.mark.req("CAT-038")
        ),
    ],
)
def test_a_key(tmp_path: Path, text: str, path: str, value: Any, default: Any) -> None:
    assert read(load(tmp_path / "a", text), path) == value
    assert read(load(tmp_path / "b"), path) == default


@pytest.mark.req("PLT-429")
def test_the_address_of_a_database_server_is_put_together(tmp_path: Path) -> None:
    text = "database: {username: u, password: p@ss/word, server: db.example}"
    assert load(tmp_path / "a", text).database_url == "mysql+pymysql://u:p%40ss%2Fword@db.example:3306/omnicrm"


@pytest.mark.req("PLT-607")
@pytest.mark.req("PLT-454")
def test_a_static_key_has_roles_and_maybe_addresses(tmp_path: Path) -> None:
    entry = "{roles: [admin, customer_service_agent_1], ips: [127.0.0.1, '::1', 10.0.1.0/24]}"
    found = load(tmp_path / "a", f"api_keys: {{{KEY}: {entry}}}").api_keys[KEY]
    assert found.roles == ["admin", "customer_service_agent_1"]
    assert found.ips == ["127.0.0.1", "::1", "10.0.1.0/24"]
    assert load(tmp_path / "a", f"api_keys: {{{KEY}: {{roles: [admin]}}}}").api_keys[KEY].ips == []
    with pytest.raises(ConfigurationError, match="at least 32"):
        load(tmp_path / "a", f"api_keys: {{{KEY[:31]}: {{roles: [admin]}}}}")


@pytest.mark.req("PLT-455")
def test_an_address_gets_roles_and_this_machine_never(tmp_path: Path) -> None:
    found = load(tmp_path / "a", "ip_whitelist: {192.168.1.100: {roles: [provisioning]}}").ip_whitelist
    assert found["192.168.1.100"].roles == ["provisioning"]
    for here in ("127.0.0.1", "'::1'", "127.0.0.0/8"):
        with pytest.raises(ConfigurationError, match="this machine itself"):
            load(tmp_path / "a", f"ip_whitelist: {{{here}: {{roles: [admin]}}}}")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("api_crmCommunicationCustomerWelcome", marks=pytest.mark.req("PLT-456")),
        pytest.param("api_crmCommunicationCustomerInvoice", marks=pytest.mark.req("PLT-457")),
        pytest.param("api_crmCommunicationCustomerInvoiceReminder", marks=pytest.mark.req("PLT-458")),
        pytest.param("api_crmCommunicationUserWelcome", marks=pytest.mark.req("PLT-459")),
        pytest.param("api_crmCommunicationUserPasswordReset", marks=pytest.mark.req("PLT-460")),
        pytest.param("api_crmCommunicationUserPasswordResetSuccess", marks=pytest.mark.req("PLT-461")),
        pytest.param("api_crmCommunicationUserPasswordChange", marks=pytest.mark.req("PLT-462")),
        pytest.param("api_crmCommunicationEmailVerification", marks=pytest.mark.req("PLT-463")),
        pytest.param("api_crmCommunicationsBalanceExpired", marks=pytest.mark.req("PLT-464")),
        pytest.param("api_crmCommunicationsBalanceLow", marks=pytest.mark.req("PLT-465")),
    ],
)
@pytest.mark.req("PLT-436", "PLT-466")
def test_a_kind_of_mail_is_read_below_mailjet_and_at_the_top(tmp_path: Path, name: str) -> None:
    for text in (f"{name}: {SENDER}", f"mailjet: {{{name}: {SENDER}}}"):
        kind = load(tmp_path / "a", text).mailjet.email_type(name)
        assert kind is not None
        assert (kind.from_email, kind.from_name, kind.template_id) == ("billing@example.com", "Billing", 6759851)
        assert kind.subject == "Your Invoice - "
    assert load(tmp_path / "b").mailjet.email_type(name) is None
    with pytest.raises(ConfigurationError, match="a whole number"):
        load(tmp_path / "a", f"{name}: {{from_email: a@b.c, template_id: welcome}}")
