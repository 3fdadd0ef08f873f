"""keep api keys and count their uses"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, JsonText, UtcDateTime, sort_key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_key_use",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("credential", sort_key(80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("address", sort_key(64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("first_use", UtcDateTime(), nullable=False),
        sa.Column("last_use", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_key_use")),
        sa.UniqueConstraint("credential", "day", "address", name=op.f("uq_crm_key_use_credential_day_address")),
    )
    op.create_index(op.f("ix_crm_key_use_day"), "crm_key_use", ["day"], unique=False)
    op.create_table(
        "crm_api_key",
        sa.Column("api_key_id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sort_key(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("key_start", sa.String(length=16), nullable=False),
        sa.Column("key_end", sa.String(length=8), nullable=False),
        sa.Column("permissions", JsonText(), nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("created_by", sort_key(150), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("revoked", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=150), nullable=False),
        sa.Column("use_count", sa.BigInteger(), nullable=False),
        sa.Column("last_used", UtcDateTime(), nullable=True),
        sa.Column("last_used_address", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_crm_api_key_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", name=op.f("pk_crm_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_crm_api_key_key_hash")),
    )
    op.create_index(op.f("ix_crm_api_key_created_by"), "crm_api_key", ["created_by"], unique=False)
    op.create_index(op.f("ix_crm_api_key_customer_id"), "crm_api_key", ["customer_id"], unique=False)
    op.create_index(op.f("ix_crm_api_key_expires"), "crm_api_key", ["expires"], unique=False)
    op.create_index(op.f("ix_crm_api_key_name_key"), "crm_api_key", ["name_key"], unique=False)
    op.add_column("crm_token_family", sa.Column("api_key_id", Id, nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("crm_token_family", "api_key_id")
    op.drop_table("crm_api_key")
    op.drop_table("crm_key_use")
