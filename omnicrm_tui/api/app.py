"""The REST application: one router per room behind one gate."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from omnicrm_tui import __version__
from omnicrm_tui.api import (
    activity,
    api_keys,
    billing,
    catalog,
    customer_services,
    customers,
    docs,
    errors,
    health,
    identity,
    impersonation,
    inventory,
    messaging,
    metrics,
    provisioning,
    reset_page,
    second_factor,
    users,
    verify_page,
)
from omnicrm_tui.api.exposition import Times
from omnicrm_tui.api.gate import Gate
from omnicrm_tui.api.probe import Probe
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.call_counter import CallCounter
from omnicrm_tui.identity.use_counter import UseCounter

ROUTERS = (
    health.router,
    metrics.router,
    identity.router,
    users.router,
    second_factor.router,
    reset_page.router,
    verify_page.router,
    impersonation.router,
    api_keys.router,
    customers.router,
    catalog.router,
    inventory.router,
    customer_services.router,
    billing.router,
    provisioning.router,
    messaging.router,
    activity.router,
    docs.router,
)


class Api(FastAPI):
    """FastAPI with our own document; the framework's is never built."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, built when first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = docs.build(ROUTERS)
        return self.openapi_schema


def create_app(crm: Crm, *, limited: bool = True) -> FastAPI:
    """Return the REST application of `crm`; it answers as soon as a server hands it requests.

    Unless it is `limited`, calls are not counted; log-ins are always.
    """
    app = Api(
        title="OmniCRM", version=__version__, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    times = Times("omnicrm_api_request_seconds", "How long requests take.", ("method", "route", "status"))

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        times.observe(seconds, method, route, str(status))

    app.state.crm = crm
    app.state.times = times
    app.state.uses = UseCounter()
    app.state.calls = CallCounter() if limited else None
    app.state.readiness = Probe(lambda: health.readiness_of(app.state.crm))
    app.add_middleware(Gate, observe=observe)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
