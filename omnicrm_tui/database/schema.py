"""Every table of the product in one place, for migrations and tests. Nothing that starts fast imports this."""

from __future__ import annotations

from sqlalchemy import MetaData

from omnicrm_tui.activity import models as activity
from omnicrm_tui.billing import models as billing
from omnicrm_tui.catalog import models as catalog
from omnicrm_tui.customer_services import models as customer_services
from omnicrm_tui.customers import models as customers
from omnicrm_tui.database.base import Base
from omnicrm_tui.identity import models as identity
from omnicrm_tui.inventory import models as inventory
from omnicrm_tui.messaging import models as messaging
from omnicrm_tui.provisioning import models as provisioning

ROOMS = (
    identity,
    customers,
    catalog,
    inventory,
    customer_services,
    provisioning,
    billing,
    messaging,
    activity,
)

metadata: MetaData = Base.metadata
