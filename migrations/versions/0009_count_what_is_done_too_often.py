"""count what is done too often"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_rate_limit",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("empty_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_crm_rate_limit")),
    )
    op.create_index(op.f("ix_crm_rate_limit_empty_at"), "crm_rate_limit", ["empty_at"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("crm_rate_limit")
