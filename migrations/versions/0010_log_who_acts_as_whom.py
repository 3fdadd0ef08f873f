"""log who acts as whom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_family = sa.table("crm_token_family", sa.column("real_user_id", Id))


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "impersonation_log",
        sa.Column("impersonation_id", Id, autoincrement=True, nullable=False),
        sa.Column("impersonating_user_id", Id, nullable=False),
        sa.Column("impersonating_name", sa.String(length=150), nullable=False),
        sa.Column("target_user_id", Id, nullable=False),
        sa.Column("target_name", sa.String(length=150), nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("impersonation_start", UtcDateTime(), nullable=False),
        sa.Column("impersonation_end", UtcDateTime(), nullable=True),
        sa.Column("impersonation_duration", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(length=300), nullable=False),
        sa.Column("end_reason", sa.String(length=40), nullable=False),
        sa.Column("source_address", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("open_for", Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_impersonation_log_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["impersonating_user_id"], ["crm_user.id"], name=op.f("fk_impersonation_log_impersonating_user_id")
        ),
        sa.ForeignKeyConstraint(["target_user_id"], ["crm_user.id"], name=op.f("fk_impersonation_log_target_user_id")),
        sa.PrimaryKeyConstraint("impersonation_id", name=op.f("pk_impersonation_log")),
        sa.UniqueConstraint("open_for", name=op.f("uq_impersonation_log_open_for")),
        sa.UniqueConstraint("session_id", name=op.f("uq_impersonation_log_session_id")),
    )
    op.create_index(op.f("ix_impersonation_log_customer_id"), "impersonation_log", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_impersonation_log_impersonating_user_id"), "impersonation_log", ["impersonating_user_id"], unique=False
    )
    op.create_index(
        op.f("ix_impersonation_log_impersonation_start"), "impersonation_log", ["impersonation_start"], unique=False
    )
    op.create_index(op.f("ix_impersonation_log_target_user_id"), "impersonation_log", ["target_user_id"], unique=False)
    op.add_column("crm_token_family", sa.Column("real_user_id", Id, nullable=True))
    op.add_column("crm_token_family", sa.Column("real_session_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Take it back: without the columns a session in which somebody acts as another user would be that user's own."""
    op.execute(_family.delete().where(_family.c.real_user_id.is_not(None)))
    op.drop_column("crm_token_family", "real_session_id")
    op.drop_column("crm_token_family", "real_user_id")
    op.drop_table("impersonation_log")
