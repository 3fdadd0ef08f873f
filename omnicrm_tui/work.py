"""The unit of work: one use case, one transaction, one actor.

`work.customers.create(...)` and its siblings are the services; they share the session, the actor, the clock
and the outbox. Rooms load when they are first used, so that a terminal pays for the rooms it enters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from inspect import isfunction
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from omnicrm_tui.clock import Clock
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.needs import need_of

if TYPE_CHECKING:
    from omnicrm_tui.activity.service import ActivityService
    from omnicrm_tui.billing.service import BillingService
    from omnicrm_tui.catalog.service import CatalogService
    from omnicrm_tui.charging.service import ChargingService
    from omnicrm_tui.customer_services.service import CustomerServicesService
    from omnicrm_tui.customers.service import CustomersService
    from omnicrm_tui.identity.access import Access
    from omnicrm_tui.identity.impersonation import Impersonations
    from omnicrm_tui.identity.password_reset import PasswordResets
    from omnicrm_tui.identity.rate_limits import RateLimits
    from omnicrm_tui.identity.second_factor import SecondFactors
    from omnicrm_tui.identity.service import IdentityService
    from omnicrm_tui.inventory.service import InventoryService
    from omnicrm_tui.messaging.service import MessagingService
    from omnicrm_tui.provisioning.dispatcher import Dispatcher
    from omnicrm_tui.provisioning.service import ProvisioningService
    from omnicrm_tui.reporting.service import ReportingService
    from omnicrm_tui.settings import Settings


class Work:
    """What a use case works with: session, actor, clock, settings, vault, and the services of every room."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        clock: Clock,
        settings: Settings,
        vault: Vault,
        dispatcher: Dispatcher,
    ) -> None:
        self.session = session
        self.actor = actor
        self.clock = clock
        self.settings = settings
        self.vault = vault
        self.dispatcher = dispatcher
        self._afterwards: list[Callable[[], None]] = []

    def after_commit(self, task: Callable[[], None]) -> None:
        """Run `task` once this unit of work has committed; never when it is rolled back."""
        self._afterwards.append(task)

    def run_after_commit(self) -> None:
        """Run what was put off until after the commit, in order."""
        while self._afterwards:
            self._afterwards.pop(0)()

    @cached_property
    def identity(self) -> IdentityService:
        """Users, roles, passwords and tokens."""
        from omnicrm_tui.identity.service import IdentityService

        return IdentityService(self)

    @cached_property
    def access(self) -> Access:
        """Whose a token is, and no more of `identity`: who has a remembered session waits for that."""
        from omnicrm_tui.identity.access import Access

        return Access(self)

    @cached_property
    def second_factor(self) -> SecondFactors:
        """Codes of authenticators and on paper: asked for at log-in, which a remembered session does without."""
        from omnicrm_tui.identity.second_factor import SecondFactors

        return SecondFactors(self)

    @cached_property
    def impersonation(self) -> Impersonations:
        """Acting as another user."""
        from omnicrm_tui.identity.impersonation import Impersonations

        return Impersonations(self)

    @cached_property
    def password_reset(self) -> PasswordResets:
        """Forgotten passwords."""
        from omnicrm_tui.identity.password_reset import PasswordResets

        return PasswordResets(self)

    @cached_property
    def limits(self) -> RateLimits:
        """How often callers may do what is not to be done too often."""
        from omnicrm_tui.identity.rate_limits import RateLimits

        return RateLimits(self)

    @cached_property
    def customers(self) -> CustomersService:
        """Customers, contacts and sites."""
        from omnicrm_tui.customers.service import CustomersService

        return CustomersService(self)

    @cached_property
    def catalog(self) -> CatalogService:
        """Products."""
        from omnicrm_tui.catalog.service import CatalogService

        return CatalogService(self)

    @cached_property
    def inventory(self) -> InventoryService:
        """Templates and items."""
        from omnicrm_tui.inventory.service import InventoryService

        return InventoryService(self)

    @cached_property
    def customer_services(self) -> CustomerServicesService:
        """What customers have."""
        from omnicrm_tui.customer_services.service import CustomerServicesService

        return CustomerServicesService(self)

    @cached_property
    def charging(self) -> ChargingService:
        """Balances in the charging system."""
        from omnicrm_tui.charging.service import ChargingService

        return ChargingService(self)

    @cached_property
    def provisioning(self) -> ProvisioningService:
        """Jobs and their events."""
        from omnicrm_tui.provisioning.service import ProvisioningService

        return ProvisioningService(self)

    @cached_property
    def billing(self) -> BillingService:
        """Transactions and invoices."""
        from omnicrm_tui.billing.service import BillingService

        return BillingService(self)

    @cached_property
    def messaging(self) -> MessagingService:
        """The outbox."""
        from omnicrm_tui.messaging.service import MessagingService

        return MessagingService(self)

    @cached_property
    def reporting(self) -> ReportingService:
        """How the system does."""
        from omnicrm_tui.reporting.service import ReportingService

        return ReportingService(self)

    @cached_property
    def activity(self) -> ActivityService:
        """The activity log."""
        from omnicrm_tui.activity.service import ActivityService

        return ActivityService(self)


class Service:
    """Base of every room's service: it acts within one unit of work, and says of each use case what that needs."""

    def __init_subclass__(cls) -> None:
        """Raise TypeError for a public method that does not say which permission it needs (`needs`)."""
        public = (name for name, method in vars(cls).items() if isfunction(method) and not name.startswith("_"))
        if silent := [name for name in public if need_of(vars(cls)[name]) is None]:
            raise TypeError(f"{cls.__qualname__}: say by a decorator of omnicrm_tui.needs what {silent} need")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.session = work.session
        self.actor = work.actor
