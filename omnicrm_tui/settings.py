"""config.yaml and the environment as one typed object.

The sections are those of the operator's `crm_config.yaml` (PLT-426..455), which is accepted as it is, and a
few of our own. `omnicrm_tui.config_file` reads the file and says where a mistake is.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from omnicrm_tui.languages import N_
from omnicrm_tui.languages import spoken as _
from omnicrm_tui.security_settings import Section, SecuritySection

Percentage = Annotated[int, Field(ge=0, le=100)]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s/:]+)(:\d{1,5})?")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_LEAST_JWT_SECRET = 64
_LEAST_API_KEY = 32


def _url(text: str) -> str:
    if text and not _URL.fullmatch(text):
        raise ValueError(_("an address that starts with http:// or https:// is allowed"))
    return text


def _link(text: str) -> str:
    if not text:
        raise ValueError(_("an address that starts with http:// or https:// is allowed"))
    return _url(text)


def _base_url(text: str) -> str:
    return _url(text).rstrip("/")


def host_port(text: str) -> str:
    """Return host:port, or "" as it is; raises ValueError for anything else."""
    if text and not _HOST_PORT.fullmatch(text):
        raise ValueError(_("host:port is allowed, without http:// and without a path"))
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError(_("an e-mail address is allowed"))
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(_("an IP address or a network such as 10.0.1.0/24 is allowed")) from None
    return text


def _whitelisted(text: str) -> str:
    network = ipaddress.ip_network(_network(text), strict=False)
    if network.is_loopback or any(here in network for here in _LOOPBACK if here.version == network.version):
        raise ValueError(_("this machine itself may not be whitelisted: use an API key"))
    return text


def zone_name(name: str) -> str:
    """Return the name of a time zone; raises ValueError for one that is unknown."""
    if name != "UTC":
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError(_("a time zone name such as Europe/Berlin or UTC is allowed")) from None
    return name


def _jwt_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < _LEAST_JWT_SECRET:
        words = _("at least {number} characters are allowed: openssl rand -hex 32")
        raise ValueError(words.format(number=_LEAST_JWT_SECRET))
    if text.startswith("2b93110f") and text.endswith("dba68d87e"):
        raise ValueError(_("this is the published sample: make one of your own with openssl rand -hex 32"))
    return secret


def _api_key(key: str) -> str:
    if len(key) < _LEAST_API_KEY:
        words = _("a key of at least {number} characters is allowed: openssl rand -base64 48")
        raise ValueError(words.format(number=_LEAST_API_KEY))
    return key


def _as_text(value: object) -> object:
    # YAML reads an unquoted password or template name such as 12345 as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))

COLOUR = "^$|^#[0-9A-Fa-f]{6}$"
LANGUAGE = "^[a-z]{2}$"
LOCALE = "^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"

Colour = Annotated[str, Field(pattern=COLOUR)]
Url = Annotated[str, AfterValidator(_url)]
OwnUrl = Annotated[str, AfterValidator(_base_url)]
HostPort = Annotated[str, AfterValidator(host_port)]
EmailAddress = Annotated[str, AfterValidator(_email)]
Network = Annotated[str, AfterValidator(_network)]
WhitelistedNetwork = Annotated[str, AfterValidator(_whitelisted)]
Secret = Annotated[SecretStr, BeforeValidator(_as_text)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class DatabaseSection(Section):
    """Where the data is. Without `url` and `server` it is an SQLite file in the home."""

    url: Secret | None = None
    username: str = "omnitouch"
    password: Secret = SecretStr("")
    server: str | None = None
    port: Port = 3306
    name: str = "omnicrm"


class HssSection(Section):
    """HSS servers and access points (PLT-433, PLT-434)."""

    hss_peers: list[Url] = []
    apn_list: str = "1,2,3,4,5,6"


class OcsSection(Section):
    """The online charging system (PLT-440..442, SVC-144)."""

    ocsApi: Url = ""  # noqa: N815 - the operator's key
    ocsTenant: str = "cgrates.org"  # noqa: N815 - the operator's key
    cgrates: HostPort = ""
    OCS: HostPort = ""
    timeout_seconds: float = Field(default=5.0, gt=0, le=120)
    voice_unit: Literal["ns", "s"] = "ns"
    money_unit: Literal["cents", "units"] = "cents"


class SmscSection(Section):
    """The SMS centre (PLT-444..446)."""

    source_msisdn: str = "OmniCRM"
    smsc_url: Url = ""
    api_key: Secret = SecretStr("")
    destination_field: str = "destination_msisdn"


class EmailType(Section):
    """One kind of e-mail (PLT-436, PLT-456..465)."""

    from_email: EmailAddress
    from_name: str = ""
    template_id: Annotated[int, Field(ge=1)] | None = None
    subject: str = ""


class MailjetSection(Section):
    """Mailjet credentials (PLT-435) and the ten e-mail types (PLT-456..465)."""

    api_key: Secret = SecretStr("")
    api_secret: Secret = SecretStr("")
    base_url: Url = "https://api.mailjet.com"
    api_crmCommunicationCustomerWelcome: EmailType | None = None  # noqa: N815 - the operator's key
    api_crmCommunicationCustomerInvoice: EmailType | None = None  # noqa: N815
    api_crmCommunicationCustomerInvoiceReminder: EmailType | None = None  # noqa: N815
    api_crmCommunicationUserWelcome: EmailType | None = None  # noqa: N815
    api_crmCommunicationUserPasswordReset: EmailType | None = None  # noqa: N815
    api_crmCommunicationUserPasswordResetSuccess: EmailType | None = None  # noqa: N815
    api_crmCommunicationUserPasswordChange: EmailType | None = None  # noqa: N815
    api_crmCommunicationEmailVerification: EmailType | None = None  # noqa: N815
    api_crmCommunicationsBalanceExpired: EmailType | None = None  # noqa: N815
    api_crmCommunicationsBalanceLow: EmailType | None = None  # noqa: N815

    def email_type(self, name: str) -> EmailType | None:
        """Return what is configured for the e-mail type `name`; raises KeyError for a type that does not exist."""
        if name not in EMAIL_TYPES:
            raise KeyError(name)
        found: EmailType | None = getattr(self, name)
        return found


EMAIL_TYPES = tuple(name for name in MailjetSection.model_fields if name.startswith("api_crm"))


class EmailSection(Section):
    """Another place for Mailjet's key, which plays know (CAT-508, CAT-522)."""

    api_key: Secret = SecretStr("")


class SmtpSection(Section):
    """A plain mail server, used where Mailjet has no key."""

    host: str = ""
    port: Port = 25
    username: str = ""
    password: Secret = SecretStr("")
    starttls: bool = False
    from_email: EmailAddress = "noreply@localhost"


class ProvisioningSection(Section):
    """Jobs: who hears of failures (PLT-437), how long a play may stand still (SVC-130)."""

    failure_list: list[EmailAddress] = []
    task_timeout_seconds: int = Field(default=300, ge=5, le=86_400)
    poll_seconds: float = Field(default=0.2, ge=0.05, le=10)
    heartbeat_seconds: float = Field(default=5.0, ge=0.2, le=60)
    ansible_playbook: str = ""
    reservation_minutes: int = Field(default=15, ge=1, le=1440)
    selectable_states: list[str] = ["New", "In Stock"]


class InvoiceSection(Section):
    """Invoices (PLT-438)."""

    template_filename: str = ""


NOT_FOR_SALE = ("Closed", "Suspended", "Archived")
"""The statuses that are closed for sale unless `crm.sale_statuses` says otherwise."""


def _known_statuses(names: list[str] | None, info: ValidationInfo) -> list[str] | None:
    # Where the list of all statuses has a mistake of its own, that is told instead.
    known = info.data.get("customer_statuses")
    unknown = [name for name in names or () if known is not None and name not in known]
    if unknown:
        words = _("{status} is not among crm.customer_statuses; only those are allowed")
        raise ValueError(words.format(status=unknown[0]))
    return names


class CrmSection(Section):
    """The API's own address (PLT-439, PLT-601) and the operator's identity.

    People follow links to `public_url`, plays call `internal_url`; both are `base_url` where they are blank.
    """

    base_url: OwnUrl = "http://localhost:5000"
    public_url: OwnUrl = ""
    internal_url: OwnUrl = ""
    company_name: str = "OmniCRM"
    tagline: str = ""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    timezone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    language: str = Field(default="en", pattern=LANGUAGE)
    locale: str = Field(default="", pattern=f"^$|{LOCALE}")
    currency_symbol: str = Field(default="", max_length=5)
    default_country: str = ""
    default_location: str = ""
    customer_statuses: list[str] = [
        N_("Open"),
        N_("Closed"),
        N_("Suspended"),
        N_("Archived"),
        N_("Active"),
        N_("Inactive"),
        N_("Pending"),
    ]
    sale_statuses: Annotated[list[str] | None, AfterValidator(_known_statuses)] = None
    credit_types: list[str] = [
        N_("Cash"),
        N_("Card"),
        N_("Bank Transfer"),
        N_("Goodwill"),
        N_("Refund"),
        N_("Discount"),
    ]
    theme: str = "omnicrm-dark"

    @property
    def public_address(self) -> str:
        """Where people find us: in links of mails."""
        return self.public_url or self.base_url

    @property
    def internal_address(self) -> str:
        """Where plays find the API."""
        return self.internal_url or self.base_url

    @property
    def statuses_for_sale(self) -> list[str]:
        """Return the statuses of customers that may order."""
        if self.sale_statuses is not None:
            return self.sale_statuses
        return [status for status in self.customer_statuses if status not in NOT_FOR_SALE]


class ColoursSection(Section):
    """The operator's colours (PLT-487..492); the terminal takes their hue and makes them readable."""

    primary: Colour = ""
    primary_dark: Colour = ""
    secondary: Colour = ""
    tertiary: Colour = ""
    success: Colour = ""
    info: Colour = ""
    warning: Colour = ""
    danger: Colour = ""
    light: Colour = ""
    dark: Colour = ""


class Link(Section):
    """A name and an address: shown, copied and drawn as a QR code, never opened."""

    name: str = Field(min_length=1, max_length=60)
    url: Annotated[str, AfterValidator(_link)]


class BrandingSection(Section):
    """How the product is named and looks, and where it leads (PLT-477..499)."""

    portal_name: str = ""
    self_care_name: str = ""
    colours: ColoursSection = ColoursSection()
    web_apps: list[Link] = Field(default=[], max_length=6)
    dashboards: list[Link] = []
    support_url: Url = ""
    faqs_url: Url = ""


class StripeSection(Section):
    """Card processing (PLT-450..453)."""

    secret_key: Secret = SecretStr("")
    publishable_key: str = ""
    currency: str = Field(default="usd", pattern="^[a-z]{3}$")
    statement_descriptor_suffix: str = Field(default="", max_length=22)


class ApiKey(Section):
    """A static API key (PLT-454, CAT-179): its list may hold roles and permissions."""

    roles: list[str]
    ips: list[Network] = []
    description: str = ""


class WhitelistEntry(Section):
    """What an address may do without a credential (PLT-455)."""

    roles: list[str]
    description: str = ""


class TerminalSection(Section):
    """What differs for those who come over SSH. `theme_over_ssh` is for who has chosen none ("": `crm.theme`)."""

    theme_over_ssh: Literal["", "omnicrm-dark", "omnicrm-light", "omnicrm-contrast", "ansi-dark"] = ""
    frames_over_ssh: int = Field(default=30, ge=5, le=60)


class ApiSection(Section):
    """The REST door. Forwarded headers count only where one of `trusted_proxies` sent them; by default nobody."""

    trusted_proxies: list[Network] = []


class LogsSection(Section):
    """Logs (PLT-070): how much is written, when a file is put aside, and how many of those are kept."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    max_megabytes: int = Field(default=10, ge=1, le=10_000)
    keep: int = Field(default=5, ge=0, le=1000)

    @property
    def max_bytes(self) -> int:
        """The size at which a file is put aside."""
        return self.max_megabytes << 20


class Settings(Section):
    """Everything that can be set. `home` holds all state; the rest has defaults that work alone.

    `config_path` is the file that was read, None where there is none; `demo` is true in a demo's home.
    """

    home: Path
    config_path: Path | None = None
    demo: bool = False
    database: DatabaseSection = DatabaseSection()
    service_types: list[str] = ["omnicharge", "mobile", "internet", "iptv", "voip"]
    hss: HssSection = HssSection()
    mailjet: MailjetSection = MailjetSection()
    email: EmailSection = EmailSection()
    smtp: SmtpSection = SmtpSection()
    provisioning: ProvisioningSection = ProvisioningSection()
    invoice: InvoiceSection = InvoiceSection()
    crm: CrmSection = CrmSection()
    ocs: OcsSection = OcsSection()
    smsc: SmscSection = SmscSection()
    cbc_url: Url = ""
    jwt_secret: Annotated[Secret, AfterValidator(_jwt_secret)] | None = None
    stripe: StripeSection = StripeSection()
    api_keys: dict[Annotated[str, AfterValidator(_api_key)], ApiKey] = Field(default={}, repr=False)
    ip_whitelist: dict[WhitelistedNetwork, WhitelistEntry] = {}
    branding: BrandingSection = BrandingSection()
    security: SecuritySection = SecuritySection()
    api: ApiSection = ApiSection()
    terminal: TerminalSection = TerminalSection()
    logs: LogsSection = LogsSection()
    keymap: dict[str, str] = {}

    @property
    def keys_folder(self) -> Path:
        """Where generated keys are (0700, files 0600)."""
        return self.home / "keys"

    @property
    def plays_folder(self) -> Path:
        """Where the operator's own plays are; they come before ours."""
        return self.home / "plays"

    @property
    def jobs_folder(self) -> Path:
        """Where each job has its private folder while it runs."""
        return self.home / "jobs"

    @property
    def lab_folder(self) -> Path:
        """Where the lab network keeps its state."""
        return self.home / "lab"

    @property
    def exports_folder(self) -> Path:
        """Where exports go, and the only place where they go."""
        return self.home / "exports"

    @property
    def logs_folder(self) -> Path:
        """Where each kind of process writes its log."""
        return self.home / "logs"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        if self.database.server is None:
            return f"sqlite:///{self.home / 'omnicrm.sqlite'}"
        from sqlalchemy.engine import URL

        return URL.create(
            "mysql+pymysql",
            self.database.username,
            self.database.password.get_secret_value() or None,
            self.database.server,
            self.database.port,
            self.database.name,
        ).render_as_string(hide_password=False)
