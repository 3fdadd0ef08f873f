"""Who calls: a bearer token, an API key, or an address that the configuration trusts (CAT-174, SVC-079..085)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import NotAuthenticated, NotPermitted
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Caller:
    """An identified caller, ready to open a unit of work."""

    crm: Crm
    actor: Actor

    def working(self) -> AbstractContextManager[Work]:
        """Open a unit of work that may write."""
        return self.crm.as_actor(self.actor)

    def reading(self) -> AbstractContextManager[Work]:
        """Open a unit of work that only reads."""
        return self.crm.reading(self.actor)


def crm_of(request: Request) -> Crm:
    """Return the Crm behind this API."""
    crm: Crm = request.app.state.crm
    return crm


def identify(request: Request) -> Caller:
    """Return who calls.

    Raises NotAuthenticated for a credential that is not valid, NotPermitted where there is none and the
    address is not whitelisted (SVC-083, SVC-084).
    """
    crm = crm_of(request)
    source = source_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key", "")
    with crm.reading(visitor(source)) as work:
        if scheme:
            if scheme.lower() != "bearer" or not token.strip():
                raise NotAuthenticated("Send the header as 'Authorization: Bearer <token>'.")
            return Caller(crm, work.identity.actor_of_token(token.strip(), source))
        if key:
            return Caller(crm, work.identity.actor_of_api_key(key, source))
        actor = work.identity.actor_of_address(source)
    if actor is None:
        raise NotPermitted("Access denied")
    return Caller(crm, actor)


def source_of(request: Request) -> str:
    """Return the caller's address: the peer's, or what a configured proxy says about it."""
    peer = request.client.host if request.client else ""
    proxies = crm_of(request).settings.api.trusted_proxies
    if not proxies:
        return peer
    hops = [hop.strip() for header in request.headers.getlist("x-forwarded-for") for hop in header.split(",")]
    return client_address(peer, hops, proxies)


def client_address(peer: str, hops: Sequence[str], proxies: Sequence[str]) -> str:
    """Return the nearest address that is not a trusted proxy, walking back from the peer.

    What stands further left in the header was written by somebody we do not trust.
    """
    networks = [ip_network(proxy, strict=False) for proxy in proxies]
    address = peer
    for hop in reversed(hops):
        if not _inside(address, networks):
            break
        address = hop
    return address


def _inside(address: str, networks: Sequence[object]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)  # type: ignore[operator]


CallerDep = Annotated[Caller, Depends(identify)]
CrmDep = Annotated[Crm, Depends(crm_of)]
SourceDep = Annotated[str, Depends(source_of)]
