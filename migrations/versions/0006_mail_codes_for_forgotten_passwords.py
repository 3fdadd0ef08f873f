"""mail codes for forgotten passwords"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_password_reset",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("used", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_password_reset_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_password_reset")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_crm_password_reset_code_hash")),
    )
    op.create_index(op.f("ix_crm_password_reset_expires"), "crm_password_reset", ["expires"], unique=False)
    op.create_index(op.f("ix_crm_password_reset_user_id"), "crm_password_reset", ["user_id"], unique=False)
    op.add_column("outbox", sa.Column("sealed_text", sa.LargeBinary(16384), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("outbox", "sealed_text")
    op.drop_table("crm_password_reset")
