"""What a configuration may hold, where it is found, and how a mistake in it is told."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from omnicrm_tui.config_file import ConfigurationError, load_settings
from omnicrm_tui.security_settings import Section
from omnicrm_tui.settings import EMAIL_TYPES, Settings

ROOT = Path(__file__).parents[2]
KEY = "k" * 40
SECRET = "0123456789abcdef" * 4

OPERATORS_FILE = f"""
database:
  username: omnitouch
  password: omnitouch2024
  server: db.example.com
service_types: [omnicharge, mobile, fixed, fixed-voice, hotspot, dongle]
hss:
  hss_peers:
    - http://10.179.2.140:8080
  apn_list: "1,2,3,4,5,6"
mailjet:
  api_key: abcdef
  api_secret: 123456
  api_crmCommunicationCustomerWelcome:
    from_email: support@example.com
    from_name: Example Support
    template_id: 5977509
    subject: Welcome
api_crmCommunicationsBalanceLow:
  from_email: alerts@example.com
  template_id: 7238263
provisioning:
  failure_list: [admin@example.com, ops@example.com]
invoice:
  template_filename: example_invoice_template.html
crm:
  base_url: http://localhost:5000/
ocs:
  ocsApi: http://10.179.2.142:8080/api
  ocsTenant: mnc380.mcc313.3gppnetwork.org
  cgrates: localhost:2080
  OCS: 10.179.2.142:2080
smsc:
  source_msisdn: Example
  smsc_url: http://10.179.2.216/SMSc/
  api_key: secret
cbc_url: http://10.179.1.113:8080
jwt_secret: {SECRET}
stripe:
  secret_key: sk_test_1
  publishable_key: pk_test_1
  currency: gbp
  statement_descriptor_suffix: EXAMPLE
api_keys:
  {KEY}:
    roles: [admin, view_customer]
    ips: [10.0.1.50, 10.0.1.0/24]
    description: monitoring
ip_whitelist:
  10.179.2.142:
    roles: [admin]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def load(home: Path) -> Callable[[str], Settings]:
    """Load a configuration with the given text."""

    def load(text: str) -> Settings:
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "config.yaml").write_text(text)
        return load_settings({"OMNICRM_HOME": str(home)})

    return load


def _mistakes(load: Callable[[str], Settings], text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    return [line.split("/home/")[-1] for line in caught.value.message.splitlines()]


@pytest.mark.req("PLT-430", "PLT-433", "PLT-435", "PLT-436", "PLT-437", "PLT-439", "PLT-441", "PLT-442", "CAT-179")
def test_operators_file_is_accepted_as_it_is(load: Callable[[str], Settings]) -> None:
    settings = load(OPERATORS_FILE)
    assert settings.database_url == "mysql+pymysql://omnitouch:omnitouch2024@db.example.com:3306/omnicrm"
    assert settings.service_types[2:4] == ["fixed", "fixed-voice"]
    assert settings.hss.hss_peers == ["http://10.179.2.140:8080"]
    assert settings.mailjet.api_secret.get_secret_value() == "123456"
    welcome = settings.mailjet.email_type("api_crmCommunicationCustomerWelcome")
    low = settings.mailjet.email_type("api_crmCommunicationsBalanceLow")
    assert welcome is not None
    assert low is not None
    assert (welcome.template_id, low.from_email) == (5977509, "alerts@example.com")
    assert settings.provisioning.failure_list == ["admin@example.com", "ops@example.com"]
    assert settings.crm.base_url == "http://localhost:5000"
    assert (settings.ocs.cgrates, settings.ocs.ocsTenant) == ("localhost:2080", "mnc380.mcc313.3gppnetwork.org")
    assert settings.smsc.source_msisdn == "Example"
    assert settings.stripe.currency == "gbp"
    assert settings.api_keys[KEY].roles == ["admin", "view_customer"]
    assert settings.ip_whitelist["10.179.2.142"].roles == ["admin"]


@pytest.mark.req("SVC-141", "SVC-084", "CAT-181")
def test_whitelist_may_be_a_list(load: Callable[[str], Settings]) -> None:
    settings = load("ip_whitelist:\n  - 192.168.1.100\n  - 10.0.0.0/24\n")
    assert {name: entry.roles for name, entry in settings.ip_whitelist.items()} == {
        "192.168.1.100": ["admin"],
        "10.0.0.0/24": ["admin"],
    }


def test_shipped_configuration_holds_every_setting_at_its_default(home: Path) -> None:
    shipped = load_settings({"OMNICRM_HOME": str(home), "OMNICRM_CONFIG": str(ROOT / "config.yaml")})
    assert shipped.model_copy(update={"config_path": None}) == load_settings({"OMNICRM_HOME": str(home)})
    text = (ROOT / "config.yaml").read_text()
    names = [name for name in _setting_names(Settings) if f"{name}:" not in text]
    assert names == []


def _setting_names(model: type[BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        if name in ("home", "config_path", "demo"):
            continue
        names.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            names += _setting_names(field.annotation)
    return names


def test_home_is_made_and_closed_to_others(home: Path) -> None:
    settings = load_settings({"OMNICRM_HOME": str(home)})
    assert settings.home == home
    assert settings.config_path is None
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    home.chmod(0o755)
    load_settings({"OMNICRM_HOME": str(home)})
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_shared_folder_is_no_home(home: Path) -> None:
    home.mkdir()
    home.chmod(0o1777)
    with pytest.raises(ConfigurationError, match="open to other users"):
        load_settings({"OMNICRM_HOME": str(home)})
    assert stat.S_IMODE(home.stat().st_mode) == 0o1777


def test_home_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be the home of OmniCRM"):
        load_settings({"OMNICRM_HOME": str(tmp_path / "file" / "home")})


def test_default_home_is_below_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({}).home == tmp_path / ".local/share/omnicrm"


def test_named_configuration_must_exist(home: Path, tmp_path: Path) -> None:
    env = {"OMNICRM_HOME": str(home), "OMNICRM_CONFIG": str(tmp_path / "other.yaml")}
    with pytest.raises(ConfigurationError, match=r"other\.yaml.*does not exist"):
        load_settings(env)
    (tmp_path / "other.yaml").write_text("crm: {company_name: Other}")
    settings = load_settings(env)
    assert settings.crm.company_name == "Other"
    assert settings.config_path == tmp_path / "other.yaml"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("crm:\n  curency: EUR\n", "config.yaml:2: crm.curency is not a setting. Did you mean currency? Allowed: base"),
        ("\n\nprovisoning: {}\n", "config.yaml:3: provisoning is not a setting. Did you mean provisioning?"),
        ("home: /tmp\n", "config.yaml:1: home is not a setting. Allowed: database"),
        ("demo: true\n", "config.yaml:1: demo is not a setting."),
        ("database:\n  port: 99999", "config.yaml:2: database.port is '99999': a whole number from 1 to 65535"),
        ("security:\n  lockout_minutes: soon", "lockout_minutes is 'soon': a whole number from 1 to 10080 is allowed."),
        ("ocs:\n  timeout_seconds: long", "is 'long': a number above 0 and up to 120 is allowed."),
        ("ocs:\n  cgrates: http://a:2080", "config.yaml:2: ocs.cgrates is 'http://a:2080': host:port is allowed"),
        ("smtp:\n  starttls: perhaps", "smtp.starttls is 'perhaps': true or false is allowed."),
        ("service_types: mobile", "service_types is 'mobile': a list is allowed."),
        ("stripe: on", "config.yaml:1: stripe must be a section with: secret_key, publishable_key"),
        ("crm:\n  currency: euro", "currency is 'euro': three capital letters such as USD are allowed."),
        ("crm:\n  sale_statuses: [Opn]", "sale_statuses is not right: Opn is not among crm.customer_statuses; only"),
        ("crm:\n  timezone: Mars/Olympus", "crm.timezone is 'Mars/Olympus': a time zone name such as"),
        ("hss:\n  hss_peers:\n    - http://a\n    - b", "config.yaml:4: hss.hss_peers.1 is 'b': an address that"),
        ("provisioning:\n  failure_list: [ops]", "failure_list.0 is 'ops': an e-mail address is allowed."),
        ("api_crmCommunicationUserWelcome:\n  subject: a", "1: api_crmCommunicationUserWelcome.from_email is missing."),
        ("api_crmCommunicationUserWelcom: {}", "Did you mean api_crmCommunicationUserWelcome?"),
        ("mailjet:\n  api_crmCommunicationEmailVerify: {}", "Did you mean api_crmCommunicationEmailVerification?"),
        (
            "api_crmCommunicationUserWelcome:\n  from_email: a@b\n  template_id: x",
            "config.yaml:3: api_crmCommunicationUserWelcome.template_id is 'x': a whole number of at least 1 is",
        ),
        ("5: 6", "config.yaml:1: 5 must be a name, not a number."),
        ("- a\n- b", "config.yaml:1: must be sections"),
    ],
)
@pytest.mark.req("PLT-425")
def test_a_mistake_is_told_with_line_fault_and_what_is_allowed(
    load: Callable[[str], Settings], text: str, mistake: str
) -> None:
    told = _mistakes(load, text)
    assert len(told) == 1
    assert mistake in told[0]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("jwt_secret: short", "jwt_secret is not right: at least 64 characters"),
        ("jwt_secret: 2b93110f" + "0" * 50 + "dba68d87e", "this is the published sample"),
        (
            "api_keys:\n  short:\n    roles: [admin]",
            "config.yaml:2: api_keys.shor... is not right: a key of at least 32",
        ),
        (f"api_keys:\n  {KEY}:\n    ips: [1.2.3.4]", "api_keys.kkkk....roles is missing."),
        (
            f"api_keys:\n  {KEY}:\n    roles: []\n    ips: [1.2.3]",
            "4: api_keys.kkkk....ips.0 is not right: an IP address",
        ),
        ("ip_whitelist:\n  127.0.0.1: {roles: [admin]}", "this machine itself may not be whitelisted"),
        ("ip_whitelist:\n  - 10.0.0.1\n  - '::1'", "config.yaml:3: ip_whitelist.1 is '::1': this machine itself"),
        ("ip_whitelist:\n  0.0.0.0/0: {roles: [admin]}", "this machine itself may not be whitelisted"),
        ("stripe:\n  statement_descriptor_suffix: " + "X" * 23, "at most 22 characters are allowed."),
        (
            "security:\n  limits:\n    login_per_account: -1",
            "config.yaml:3: security.limits.login_per_account is '-1': a whole number from 0 to 1000000 is allowed.",
        ),
        ("security:\n  limits:\n    login_per_acount: 5", "security.limits.login_per_acount"),
    ],
)
@pytest.mark.req("PLT-449", "PLT-453", "PLT-454", "PLT-455", "CAT-178")
def test_security_settings_are_held_to_their_rules(load: Callable[[str], Settings], text: str, mistake: str) -> None:
    told = _mistakes(load, text)
    assert len(told) == 1
    assert mistake in told[0]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(load: Callable[[str], Settings]) -> None:
    told = _mistakes(load, "stripe:\n  a: 1\ncrm:\n  b: 2\ndatabase:\n  c: 3\n")
    assert [line.split(" ")[0] for line in told] == ["config.yaml:2:", "config.yaml:4:", "config.yaml:6:"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("crm:\n  currency: 'EUR\n  tagline: a\n", "config.yaml:4: column 1: while scanning a quoted scalar"),
        ("crm:\n\tcurrency: EUR\n", "config.yaml:2: column 1: while scanning for the next token"),
        ("crm: {currency: EUR\n", "Check indentation (spaces, no tabs), colons and quotes."),
        ("crm:\n  tagline: a\n  tagline: b\n", "config.yaml:3: column 3: the key tagline appears twice."),
    ],
)
@pytest.mark.req("PLT-425")
def test_yaml_mistakes_are_told_with_line_and_column(load: Callable[[str], Settings], text: str, mistake: str) -> None:
    assert mistake in _mistakes(load, text)[0]


def test_a_file_that_is_not_text_is_told(load: Callable[[str], Settings], home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_bytes(b"crm:\n  tagline: \xff\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        load_settings({"OMNICRM_HOME": str(home)})


def test_a_key_with_nothing_behind_it_keeps_its_default(load: Callable[[str], Settings]) -> None:
    settings = load("stripe:\ncrm:\n  currency:\n  tagline: Hello\n")
    assert (settings.crm.currency, settings.crm.tagline) == ("USD", "Hello")


def test_numbers_are_fine_where_texts_are_meant(load: Callable[[str], Settings]) -> None:
    settings = load("database:\n  server: db\n  password: 2024\nsmsc:\n  source_msisdn: 61400000000\n")
    assert settings.database.password.get_secret_value() == "2024"
    assert settings.smsc.source_msisdn == "61400000000"


def test_secrets_show_nowhere(load: Callable[[str], Settings]) -> None:
    settings = load(OPERATORS_FILE)
    shown = f"{settings!r} {settings} {settings.database!r}"
    for secret in ("omnitouch2024", SECRET, KEY, "sk_test_1", "123456"):
        assert secret not in shown


def test_unknown_email_type_is_an_error_of_the_caller() -> None:
    settings: Any = Settings(home=Path("/nowhere"))
    assert len(EMAIL_TYPES) == 10
    assert settings.mailjet.email_type(EMAIL_TYPES[0]) is None
    with pytest.raises(KeyError):
        settings.mailjet.email_type("api_key")
