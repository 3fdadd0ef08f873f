"""config.yaml and the environment as one typed object.

The sections are those of the operator's `crm_config.yaml` (PLT-426..455), which is accepted as it is, and a
few of our own. `omnicrm_tui.config_file` reads the file and says where a mistake is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Percentage = Annotated[int, Field(ge=0, le=100)]


class Section(BaseModel):
    """One part of the configuration; an unknown key is a mistake, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class DatabaseSection(Section):
    """Where the data is. Without `url` and `server` it is an SQLite file in the home."""

    url: SecretStr | None = None
    username: str = "omnitouch"
    password: SecretStr = SecretStr("")
    server: str | None = None
    port: int = 3306
    name: str = "omnicrm"


class HssSection(Section):
    """HSS servers and access points (PLT-433, PLT-434)."""

    hss_peers: list[str] = []
    apn_list: str = "1,2,3,4,5,6"


class OcsSection(Section):
    """The online charging system (PLT-440..442, SVC-144)."""

    ocsApi: str = ""  # noqa: N815 - the operator's key
    ocsTenant: str = "cgrates.org"  # noqa: N815 - the operator's key
    cgrates: str = ""
    OCS: str = ""
    timeout_seconds: float = Field(default=5.0, gt=0, le=120)


class SmscSection(Section):
    """The SMS centre (PLT-444..446)."""

    source_msisdn: str = "OmniCRM"
    smsc_url: str = ""
    api_key: SecretStr = SecretStr("")
    destination_field: str = "destination_msisdn"


class EmailType(Section):
    """One kind of e-mail (PLT-436, PLT-456..465)."""

    from_email: str
    from_name: str = ""
    template_id: int | None = None
    subject: str = ""


class MailjetSection(Section):
    """Mailjet credentials and its e-mail types (PLT-435, PLT-436)."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    api_key: SecretStr = SecretStr("")
    api_secret: SecretStr = SecretStr("")
    base_url: str = "https://api.mailjet.com"


class SmtpSection(Section):
    """A plain mail server, used where Mailjet has no key."""

    host: str = ""
    port: int = 25
    username: str = ""
    password: SecretStr = SecretStr("")
    starttls: bool = False
    from_email: str = "noreply@localhost"


class ProvisioningSection(Section):
    """Jobs: who hears of failures (PLT-437), how long a play may stand still (SVC-130)."""

    failure_list: list[str] = []
    task_timeout_seconds: int = Field(default=300, ge=5, le=86_400)
    poll_seconds: float = Field(default=0.2, ge=0.05, le=10)
    heartbeat_seconds: float = Field(default=5.0, ge=0.2, le=60)
    ansible_playbook: str = ""
    reservation_minutes: int = Field(default=15, ge=1, le=1440)
    selectable_states: list[str] = ["New", "In Stock"]


class InvoiceSection(Section):
    """Invoices (PLT-438)."""

    template_filename: str = ""


class CrmSection(Section):
    """The API's own address (PLT-439) and the operator's identity."""

    base_url: str = "http://localhost:5000"
    company_name: str = "OmniCRM"
    tagline: str = ""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    timezone: str = "UTC"
    language: str = "en"
    default_country: str = ""
    customer_statuses: list[str] = ["Open", "Closed", "Suspended", "Archived", "Active", "Inactive", "Pending"]
    credit_types: list[str] = ["Cash", "Card", "Bank Transfer", "Goodwill", "Refund", "Discount"]
    theme: str = "omnicrm-dark"


class SecuritySection(Section):
    """Log-in rules and token lives."""

    access_token_minutes: int = Field(default=15, ge=1, le=120)
    refresh_token_days: int = Field(default=30, ge=1, le=365)
    session_hours: int = Field(default=12, ge=1, le=720)
    lockout_failures: int = Field(default=5, ge=1, le=100)
    lockout_minutes: int = Field(default=30, ge=1, le=10_080)
    trust_ssh_identity: bool = False


class StripeSection(Section):
    """Card processing (PLT-450..453)."""

    secret_key: SecretStr = SecretStr("")
    publishable_key: str = ""
    currency: str = Field(default="usd", pattern="^[a-z]{3}$")
    statement_descriptor_suffix: str = Field(default="", max_length=22)


class ApiKey(Section):
    """A static API key (PLT-454, CAT-179): its list may hold roles and permissions."""

    roles: list[str]
    ips: list[str] = []
    description: str = ""


class WhitelistEntry(Section):
    """What an address may do without a credential (PLT-455)."""

    roles: list[str]


class Settings(Section):
    """Everything that can be set. `home` holds all state; the rest has defaults that work alone."""

    home: Path
    demo: bool = False
    database: DatabaseSection = DatabaseSection()
    service_types: list[str] = ["omnicharge", "mobile", "internet", "iptv", "voip"]
    hss: HssSection = HssSection()
    mailjet: MailjetSection = MailjetSection()
    smtp: SmtpSection = SmtpSection()
    provisioning: ProvisioningSection = ProvisioningSection()
    invoice: InvoiceSection = InvoiceSection()
    crm: CrmSection = CrmSection()
    ocs: OcsSection = OcsSection()
    smsc: SmscSection = SmscSection()
    cbc_url: str = ""
    jwt_secret: SecretStr | None = None
    stripe: StripeSection = StripeSection()
    api_keys: dict[str, ApiKey] = {}
    ip_whitelist: dict[str, WhitelistEntry] = {}
    security: SecuritySection = SecuritySection()
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
