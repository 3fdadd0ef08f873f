"""API keys over REST (PLT-284..287): for whoever may manage them and is no key of the database itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Listed, Message, page_answer
from omnicrm_tui.identity.key_schemas import (
    ApiKeyChange,
    ApiKeyInput,
    ApiKeyRow,
    ApiKeyView,
    ConfiguredAccess,
    ExtensionInput,
    KeyFigures,
    NewApiKey,
)
from omnicrm_tui.listing import Page

router = Router(tags=["API keys"])


@router.get("/api-keys")
def list_api_keys(caller: CallerDep, listing: ListingDep) -> Answer[Listed[ApiKeyRow]]:
    """List the keys, masked (PLT-284); revoked ones by the filter `status`. Needs manage_api_keys."""
    with caller.reading() as work:
        return page_answer(work.identity.api_key_page(listing.query, listing.page, listing.per_page))


@creates(router, "/api-keys")
def create_api_key(
    caller: CallerDep, data: Annotated[ApiKeyInput, Depends(JsonBody(ApiKeyInput))]
) -> Answer[NewApiKey]:
    """Make a key (PLT-285); `api_key` is the whole key, in this answer alone. Needs manage_api_keys."""
    with caller.working() as work:
        created = work.identity.create_api_key(data)
    return Answer(created)


@router.get("/api-keys/statistics")
def count_api_keys(caller: CallerDep) -> Answer[KeyFigures]:
    """Return how many keys there are, and in which states (PLT-255). Needs manage_api_keys."""
    with caller.reading() as work:
        return Answer(work.identity.api_key_figures())


@router.get("/api-keys/configured")
def list_configured_access(caller: CallerDep) -> Answer[Listed[ConfiguredAccess]]:
    """List the keys and whitelisted addresses of the configuration file, with their uses. Needs manage_api_keys."""
    with caller.reading() as work:
        found = work.identity.configured_access()
    return page_answer(Page(found, 1, max(1, len(found)), len(found)))


@router.get("/api-keys/{api_key_id}")
def get_api_key(caller: CallerDep, api_key_id: Id) -> Answer[ApiKeyView]:
    """Return a key, masked, with what it was used for, from where and when (PLT-262). Needs manage_api_keys."""
    with caller.reading() as work:
        return Answer(work.identity.api_key(api_key_id))


@router.patch("/api-keys/{api_key_id}")
def change_api_key(
    caller: CallerDep, api_key_id: Id, change: Annotated[ApiKeyChange, Depends(JsonBody(ApiKeyChange))]
) -> Answer[ApiKeyView]:
    """Change name, description, end, permissions or protection (PLT-286). Needs manage_api_keys."""
    with caller.working() as work:
        changed = work.identity.update_api_key(api_key_id, change)
    return Answer(changed)


@router.delete("/api-keys/{api_key_id}")
def revoke_api_key(caller: CallerDep, api_key_id: Id) -> Answer[Message]:
    """Revoke a key: later use of it gives 401 (PLT-287); 409 for a protected one. Needs manage_api_keys."""
    with caller.working() as work:
        work.identity.revoke_api_key(api_key_id)
    return Answer(Message("API key revoked"))


@router.post("/api-keys/{api_key_id}/extend")
def extend_api_key(
    caller: CallerDep, api_key_id: Id, data: Annotated[ExtensionInput, Depends(JsonBody(ExtensionInput))]
) -> Answer[ApiKeyView]:
    """Let a key end later, an expired one too (PLT-270); without `expiry_date` never. Needs manage_api_keys."""
    with caller.working() as work:
        extended = work.identity.extend_api_key(api_key_id, data)
    return Answer(extended)


@router.post("/api-keys/{api_key_id}/regenerate")
def regenerate_api_key(
    caller: CallerDep, api_key_id: Id, data: Annotated[ExtensionInput, Depends(JsonBody(ExtensionInput))]
) -> Answer[NewApiKey]:
    """Revoke a key at once and answer another with a number of its own (PLT-264). Needs manage_api_keys."""
    with caller.working() as work:
        made = work.identity.regenerate_api_key(api_key_id, data.expiry_date)
    return Answer(made)
