"""Which permission each use case needs: said on the method, asked before anything else, and read as one table.

    @needs("view_customer")
    def get(self, customer_id: int) -> CustomerView: ...

A public method of a service that says nothing cannot be imported (`Service.__init_subclass__`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from omnicrm_tui.work import Service, Work

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Room = TypeVar("_Room", bound="Service")
_Method = TypeVar("_Method", bound=Callable[..., Any])
_MARK = "__need__"


class Asked(Enum):
    """When a use case asks for its permission; the value is the word of the table."""

    FIRST = "first"
    DEPENDS = "depends"
    LOG_IN = "log-in"
    OWN = "own"
    ROOMS = "rooms"
    PRODUCT = "product"


WORDS = {
    Asked.FIRST: "asked before anything else",
    Asked.DEPENDS: "asked by the method itself, which has to look first",
    Asked.LOG_IN: "nobody is logged in yet: what is sent shows who it is",
    Asked.OWN: "one's own account only, logged in with a password",
    Asked.ROOMS: "no door of its own: part of another use case, which has asked",
    Asked.PRODUCT: "nothing of anybody is told or changed",
}
"""What the words of the table mean."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a use case needs. `unless` says, where it depends, when it is not asked.

    What is `in_person` is refused to who acts as another user.
    """

    asked: Asked
    permissions: tuple[str, ...] = ()
    unless: str = ""
    in_person: bool = False


@dataclass(frozen=True, slots=True)
class UseCase:
    """A line of the table: a method of a room's service, and what it needs."""

    room: str
    method: str
    need: Need


def needs(
    permission: str, *, in_person: bool = False
) -> Callable[[Callable[Concatenate[_Room, _Params], _Result]], Callable[Concatenate[_Room, _Params], _Result]]:
    """Ask for `permission` before the method begins; NotPermitted names it.

    What is done `in_person` is refused to who acts as another user.
    """

    def ask(
        method: Callable[Concatenate[_Room, _Params], _Result],
    ) -> Callable[Concatenate[_Room, _Params], _Result]:
        @wraps(method)
        def asked(self: _Room, /, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
            self.actor.require(permission)
            if in_person:
                self.actor.require_in_person()
            return method(self, *args, **kwargs)

        setattr(asked, _MARK, Need(Asked.FIRST, (permission,), in_person=in_person))
        return asked

    return ask


def asks_itself(*permissions: str, unless: str) -> Callable[[_Method], _Method]:
    """Say that the method asks for (one of) `permissions` itself, `unless` something that it has to look at first."""
    return _mark(Need(Asked.DEPENDS, permissions, unless))


def asks_nothing(reason: Asked) -> Callable[[_Method], _Method]:
    """Say that the method asks for no permission, and why."""
    return _mark(Need(reason))


def need_of(method: object) -> Need | None:
    """Return what a method said that it needs; None for one that said nothing."""
    found = getattr(method, _MARK, None)
    return found if isinstance(found, Need) else None


def table(work: Work) -> list[UseCase]:
    """Return every use case of the rooms of `work`, each once, by its room."""
    seen: set[object] = set()
    found = []
    for room in (name for name, member in vars(type(work)).items() if isinstance(member, cached_property)):
        service = type(getattr(work, room))
        methods = {name: method for base in reversed(service.__mro__) for name, method in vars(base).items()}
        for name, method in sorted(methods.items()):
            need = need_of(method)
            if need is not None and method not in seen:
                seen.add(method)
                found.append(UseCase(room, name, need))
    return found


def _mark(need: Need) -> Callable[[_Method], _Method]:
    def mark(method: _Method) -> _Method:
        setattr(method, _MARK, need)
        return method

    return mark
