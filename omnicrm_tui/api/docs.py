"""The OpenAPI document and its page at /crm/docs/, with every asset from this machine (CAT-173, CAT-191)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import DecimalSchema

from omnicrm_tui import __version__
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paths import spellings
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.errors import NotFound

router = APIRouter(tags=["Documentation"], include_in_schema=False)

_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "favicon-32x32.png": "image/png"}
_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>OmniCRM API</title>
<link rel="icon" href="/crm/docs/favicon-32x32.png">
<link rel="stylesheet" href="/crm/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/crm/docs/swagger-ui-bundle.js"></script>
<script src="/crm/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/crm/docs/openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  displayRequestDuration: true,
});
"""
_ABOUT = """Every path also answers without `/crm`, and with or without a last slash. `/x/x_id/{id}` and `/x/{id}` are
the same. PUT and POST both create. Success is 200; errors carry `{"message": ..., "errors": {field: sentence}}`.

Log in with `POST /crm/auth/login`, then press **Authorize** and give the token; or send `X-API-KEY`."""
_ERROR = {
    "type": "object",
    "required": ["message", "errors"],
    "properties": {
        "message": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_NULL = {"nullable": True, "enum": [None]}
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
}


@router.get("/docs")
async def page() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})


@router.get("/docs/openapi.json")
def document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Answer(request.app.openapi())


@router.get("/docs/start.js")
async def start() -> Response:
    """Return the script that shows the document."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Return a part of the page."""
    from swagger_ui_bundle import swagger_ui_path

    if name not in _ASSETS:
        raise NotFound("There is nothing at this address.")
    return FileResponse(swagger_ui_path / name, media_type=_ASSETS[name])


def build(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """Return the OpenAPI 3.0 document of all `routers`, each address in its usual spellings."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    listed = get_openapi(
        title="OmniCRM", version=__version__, description=_ABOUT, routes=routes, openapi_version="3.0.3"
    )
    bodies, schemas = _bodies(routes)
    answers, answered = _answers(routes)
    paths: dict[str, Any] = {}
    for path, operations in listed["paths"].items():
        for method, operation in operations.items():
            place = (path, method.upper())
            _complete(operation, bodies.get(place), answers[place])
        for number, spelling in enumerate(spellings(path)):
            paths[spelling] = _renamed(operations, number)
    listed["paths"] = dict(sorted(paths.items()))
    listed["components"] = {"schemas": {**schemas, **answered, "Error": _ERROR}, "securitySchemes": _SECURITY}
    listed["security"] = [{"bearer": []}, {"apiKey": []}]
    document: dict[str, Any] = _plainer(listed)
    return document


def _bodies(routes: Iterable[APIRoute]) -> tuple[dict[tuple[str, str], str], dict[str, Any]]:
    """Return the body's schema name by path and method, and all schemas."""
    models = {
        (route.path, method): dependency.call.model
        for route in routes
        for dependency in route.dependant.dependencies
        if isinstance(dependency.call, JsonBody)
        for method in route.methods or ()
    }
    used = [(model, "validation") for model in dict.fromkeys(models.values())]
    names, document = models_json_schema(used, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    by_model = {model: reference["$ref"] for (model, _), reference in names.items()}
    return {place: by_model[model] for place, model in models.items()}, document.get("$defs", {})


def _answers(routes: Iterable[APIRoute]) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """Return what each path and method answers, of the handler's `Answer[...]`, and all schemas."""
    kinds = {
        (route.path, method): _content(get_type_hints(route.endpoint)["return"])
        for route in routes
        for method in route.methods or ()
    }
    adapters = {kind: TypeAdapter(kind) for kind in dict.fromkeys(kinds.values())}
    schemas, document = TypeAdapter.json_schemas(
        [(kind, "serialization", adapter) for kind, adapter in adapters.items()],
        ref_template="#/components/schemas/{model}",
        schema_generator=_AsAnswered,
    )
    return {place: schemas[kind, "serialization"] for place, kind in kinds.items()}, document.get("$defs", {})


def _content(returned: Any) -> Any:
    """Return what an `Answer[...]` holds, or one of several; anything where a handler answers no JSON."""
    answers = get_args(returned) if get_origin(returned) in (Union, UnionType) else (returned,)
    contents = tuple(content for answer in answers for content in get_args(answer))
    return Union[contents] if contents else Any  # noqa: UP007 - of a tuple


class _AsAnswered(GenerateJsonSchema):
    """Amounts are answered as numbers."""

    def decimal_schema(self, schema: DecimalSchema) -> dict[str, Any]:
        """Return the schema of an amount."""
        return {"type": "number"}


def _complete(operation: dict[str, Any], body: str | None, answer: dict[str, Any]) -> None:
    operation["responses"] = {
        "200": {"description": "Success", "content": {"application/json": {"schema": answer}}},
        "default": {
            "description": "What went wrong",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"$ref": body}}}}


def _renamed(operations: dict[str, Any], number: int) -> dict[str, Any]:
    suffix = f"_{number}" if number else ""
    return {
        method: {**operation, "operationId": f"{operation['operationId']}{suffix}"}
        for method, operation in operations.items()
    }


def _plainer(part: Any) -> Any:
    """Bring JSON Schema 2020 down to what OpenAPI 3.0 knows: the page's version of Swagger UI shows no later one."""
    if isinstance(part, list):
        return [_plainer(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {name: _plainer(value) for name, value in part.items()}
    if "const" in part:
        part["enum"] = [part.pop("const")]
    if part.get("type") == "null":
        return _NULL
    choices = part.get("anyOf")
    if isinstance(choices, list) and _NULL in choices:
        rest = [choice for choice in choices if choice != _NULL]
        del part["anyOf"]
        part |= {"nullable": True, **(rest[0] if len(rest) == 1 else {"anyOf": rest})}
    for old, new in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(part.get(old), (int, float)) and not isinstance(part.get(old), bool):
            part |= {new: part[old], old: True}
    return part
