"""Mails about a user's way in, in the operator's language."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from omnicrm_tui.identity.user_mail import Told, UserMail
from omnicrm_tui.languages import catalogue_of

if TYPE_CHECKING:
    from datetime import datetime

    from omnicrm_tui.settings import Settings

RESET = "api_crmCommunicationUserPasswordReset"
RESET_DONE = "api_crmCommunicationUserPasswordResetSuccess"
CHANGED = "api_crmCommunicationUserPasswordChange"
VERIFICATION = "api_crmCommunicationEmailVerification"
LOCKED, NEW_ADDRESS = "userLocked", "userNewAddress"
EMAIL_CHANGE, EMAIL_CHANGED, SECOND_FACTOR = "userEmailChange", "userEmailChanged", "userSecondFactor"
"""Kinds of mail: the configuration's e-mail types, and those of our own that it has no name for."""


def reset_mail(first_name: str, code: str, settings: Settings) -> UserMail:
    """Return the mail to who forgot the password: a code to type, a link with it, for how long (PLT-200)."""
    _ = catalogue_of(settings.crm.language).gettext
    company, address = settings.crm.company_name, settings.crm.public_address.rstrip("/")
    lines = [
        _("Dear {name},").format(name=first_name),
        "",
        _("somebody asked to reset the password of your account at {company}.").format(company=company),
        "",
        _("In the terminal, press ctrl+r at the log-in and type this code:"),
        f"    {code}",
        _("Or open:"),
        f"    {address}/reset-password/{code}",
        "",
        _("The code is good for one hour, once."),
        _("If it was not you, ignore this mail: nothing has changed."),
    ]
    return _mail(RESET, _("Reset your password"), lines, settings)


def reset_done_mail(first_name: str, source: str, settings: Settings) -> UserMail:
    """Return the mail that confirms a reset, with the address that it came from."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("the password of your account at {company} was reset.").format(company=settings.crm.company_name),
        _("It was done from {address}. All sessions have ended.").format(address=source or "-"),
    ]
    return _security_mail(RESET_DONE, _("Your password was reset"), first_name, told, settings)


def changed_mail(first_name: str, source: str, settings: Settings) -> UserMail:
    """Return the mail that tells of a changed password."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("the password of your account at {company} was changed.").format(company=settings.crm.company_name),
        _("It was done from {address}. All sessions have ended.").format(address=source or "-"),
    ]
    return _security_mail(CHANGED, _("Your password was changed"), first_name, told, settings)


def verification_mail(first_name: str, code: str, hours: int, settings: Settings) -> UserMail:
    """Return the mail to an address that is to be verified: a code to type, a link with it, for how long (BIL-207)."""
    _ = catalogue_of(settings.crm.language).gettext
    address = settings.crm.public_address.rstrip("/")
    lines = [
        _("Dear {name},").format(name=first_name),
        "",
        _("this address was given for your account at {company}. Verify that it is yours.").format(
            company=settings.crm.company_name
        ),
        "",
        _('In the terminal, press ctrl+k, choose "Verify e-mail address" and type this code:'),
        f"    {code}",
        _("Or open:"),
        f"    {address}/verify-email/{code}",
        "",
        _("The code is good for {n} h, once.").format(n=hours),
        _("If you have no account there, ignore this mail: nothing changes."),
    ]
    return _mail(VERIFICATION, _("Verify your e-mail address"), lines, settings)


def email_change_mail(first_name: str, masked: str, source: str, settings: Settings) -> UserMail:
    """Return the mail to the address that is to be replaced; the new one is `masked`."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("your account at {company} is to have another e-mail address: {email}.").format(
            company=settings.crm.company_name, email=masked
        ),
        _("It was asked for from {address}. This address holds until the new one is verified.").format(
            address=source or "-"
        ),
    ]
    return _security_mail(EMAIL_CHANGE, _("Your e-mail address is to change"), first_name, told, settings)


def email_changed_mail(first_name: str, masked: str, source: str, settings: Settings) -> UserMail:
    """Return the mail to the address that was replaced; the new one is `masked`."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("your account at {company} has another e-mail address now: {email}.").format(
            company=settings.crm.company_name, email=masked
        ),
        _("It was verified from {address}. No mail comes to this address any more.").format(address=source or "-"),
    ]
    return _security_mail(EMAIL_CHANGED, _("Your e-mail address was changed"), first_name, told, settings)


def second_factor_mail(
    what: Told, first_name: str, source: str, moment: datetime, settings: Settings, left: int = 0
) -> UserMail:
    """Return the mail that tells what was done to a second factor; `left` backup codes are unused by then."""
    _ = catalogue_of(settings.crm.language).gettext
    subject, told = {
        Told.TURNED_ON: (
            _("Your second factor is on"),
            _("the second factor of your account at {company} was turned on."),
        ),
        Told.TAKEN_AWAY: (
            _("Your second factor is off"),
            _("an administrator took away the second factor of your account at {company}: the password is enough now."),
        ),
        Told.MOVED: (
            _("Your second factor was moved"),
            _("the second factor of your account at {company} was moved to a new device, with a backup code."),
        ),
        Told.CODES_REPLACED: (
            _("Your backup codes were replaced"),
            _("the backup codes of your account at {company} were replaced: the old ones open nothing any more."),
        ),
        Told.CODE_USED: (
            _("A backup code was used"),
            _("somebody logged in to your account at {company} with a backup code. Unused codes left: {n}."),
        ),
    }[what]
    local = moment.astimezone(ZoneInfo(settings.crm.timezone))
    done = _("It was done from {address}, on {when}.").format(address=source or "-", when=f"{local:%Y-%m-%d %H:%M %Z}")
    lines = [told.format(company=settings.crm.company_name, n=left), done]
    return _security_mail(SECOND_FACTOR, subject, first_name, lines, settings)


def locked_mail(first_name: str, source: str, settings: Settings) -> UserMail:
    """Return the mail that tells of a lock, and for how long it holds."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("your account at {company} was locked after {n} failed attempts to log in.").format(
            company=settings.crm.company_name, n=settings.security.lockout_failures
        ),
        _("The last one came from {address}. It opens again after {n} minutes.").format(
            address=source or "-", n=settings.security.lockout_minutes
        ),
    ]
    return _security_mail(LOCKED, _("Your account was locked"), first_name, told, settings)


def new_address_mail(first_name: str, source: str, settings: Settings) -> UserMail:
    """Return the mail that tells of a log-in from where this user was not seen before."""
    _ = catalogue_of(settings.crm.language).gettext
    told = [
        _("somebody logged in to your account at {company} from {address}.").format(
            company=settings.crm.company_name, address=source or "-"
        ),
        _("You have not logged in from there for a while, or never."),
    ]
    return _security_mail(NEW_ADDRESS, _("A log-in from a new address"), first_name, told, settings)


def _security_mail(kind: str, subject: str, first_name: str, told: list[str], settings: Settings) -> UserMail:
    _ = catalogue_of(settings.crm.language).gettext
    greeting, advice = (
        _("Dear {name},").format(name=first_name),
        _("If it was not you, tell your administrator at once."),
    )
    return _mail(kind, subject, [greeting, "", *told, "", advice], settings)


def _mail(kind: str, subject: str, lines: list[str], settings: Settings) -> UserMail:
    """The operator's own subject comes before ours."""
    from omnicrm_tui.settings import EMAIL_TYPES

    configured = settings.mailjet.email_type(kind) if kind in EMAIL_TYPES else None
    return UserMail((configured.subject if configured else "") or subject, "\n".join(lines) + "\n")
