"""A plain mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.integrations.mail import TIMEOUT_SECONDS, Mail, Refused

if TYPE_CHECKING:
    from omnicrm_tui.settings import SmtpSection

_PERMANENT = 500


class SmtpSender:
    """Sends through the server of the `smtp` section, one connection for each mail."""

    def __init__(self, section: SmtpSection, timeout: float = TIMEOUT_SECONDS) -> None:
        self._section = section
        self._timeout = timeout

    def send(self, mail: Mail) -> None:
        """Hand `mail` over. Raises Refused when the server refuses it for good, OutsideSystemError otherwise."""
        try:
            message = _message(mail)
        except ValueError as error:
            raise Refused(
                _("The mail cannot be written: an address or the subject has characters that it may not.")
            ) from error
        try:
            with smtplib.SMTP(self._section.host, self._section.port, timeout=self._timeout) as server:
                self._prepare(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _problem(code, answer) from error
        except smtplib.SMTPAuthenticationError as error:
            raise OutsideSystemError(
                _("The mail server refused the log-in ({smtp_code}).").format(smtp_code=error.smtp_code)
            ) from error
        except smtplib.SMTPResponseException as error:
            raise _problem(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise OutsideSystemError(_("The mail server did not take the mail: {error}").format(error=error)) from error

    def check(self) -> str:
        """Log in without sending anything and say what answers; raises OutsideSystemError."""
        where = f"{self._section.host}:{self._section.port}"
        try:
            with smtplib.SMTP(self._section.host, self._section.port, timeout=self._timeout) as server:
                self._prepare(server)
                server.noop()
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise OutsideSystemError(
                _("The mail server {where} cannot be used: {error}").format(where=where, error=error)
            ) from error
        return _("{where} takes mail").format(where=where)

    def _prepare(self, server: smtplib.SMTP) -> None:
        if self._section.starttls:
            server.starttls(context=ssl.create_default_context())
        if self._section.username:
            server.login(self._section.username, self._section.password.get_secret_value())


def _message(mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{mail.message_id}@{mail.from_email.rpartition('@')[2]}>"
    message["From"] = formataddr((mail.from_name, mail.from_email))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    return message


def _problem(code: int, answer: bytes | str) -> OutsideSystemError:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    kind = Refused if code >= _PERMANENT else OutsideSystemError
    return kind(_("The mail server answered {code}: {words}").format(code=code, words=words))
