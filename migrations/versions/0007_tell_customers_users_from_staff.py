"""tell customers' users from staff"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SELF_CARE = "Customer"

_user = sa.table(
    "crm_user",
    sa.column("id", Id),
    sa.column("contact_id", Id),
    sa.column("is_customer", sa.Boolean()),
    sa.column("active", sa.Boolean()),
)
_role = sa.table("crm_role", sa.column("id", Id), sa.column("name", sa.String()))
_user_role = sa.table("crm_user_role", sa.column("user_id", Id), sa.column("role_id", Id))


def upgrade() -> None:
    """Make the change. MariaDB keeps what was done before an interruption: the column is made where it is missing."""
    if "is_customer" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("crm_user")}:
        op.add_column("crm_user", sa.Column("is_customer", sa.Boolean(), server_default="0", nullable=False))
    # A contact that was deleted before today left no trace but the role that its user was given by itself.
    held = sa.select(_role.c.name).join_from(_role, _user_role, _role.c.id == _user_role.c.role_id)
    held = held.where(_user_role.c.user_id == _user.c.id).correlate(_user)
    in_self_care = sa.and_(
        held.where(_role.c.name == _SELF_CARE).exists(), ~held.where(_role.c.name != _SELF_CARE).exists()
    )
    customers = sa.or_(_user.c.contact_id.is_not(None), in_self_care)
    op.execute(_user.update().where(customers).values(is_customer=sa.true()))


def downgrade() -> None:
    """Take it back: who would be taken for staff without the column may not log in."""
    unlinked = _user.c.is_customer.is_(sa.true()) & _user.c.contact_id.is_(None)
    op.execute(_user.update().where(unlinked).values(active=sa.false()))
    op.drop_column("crm_user", "is_customer")
