"""The SMS centre (SVC-118): a POST to .../plaintext/<api_key>, answered with 201."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.integrations.mail import TIMEOUT_SECONDS, Refused

if TYPE_CHECKING:
    from omnicrm_tui.settings import SmscSection

_CREATED = 201
_FAULTS_OF_THE_MESSAGE = (400, 422)


class SmscClient:
    """Sends short messages through the gateway of the `smsc` section."""

    def __init__(self, section: SmscSection, timeout: float = TIMEOUT_SECONDS) -> None:
        self._section = section
        self._timeout = timeout

    def send(self, to: str, text: str) -> None:
        """Hand one short message over. Raises Refused when the gateway finds fault with it, else OutsideSystemError.

        The key is part of the address: no error tells the address.
        """
        import httpx

        address = f"{plaintext_address(self._section.smsc_url)}/{self._section.api_key.get_secret_value()}"
        body = {
            "source_msisdn": self._section.source_msisdn,
            self._section.destination_field: to,
            "message_body": text,
        }
        try:
            answer = httpx.post(address, json=body, timeout=self._timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideSystemError(
                _("The SMS centre could not be asked: {name}").format(name=type(error).__name__)
            ) from None
        if answer.status_code == _CREATED:
            return
        kind = Refused if answer.status_code in _FAULTS_OF_THE_MESSAGE else OutsideSystemError
        raise kind(
            _("The SMS centre answered {status_code} instead of {created}.").format(
                status_code=answer.status_code, created=_CREATED
            )
        )


def plaintext_address(smsc_url: str) -> str:
    """Return where texts go, without the key: below the path that `smsc_url` names, else below /SMS."""
    base = smsc_url.rstrip("/")
    return f"{base}/plaintext" if urlsplit(base).path else f"{base}/SMS/plaintext"
