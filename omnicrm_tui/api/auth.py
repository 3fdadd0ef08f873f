"""Who calls: a bearer token, an API key, or an address that the configuration trusts (CAT-174, SVC-079..085)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from omnicrm_tui.api.rate_limit import count_call, note_standing
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import NotAuthenticated, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.key_rules import PREFIX
from omnicrm_tui.identity.limits import CALLER
from omnicrm_tui.identity.rules import address_is_in
from omnicrm_tui.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnicrm_tui.identity.use_counter import UseCounter


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


@dataclass(frozen=True, slots=True)
class Visitor:
    """Nobody yet: who logs in, from where."""

    crm: Crm
    source: str
    request: Request

    @contextmanager
    def working(self) -> Iterator[Work]:
        """Open a unit of work that may write; however it ends, the answer says how often one may come again."""
        with self.crm.as_actor(visitor(self.source)) as work:
            try:
                yield work
            finally:
                note_standing(self.request.scope, work.limits.tightest)


def crm_of(request: Request) -> Crm:
    """Return the Crm behind this API."""
    crm: Crm = request.app.state.crm
    return crm


def identify(request: Request) -> Caller:
    """Return who calls.

    Raises NotAuthenticated for a credential that is not valid, NotPermitted where there is none and the
    address is not whitelisted (SVC-083, SVC-084), RateLimited for who calls too often (PLT-051).
    """
    caller = _identified(request)
    count_call(request.scope, CALLER, _holder(caller.actor))
    return caller


def _holder(actor: Actor) -> str:
    """Return under what the calls of an actor are counted: those of all sessions of a person together."""
    if actor.kind is ActorKind.JOB:
        return f"job {actor.provision_id}"
    return actor.credential or f"user {actor.real_user_id or actor.user_id}"


def _identified(request: Request) -> Caller:
    crm = crm_of(request)
    source = source_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key", "")
    if token.strip().startswith(PREFIX):
        raise NotAuthenticated("Send an API key in the header X-API-KEY.")
    with crm.reading(visitor(source)) as work:
        if scheme:
            if scheme.lower() != "bearer" or not token.strip():
                raise NotAuthenticated("Send the header as 'Authorization: Bearer <token>'.")
            return Caller(crm, work.identity.actor_of_token(token.strip(), source))
        uses: UseCounter = request.app.state.uses
        if key:
            find = lambda: work.identity.actor_of_api_key(key, source)  # noqa: E731 - as short as the other
            return Caller(crm, uses.counted(find, source, crm.clock.now()))
        actor = work.identity.actor_of_address(source)
        if actor is None:
            raise NotPermitted("Access denied")
        return Caller(crm, uses.counted(lambda: actor, source, crm.clock.now()))


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
    address = peer
    for hop in reversed(hops):
        if not address_is_in(address, proxies):
            break
        address = hop
    return address


def visit(request: Request) -> Visitor:
    """Return who comes to log in."""
    return Visitor(crm_of(request), source_of(request), request)


CallerDep = Annotated[Caller, Depends(identify)]
CrmDep = Annotated[Crm, Depends(crm_of)]
VisitorDep = Annotated[Visitor, Depends(visit)]
