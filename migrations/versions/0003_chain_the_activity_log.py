"""chain the activity log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.activity.chain import FIRST, link_all
from omnicrm_tui.database.types import Id

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change, and chain the entries that there are."""
    chain = op.create_table(
        "activity_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_chain")),
    )
    op.bulk_insert(chain, [{"id": 1, "entries": 0, "last_hash": FIRST}])
    op.add_column("activity_log", sa.Column("chain_number", Id, nullable=True))
    op.add_column("activity_log", sa.Column("chain_hash", sa.LargeBinary(), nullable=True))
    link_all(op.get_bind())
    op.create_index(op.f("ix_activity_log_chain_number"), "activity_log", ["chain_number"], unique=True)


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_activity_log_chain_number"), table_name="activity_log")
    op.drop_column("activity_log", "chain_hash")
    op.drop_column("activity_log", "chain_number")
    op.drop_table("activity_chain")
