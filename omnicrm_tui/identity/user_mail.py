"""What a mail is, and the one that welcomes a user (PLT-219), in the operator's language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from omnicrm_tui.languages import catalogue_of

if TYPE_CHECKING:
    from omnicrm_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class UserMail:
    """Subject and plain text."""

    subject: str
    text: str


class Told(Enum):
    """What a mail tells about a second factor."""

    TURNED_ON = "on"
    TAKEN_AWAY = "off"
    MOVED = "moved"
    CODES_REPLACED = "replaced"
    CODE_USED = "used"


def welcome_mail(first_name: str, username: str, settings: Settings) -> UserMail:
    """Return the mail to who is new: how to log in, and whom to ask. It holds no password (PLT-213)."""
    _ = catalogue_of(settings.crm.language).gettext
    company = settings.crm.company_name
    sender = settings.mailjet.email_type("api_crmCommunicationUserWelcome")
    contact = settings.branding.support_url or (sender.from_email if sender else "")
    lines = [
        _("Dear {name},").format(name=first_name),
        "",
        _("welcome to {company}. An account was made for you.").format(company=company),
        "",
        _("Log in as {username}, or with this e-mail address.").format(username=username),
        _("Your password comes to you by another way; if it is temporary, you choose your own when you first log in."),
        *([_("Where: {address}").format(address=settings.crm.public_url)] if settings.crm.public_url else []),
        *(["", _("Questions? Ask {contact}.").format(contact=contact)] if contact else []),
    ]
    subject = (sender.subject if sender else "") or _("Welcome to {company}").format(company=company)
    return UserMail(subject, "\n".join(lines) + "\n")
