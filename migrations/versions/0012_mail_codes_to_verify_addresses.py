"""mail codes to verify addresses"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_email_verification",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_email_verification_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_email_verification")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_crm_email_verification_code_hash")),
        sa.UniqueConstraint("user_id", name=op.f("uq_crm_email_verification_user_id")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("crm_email_verification")
