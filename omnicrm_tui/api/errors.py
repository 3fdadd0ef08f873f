"""What goes wrong, as a status and a body `{"message": ..., "errors": {...}}` (contracts page "REST")."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from omnicrm_tui import errors
from omnicrm_tui.api.rate_limit import note_standing
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.identity.limits import RateLimited

log = logging.getLogger("omnicrm.api")

_STATUS: dict[type[errors.CrmError], int] = {
    errors.InvalidInput: 400,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.AccountLocked: 423,
    errors.TooManyRequests: 429,
    errors.OutsideSystemError: 503,
    errors.DatabaseProblem: 503,
}


def install(app: FastAPI) -> None:
    """Teach `app` to answer every foreseen error; the unforeseen ones are the gate's."""
    app.add_exception_handler(errors.CrmError, _crm_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OverflowError, _number_too_large)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What went wrong, in one sentence and by field."""

    message: str
    errors: dict[str, str]


def refusal(status: int, message: str, fields: dict[str, str] | None = None) -> Answer[Refusal]:
    """Return an error answer."""
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return Answer(Refusal(message, fields or {}), status, headers)


async def _crm_error(request: Request, error: Exception) -> Answer[Refusal]:
    if not isinstance(error, errors.CrmError):
        raise error
    return answer_to(error, request.scope)


def answer_to(error: errors.CrmError, scope: Scope) -> Answer[Refusal]:
    """Return the answer to a foreseen error; how the caller stands with a limit is kept with the request."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)
    fields = error.fields if isinstance(error, errors.InvalidInput) else {}
    answer = refusal(status, in_our_words(error), fields)
    if isinstance(error, errors.TooManyRequests):
        answer.headers["retry-after"] = str(error.retry_after)
    if isinstance(error, RateLimited):
        note_standing(scope, error.standing)
    return answer


def in_our_words(error: errors.CrmError) -> str:
    """Return the sentence for whoever called: what a driver says of hosts and accounts is for the log alone."""
    if not isinstance(error, errors.DriverProblem):
        return error.message
    log.warning("The database cannot be used: %s", error.message)
    return "The database cannot be used. The log says why."


async def _invalid_request(_request: Request, error: Exception) -> Answer[Refusal]:
    """Answer 404 for an id that cannot exist, 400 for wrong query parameters."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(detail["loc"][0] == "path" for detail in found):
        return refusal(404, "There is nothing at this address.")
    fields = {str(detail["loc"][-1]): detail["msg"][0].lower() + detail["msg"][1:] for detail in found}
    return refusal(400, "Some parameters are not right.", fields)


async def _http_error(_request: Request, error: Exception) -> Answer[Refusal]:
    if not isinstance(error, HTTPException):
        raise error
    sentences = {404: "There is nothing at this address.", 405: "This address does not take this method."}
    answer = refusal(error.status_code, sentences.get(error.status_code, error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _number_too_large(_request: Request, _error: Exception) -> Answer[Refusal]:
    """Answer for a number that no database column holds."""
    return refusal(400, "A number is too large.")
