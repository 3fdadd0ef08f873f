"""seal job variables and keep backup codes"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, JsonText, LongBinary, UtcDateTime
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.redaction import Redactor

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SUCCESS = 0
_SEALED = "provision.sealed_vars"
_CHUNK = 1000

_jobs = sa.table(
    "provision",
    sa.column("provision_id", Id),
    sa.column("provisioning_status", sa.Integer()),
    sa.column("provisioning_json_vars", JsonText()),
    sa.column("sealed_vars", LongBinary()),
)


def upgrade() -> None:
    """Make the change. MariaDB keeps what was done before an interruption: each part is made where it is missing."""
    there = sa.inspect(op.get_bind())
    if not there.has_table("crm_backup_code"):
        _make_backup_codes()
    index = op.f("ix_crm_backup_code_user_id")
    if index not in {found["name"] for found in sa.inspect(op.get_bind()).get_indexes("crm_backup_code")}:
        op.create_index(index, "crm_backup_code", ["user_id"], unique=False)
    if "sealed_vars" not in {column["name"] for column in there.get_columns("provision")}:
        op.add_column("provision", sa.Column("sealed_vars", LongBinary(), nullable=True))
    _seal_what_is_in_clear()


def _make_backup_codes() -> None:
    op.create_table(
        "crm_backup_code",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("code_hash", sa.String(length=255), nullable=False),
        sa.Column("used", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_backup_code_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_backup_code")),
    )


def downgrade() -> None:
    """Take it back, the sealed variables to where they were."""
    for job in _in_chunks(_jobs.c.sealed_vars.is_not(None)):
        opened = _vault().open(_SEALED, job.provision_id, job.sealed_vars)
        if opened is not None:
            _write(job.provision_id, provisioning_json_vars=json.loads(opened))
    op.drop_column("provision", "sealed_vars")
    op.drop_table("crm_backup_code")


def _seal_what_is_in_clear() -> None:
    """Mask the secrets of the jobs there are, and keep those that another attempt may need."""
    for job in _in_chunks(_jobs.c.sealed_vars.is_(None)):
        variables = job.provisioning_json_vars
        masked = Redactor().result(variables, limit=sys.maxsize)
        if masked == variables:
            continue
        sealed = None
        if job.provisioning_status != _SUCCESS:
            sealed = _vault().seal(_SEALED, job.provision_id, json.dumps(variables, ensure_ascii=False))
        _write(job.provision_id, provisioning_json_vars=masked, sealed_vars=sealed)


def _in_chunks(condition: sa.ColumnElement[bool]) -> Iterator[Any]:
    last, bind = 0, op.get_bind()
    while True:
        rows = bind.execute(
            sa.select(_jobs).where(condition, _jobs.c.provision_id > last).order_by(_jobs.c.provision_id).limit(_CHUNK)
        ).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        last = rows[-1].provision_id


def _write(provision_id: int, **values: Any) -> None:
    op.get_bind().execute(sa.update(_jobs).where(_jobs.c.provision_id == provision_id).values(values))


def _vault() -> Vault:
    config = op.get_context().config
    assert config is not None
    return Vault.from_folder(config.attributes["keys_folder"])
