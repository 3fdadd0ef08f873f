"""Mailjet's send API (CAT-506)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.integrations.mail import TIMEOUT_SECONDS, Mail, Refused

if TYPE_CHECKING:
    from omnicrm_tui.settings import MailjetSection

_OK = 200
_BAD_REQUEST = 400


class MailjetSender:
    """Sends with the key and secret of the `mailjet` section."""

    def __init__(self, section: MailjetSection, timeout: float = TIMEOUT_SECONDS) -> None:
        self._section = section
        self._timeout = timeout

    def send(self, mail: Mail) -> None:
        """Hand `mail` over. Raises Refused when Mailjet finds fault with it, OutsideSystemError otherwise (BIL-215)."""
        import httpx

        credentials = (self._section.api_key.get_secret_value(), self._section.api_secret.get_secret_value())
        address = f"{self._section.base_url.rstrip('/')}/v3.1/send"
        try:
            answer = httpx.post(address, json=_body(mail), auth=credentials, timeout=self._timeout)
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise OutsideSystemError(
                _("Mailjet could not be asked: {name}").format(name=type(error).__name__)
            ) from error
        if answer.status_code == _BAD_REQUEST:
            raise Refused(_("Mailjet refused the mail: {said}").format(said=_faults(said)))
        if answer.status_code != _OK:
            raise OutsideSystemError(
                _("Mailjet answered {status_code}. Check its key, secret and account.").format(
                    status_code=answer.status_code
                )
            )
        if faults := _faults(said):
            raise Refused(_("Mailjet refused the mail: {faults}").format(faults=faults))
        if not _succeeded(said):
            raise OutsideSystemError(_("Mailjet's answer makes no sense: is this its address?"))

    def check(self) -> str:
        """Ask for the account without sending anything and say what answers; raises OutsideSystemError (PLT-468)."""
        import httpx

        credentials = (self._section.api_key.get_secret_value(), self._section.api_secret.get_secret_value())
        address = f"{self._section.base_url.rstrip('/')}/v3/REST/sender"
        try:
            answer = httpx.get(address, params={"Limit": 1}, auth=credentials, timeout=self._timeout)
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise OutsideSystemError(_("Mailjet could not be asked: {name}").format(name=name)) from error
        if answer.status_code != _OK:
            raise OutsideSystemError(
                _("Mailjet answered {status_code}. Check its key, secret and account.").format(
                    status_code=answer.status_code
                )
            )
        return _("Mailjet knows the key")


def _body(mail: Mail) -> dict[str, Any]:
    message: dict[str, Any] = {
        "From": {"Email": mail.from_email, "Name": mail.from_name},
        "To": [{"Email": mail.to}],
        "Subject": mail.subject,
        "TextPart": mail.text,
        "CustomID": mail.message_id,
    }
    if mail.html is not None:
        message["HTMLPart"] = mail.html
    return {"Messages": [message]}


def _messages(said: Any) -> list[dict[str, Any]]:
    found = said.get("Messages") if isinstance(said, dict) else None
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def _succeeded(said: Any) -> bool:
    return [message.get("Status") for message in _messages(said)] == ["success"]


def _faults(said: Any) -> str:
    errors = [error for message in _messages(said) for error in message.get("Errors") or []]
    found = [str(error.get("ErrorMessage")) for error in errors if isinstance(error, dict)]
    if isinstance(said, dict) and "ErrorMessage" in said:
        found.append(str(said["ErrorMessage"]))
    return "; ".join(found)
