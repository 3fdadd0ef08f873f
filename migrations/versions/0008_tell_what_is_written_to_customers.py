"""tell what is written to customers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. Of what was sent before it is not known whether it was for the customer's eyes: it is not."""
    op.add_column("outbox", sa.Column("to_customer", sa.Boolean(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("outbox", "to_customer")
