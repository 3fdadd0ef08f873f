"""Signing in, out and in again: what the login and lock screens ask of identity, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.identity.schemas import LoginResult
    from omnicrm_tui.work import Work
    from screens.desk import Desk
    from screens.seat import Seat

T = TypeVar("T")


class SignIn:
    """The way in for one seat. Holds the session's refresh token, so that leaving can end it."""

    def __init__(self, desk: Desk, seat: Seat) -> None:
        self._desk = desk
        self._seat = seat
        self._refresh_token = ""
        self._remembered = False
        self.by_ssh_key = False
        """Whether the session was opened by the key of the connection: the person may have no password."""

    def resume(self, crm: Crm) -> Actor | None:
        """Go on with the remembered session, if there is one that still holds (PLT-177). Blocks."""
        actor = resume(crm, self._seat)
        self._remembered = actor is not None
        return actor

    async def renew(self) -> bool:
        """Exchange the remembered token for the next one; False when the session is over by now."""
        session = self._seat.session
        crm = await self._desk.crm()
        if session is None or not self._remembered:
            return True

        def rotate(token: str) -> tuple[Actor, str]:
            with _visiting(crm, self._seat) as work:
                return work.identity.resume(token, self._seat.source_address)

        return await asyncio.to_thread(session.exchange, rotate) is not None

    async def nobody_can_log_in(self) -> bool:
        """Tell whether this home has no users yet; raises DatabaseProblem."""
        return await self._visit(lambda work: work.identity.nobody_can_log_in())

    async def login(self, name: str, password: str, *, remember: bool) -> LoginResult:
        """Log in; raises NotAuthenticated, AccountLocked, TooManyRequests (PLT-168..173)."""
        source = self._seat.source_address
        result = await self._visit(lambda work: work.identity.login(name, password, source, remember=remember))
        await self._keep(result, remember)
        self.by_ssh_key = False
        return result

    async def login_by_ssh(self) -> LoginResult | None:
        """Log in whom the connection's key stands for, None for nobody; raises NotAuthenticated, AccountLocked."""
        key, source = self._seat.ssh_key, self._seat.source_address
        if key is None or not self._desk.settings.security.ssh_identities:
            return None
        result = await self._visit(lambda work: work.identity.login_by_ssh(key, source))
        if result is not None:
            await self._keep(result, remember=False)
            self.by_ssh_key = True
        return result

    async def second_factor(self, challenge: str, code: str, *, remember: bool) -> LoginResult:
        """Finish a log-in with the authenticator's code; raises NotAuthenticated, AccountLocked (PLT-173)."""
        source = self._seat.source_address
        result = await self._visit(lambda work: work.second_factor.verify(challenge, code, source))
        await self._keep(result, remember)
        return result

    async def change_password(self, user_id: int, current: str, new: str) -> None:
        """Change the password of who is logged in; raises InvalidInput and what `login` raises."""
        source = self._seat.source_address
        await self._visit(lambda work: work.identity.change_password(user_id, current, new, source))

    async def change_temporary_password(self, challenge: str, current: str, new: str) -> None:
        """Replace a temporary password (PLT-178); raises InvalidInput and what `login` raises."""
        source = self._seat.source_address
        await self._visit(lambda work: work.identity.change_temporary_password(challenge, current, new, source))

    async def request_password_reset(self, email: str) -> None:
        """Have a code mailed (PLT-197); raises NotFound only where the operator wants unknown addresses told."""
        source = self._seat.source_address
        await self._visit(lambda work: work.password_reset.request(email, source))

    async def finish_password_reset(self, code: str, new_password: str) -> None:
        """Set a new password with a mailed code (PLT-202); raises InvalidInput."""
        source = self._seat.source_address
        await self._visit(lambda work: work.password_reset.finish(code, new_password, source))

    async def check_password(self, name: str, password: str) -> None:
        """Raise NotAuthenticated or AccountLocked unless it is the person's password; opens no session."""
        source = self._seat.source_address

        def check(work: Work) -> None:
            result = work.identity.login(name, password, source)
            if result.tokens is not None:
                work.identity.logout(result.tokens.refresh_token)

        await self._visit(check)

    async def log_out(self) -> None:
        """End the session and forget what was remembered."""
        token, self._refresh_token = self._refresh_token, ""
        session = self._seat.session
        if self._remembered and session is not None:
            forgotten: str | None = await asyncio.to_thread(session.forget)
            token = forgotten or token
        self._remembered = self.by_ssh_key = False
        if token:
            await self._visit(lambda work: work.identity.logout(token))

    async def leave(self) -> None:
        """End the session, unless it is remembered: what closing the application does."""
        if not self._remembered:
            await self.log_out()

    async def _keep(self, result: LoginResult, remember: bool) -> None:
        if result.tokens is None:
            return
        self._refresh_token = result.tokens.refresh_token
        session = self._seat.session
        self._remembered = remember and session is not None
        if self._remembered and session is not None:
            await asyncio.to_thread(session.remember, self._refresh_token)

    async def _visit(self, use: Callable[[Work], T]) -> T:
        crm = await self._desk.crm()

        def run() -> T:
            with _visiting(crm, self._seat) as work:
                return use(work)

        return await asyncio.to_thread(run)


def resume(crm: Crm, seat: Seat) -> Actor | None:
    """Return whose session is remembered at `seat`, if it still holds; its token stays unused: `renew` follows."""
    from omnicrm_tui.identity.actor import visitor

    def look(token: str) -> Actor:
        with crm.reading(visitor(seat.source_address)) as work:
            return work.access.peek(token, seat.source_address)

    return seat.session.peek(look) if seat.session else None


def _visiting(crm: Crm, seat: Seat) -> AbstractContextManager[Work]:
    from omnicrm_tui.identity.actor import visitor

    return crm.as_actor(visitor(seat.source_address))
