"""keep old passwords"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_old_password",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("replaced", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_old_password_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_old_password")),
    )
    op.create_index(op.f("ix_crm_old_password_user_id"), "crm_old_password", ["user_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("crm_old_password")
