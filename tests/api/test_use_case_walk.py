"""Every use case against the table of what it needs (`omnicrm_tui.needs`): without it, with it, and as a stranger."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NoReturn, cast

import pytest
from pydantic import BaseModel
from sqlalchemy.orm import Session

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import CrmError, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor
from omnicrm_tui.identity.key_schemas import ApiKeyInput
from omnicrm_tui.identity.permissions import ADMIN, BESIDE, PERMISSIONS
from omnicrm_tui.identity.schemas import RoleInput, UserInput
from omnicrm_tui.listing import FIRST, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, UseCase, table
from omnicrm_tui.work import Service, Work
from tests.api.test_every_use_case import used_in
from tests.api.walks import MARK, SORTS, Tenant, everything, of, value_of

EVERYTHING = frozenset({*PERMISSIONS, *BESIDE}) - {ADMIN}
TEMPLATE = "SIM Card"
GIVEN: dict[str, Any] = {
    "account_type": "Business",
    "actor": Actor(ActorKind.STAFF, "walk"),
    "anchor": FIRST,
    "email_or_username": "nobody",
    "expiry_date": None,
    "key": "",
    "most": 1,
    "name": TEMPLATE,
    "new_password": "Right-Horse9",
    "page": 1,
    "permission_ids": [1],
    "poured": (),
    "session_id": "0",
    "template_name": TEMPLATE,
    "uses": (),
}
"""What arguments are called, and something that may be given for them."""

FIELDS: dict[str, dict[str, Any]] = {
    "ExtensionInput": {"expiry_date": datetime(2040, 1, 1, tzinfo=UTC)},
    "InvoiceInput": {"start_date": "2026-01-01", "end_date": "2026-12-31"},
    "ItemInput": {"item": TEMPLATE},
    "PermissionInput": {"name": "walk_rooms"},
    "RoleInput": {"design": ""},
    "TransactionInput": {"retail_cost": "1", "invoice_id": None},
    "SiteInput": {"country": "AU"},
    "TemplateInput": {"item": "Walked"},
    "UserInput": {"email": "walker@walk.example", "role": ["Support"], "contact_id": None},
}
"""What a schema takes where its types say too little."""

_SITE, _KEY = {"view_customer_site"}, {"view_product", "view_customer"}
ALSO: dict[tuple[str, str], set[str]] = {
    ("billing", "add"): _SITE | {"view_customer_service"},
    ("customer_services", "create"): _SITE | {"view_product"},
    ("customer_services", "update"): _SITE,
    ("identity", "create_api_key"): _KEY,
    ("identity", "update_api_key"): _KEY,
    ("identity", "extend_api_key"): _KEY,
    ("identity", "regenerate_api_key"): _KEY,
    ("provisioning", "start"): _KEY | _SITE | {"view_customer_service"},
}
"""What the arguments of the walk need besides: to name a site one must see it, a key holds what its maker holds."""

PART_OF_A_PAGE = {
    ("catalog", "fits"),
    ("customers", "currency_of"),
    ("customers", "names_of"),
}
"""What is no use case by itself, and the terminal asks while it shows what it was permitted to."""


class Untouched:
    """A session that nothing may be asked of."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the database was asked ({name}) before the permission")


class _Undone(Exception):
    """Rolls back what a call did."""


def use_cases(crm: Crm) -> list[UseCase]:
    return table(_work(crm, system_actor("walk")))


def _work(crm: Crm, actor: Actor) -> Work:
    return Work(cast("Session", Untouched()), actor, crm.clock, crm.settings, crm.vault, crm.dispatcher)


def _method(work: Work, case: UseCase) -> Callable[..., Any]:
    return cast("Callable[..., Any]", getattr(getattr(work, case.room), case.method))


def _call(method: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call a method, by position where it can be, whatever decorators make of its names."""
    bound = inspect.signature(method).bind(**given)
    return method(*bound.args, **bound.kwargs)


def _required(method: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for given in inspect.signature(method).parameters.values():
        if given.default is inspect.Parameter.empty:
            yield given


def _nothing(method: Callable[..., Any]) -> dict[str, None]:
    """Arguments that only a method that does not look at them can stand."""
    return dict.fromkeys((given.name for given in _required(method)), None)


def _arguments(method: Callable[..., Any], ids: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the right types, with the ids of a tenant where one can be named."""
    names = inspect.unwrap(method).__globals__
    found: dict[str, Any] = {}
    for given in inspect.signature(method).parameters.values():
        kind = names.get(given.annotation)
        needed = given.default is inspect.Parameter.empty
        if given.name in ids:
            found[given.name] = ids[given.name]
        elif inspect.isclass(kind) and issubclass(kind, BaseModel):
            found[given.name] = _filled(kind, ids)
        elif given.name == "query":
            found[given.name] = ListQuery(search=MARK.upper())
        elif needed:
            found[given.name] = GIVEN.get(given.name, 1 if given.annotation == "int" else "walked")
    return found


def _filled(schema: type[BaseModel], ids: Mapping[str, Any]) -> BaseModel:
    said = schema.model_json_schema()
    required = said.get("required", ())
    values = {name: value_of(field) for name, field in said["properties"].items() if name in required}
    values |= {name: ids[name] for name in said["properties"] if name in ids}
    return schema.model_validate(values | FIELDS.get(schema.__name__, {}))


@pytest.fixture
def ids(crm: Crm, admin: Actor, tenants: tuple[Tenant, Tenant]) -> dict[str, Any]:
    """What the other customer has, and a user of staff with role and key: what arguments are called, and ids."""
    person = {"username": "bob", "email": "bob@walk.example", "first_name": "Bob", "last_name": "B", "role": "Support"}
    key = {"name": "walk", "permissions": ["view_product"], "expiry_date": datetime(2040, 1, 1, tzinfo=UTC)}
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        return {
            **tenants[1].ids,
            "contact_ids": [tenants[1].ids["contact_id"]],
            "user_id": work.identity.create_user(UserInput.model_validate(person)).id,
            "api_key_id": work.identity.create_api_key(ApiKeyInput.model_validate(key)).api_key_id,
            "role_id": work.identity.create_role(RoleInput(name="walker")).id,
            "permission_id": 1,
        }


@contextmanager
def _undone(crm: Crm, actor: Actor) -> Iterator[Work]:
    try:
        with crm.as_actor(actor) as work:
            yield work
            raise _Undone
    except _Undone:
        pass


def _is_empty(answer: object) -> bool:
    """Tell whether an answer holds no rows: a list, a window or page of one, or a count."""
    if isinstance(answer, Count):
        return answer.value == 0
    return not (answer.rows if isinstance(answer, (Page, Window)) else answer)


def _told(case: UseCase, what: object) -> str:
    return f"{case.room}.{case.method} ({', '.join(case.need.permissions)}): {what!r}"


@pytest.mark.req("BIL-374")
def test_who_lacks_the_permission_gets_nowhere_near_the_database(crm: Crm, record_property: Any) -> None:
    cases = [case for case in use_cases(crm) if case.need.asked is Asked.FIRST]
    attempts, wrong = 0, []
    for case in cases:
        (permission,) = case.need.permissions
        held = EVERYTHING - {permission, permission.replace("view_", "view_own_", 1)}
        for kind, own in ((ActorKind.STAFF, None), (ActorKind.CUSTOMER, 1), (ActorKind.MACHINE, None)):
            method = _method(_work(crm, Actor(kind, "lacks it", 1, held, own)), case)
            attempts += 1
            try:
                _call(method, _nothing(method))
                wrong.append(_told(case, "was permitted"))
            except NotPermitted as refused:
                if permission not in str(refused):
                    wrong.append(_told(case, refused))
            except Exception as other:  # whatever else is raised came before the question
                wrong.append(_told(case, other))
    assert not wrong, "\n".join(wrong)
    record_property("count", f"permissions: {len(cases)} use cases, {attempts} attempts without what they need")


@pytest.mark.req("BIL-374")
def test_who_has_the_permission_alone_is_let_in(crm: Crm, ids: dict[str, Any], record_property: Any) -> None:
    cases = [case for case in use_cases(crm) if case.need.asked in (Asked.FIRST, Asked.DEPENDS)]
    wrong, through = [], 0
    for case in cases:
        held = frozenset(case.need.permissions) | ALSO.get((case.room, case.method), set())
        try:
            with _undone(crm, Actor(ActorKind.STAFF, "has it", ids["user_id"], held, session_id="none")) as work:
                method = _method(work, case)
                _call(method, _arguments(method, ids))
                through += 1
        except NotPermitted as refused:
            wrong.append(_told(case, refused))
        except CrmError:
            pass  # let in, and something else was not right
    assert not wrong, "\n".join(wrong)
    assert through > len(cases) / 2
    record_property("count", f"permissions: {len(cases)} use cases with what they need alone, {through} went through")


@pytest.mark.req("BIL-374")
def test_where_it_depends_nobody_gets_through_with_nothing(crm: Crm, ids: dict[str, Any]) -> None:
    through = []
    for case in use_cases(crm):
        if case.need.asked is Asked.DEPENDS:
            with _undone(crm, Actor(ActorKind.STAFF, "has nothing")) as work:
                method = _method(work, case)
                given = _arguments(method, ids)
                with suppress(NotPermitted):
                    through.append(_told(case, _call(method, given)))
    assert through == []


@pytest.mark.req("BIL-378")
@pytest.mark.parametrize("kind", [ActorKind.CUSTOMER, ActorKind.MACHINE, ActorKind.JOB], ids=lambda kind: kind.value)
def test_no_use_case_gives_a_customer_what_is_another_ones(
    crm: Crm, tenants: tuple[Tenant, Tenant], ids: dict[str, Any], kind: ActorKind, record_property: Any
) -> None:
    """The customer's user, a key that is confined to it, and a job that it has started."""
    mine, other = tenants
    before = of(everything(crm), other.customer_id)
    cases = [case for case in use_cases(crm) if case.need.asked is not Asked.ROOMS]
    job = int(mine.ids["provision_id"]) if kind is ActorKind.JOB else None
    actor = Actor(kind, "stranger", None, EVERYTHING, mine.customer_id, provision_id=job)
    attempts, refused, wrong = 0, 0, []
    for case, query in [(one, query) for one in cases for query in _queries(crm, one, ids)]:
        attempts += 1
        try:
            with crm.as_actor(actor) as work:
                method = _method(work, case)
                given = _arguments(method, ids) | query
                answer = _call(method, given)
            named = {name for name in given if name in ids} - {"product_id"}
            if MARK in repr(answer) or (named and not _is_empty(answer) and case.need.asked is Asked.FIRST):
                wrong.append(_told(case, answer))
        except (NotFound, NotPermitted, InvalidInput):
            refused += 1
        except CrmError as error:
            wrong += [_told(case, error)] if MARK in str(error) else []
        if not query and of(everything(crm), other.customer_id) != before:
            wrong.append(_told(case, "changed the other's rows"))
            before = of(everything(crm), other.customer_id)
    assert not wrong, "\n".join(wrong)
    assert attempts >= 500
    figures = f"{len(cases)} use cases, {attempts} attempts, {refused} refused, 0 leaks"
    record_property("count", f"another customer's data, as {kind.value}: {figures}")


def _queries(crm: Crm, case: UseCase, ids: Mapping[str, Any]) -> list[dict[str, ListQuery]]:
    """What a list is asked for: the other's rows by words, by numbers and by order; {} for what is no list."""
    if "query" not in inspect.signature(_method(_work(crm, system_actor("walk")), case)).parameters:
        return [{}]
    words = (MARK.upper(), f"{MARK.upper()}-NAME", "+61499777002", str(ids["service_uuid"]))
    asked = [
        *(ListQuery(search=word) for word in words),
        *(ListQuery(filters={name: [str(ids[name])]}) for name in ("customer_id", "service_id", "contact_id")),
        *(ListQuery(sort=name, descending=True) for name in SORTS),
    ]
    return [{"query": query} for query in asked]


def test_doors_call_nothing_that_relies_on_another_use_case(crm: Crm) -> None:
    asked_by_rooms = {(case.room, case.method) for case in use_cases(crm) if case.need.asked is Asked.ROOMS}
    doors = used_in("screens") | used_in("omnicrm_tui/api") | used_in("omnicrm_tui/cli")
    assert doors & asked_by_rooms == PART_OF_A_PAGE


def test_a_use_case_that_does_not_say_what_it_needs_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="peep"):

        class Careless(Service):
            def peep(self) -> None:
                """Says nothing."""
