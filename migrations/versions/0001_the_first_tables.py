"""the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from omnicrm_tui.database.types import Id, JsonText, LongText, Money, UtcDateTime, sort_key

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "crm_permission",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sort_key(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_permission")),
        sa.UniqueConstraint("name", name=op.f("uq_crm_permission_name")),
    )
    op.create_table(
        "crm_role",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sort_key(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_role")),
        sa.UniqueConstraint("name", name=op.f("uq_crm_role_name")),
    )
    op.create_table(
        "customer",
        sa.Column("customer_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sort_key(200), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("customer_account_type", sa.String(length=20), nullable=False),
        sa.Column("customer_status", sa.String(length=40), nullable=False),
        sa.Column("customer_payment_type", sa.String(length=20), nullable=False),
        sa.Column("customer_enabled", sa.Boolean(), nullable=False),
        sa.Column("customer_phone", sa.String(length=40), nullable=True),
        sa.Column("customer_email", sa.String(length=254), nullable=True),
        sa.Column("customer_notes", sa.Text(), nullable=True),
        sa.Column("tax_identifier", sa.String(length=60), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("contract_start_date", UtcDateTime(), nullable=True),
        sa.Column("contract_end_date", UtcDateTime(), nullable=True),
        sa.Column("custom_fields", JsonText(), nullable=True),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "customer_account_type IN ('Individual', 'Business')", name=op.f("ck_customer_account_type")
        ),
        sa.CheckConstraint("customer_payment_type IN ('prepaid', 'postpaid')", name=op.f("ck_customer_payment_type")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer")),
    )
    op.create_index(
        "ix_customer_created",
        "customer",
        ["created", "customer_id", "customer_status", "customer_account_type", "customer_payment_type", "archived_at"],
        unique=False,
    )
    op.create_index(
        "ix_customer_name_key",
        "customer",
        ["name_key", "customer_id", "customer_status", "customer_account_type", "customer_payment_type", "archived_at"],
        unique=False,
    )
    op.create_table(
        "inventory_template",
        sa.Column("inventory_template_id", Id, autoincrement=True, nullable=False),
        sa.Column("item", sort_key(120), nullable=False),
        sa.Column("icon", sa.String(length=120), nullable=False),
        sa.Column("wholesale_cost", Money(), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("allow_dropdown_staff", sa.Boolean(), nullable=False),
        sa.Column("allow_dropdown_customer", sa.Boolean(), nullable=False),
        sa.Column("itemtext1_label", sa.String(length=120), nullable=False),
        sa.Column("itemtext2_label", sa.String(length=120), nullable=False),
        sa.Column("itemtext3_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext4_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext5_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext6_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext7_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext8_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext9_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext10_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext11_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext12_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext13_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext14_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext15_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext16_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext17_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext18_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext19_label", sa.String(length=120), nullable=True),
        sa.Column("itemtext20_label", sa.String(length=120), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("inventory_template_id", name=op.f("pk_inventory_template")),
        sa.UniqueConstraint("item", name=op.f("uq_inventory_template_item")),
    )
    op.create_table(
        "invoice_counter",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_invoice_counter")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "product",
        sa.Column("product_id", Id, autoincrement=True, nullable=False),
        sa.Column("product_name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sort_key(200), nullable=False),
        sa.Column("search_text", LongText, nullable=False),
        sa.Column("product_slug", sort_key(200), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("service_type", sa.String(length=60), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("icon", sa.String(length=120), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("wholesale_cost", Money(), nullable=False),
        sa.Column("retail_setup_cost", Money(), nullable=False),
        sa.Column("wholesale_setup_cost", Money(), nullable=False),
        sa.Column("tax_percentage", Money(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("residential", sa.Boolean(), nullable=False),
        sa.Column("business", sa.Boolean(), nullable=False),
        sa.Column("customer_can_purchase", sa.Boolean(), nullable=False),
        sa.Column("available_from", UtcDateTime(), nullable=True),
        sa.Column("available_until", UtcDateTime(), nullable=True),
        sa.Column("contract_days", sa.Integer(), nullable=False),
        sa.Column("auto_renew", sa.String(length=10), nullable=False),
        sa.Column("allow_auto_renew", sa.Boolean(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("features_list", sa.Text(), nullable=False),
        sa.Column("provisioning_play", sa.String(length=200), nullable=False),
        sa.Column("provisioning_json_vars", sa.Text(), nullable=False),
        sa.Column("inventory_items_list", sa.Text(), nullable=False),
        sa.Column("relies_on_list", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint("auto_renew IN ('prompt', 'true', 'false')", name=op.f("ck_product_auto_renew")),
        sa.CheckConstraint("category IN ('standalone', 'addon', 'bundle', 'promo')", name=op.f("ck_product_category")),
        sa.CheckConstraint("contract_days >= 0", name=op.f("ck_product_contract_days")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product")),
        sa.UniqueConstraint("product_slug", name=op.f("uq_product_product_slug")),
    )
    op.create_index("ix_product_category_name", "product", ["category", "name_key", "product_id"], unique=False)
    op.create_index("ix_product_created", "product", ["created", "product_id"], unique=False)
    op.create_index("ix_product_name_key", "product", ["name_key", "product_id"], unique=False)
    op.create_index("ix_product_retail_cost", "product", ["retail_cost", "product_id"], unique=False)
    op.create_table(
        "crm_role_permission",
        sa.Column("role_id", Id, nullable=False),
        sa.Column("permission_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["crm_permission.id"],
            name=op.f("fk_crm_role_permission_permission_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["crm_role.id"], name=op.f("fk_crm_role_permission_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role_id", "permission_id", name=op.f("pk_crm_role_permission")),
    )
    op.create_index(
        op.f("ix_crm_role_permission_permission_id"), "crm_role_permission", ["permission_id"], unique=False
    )
    op.create_table(
        "customer_contact",
        sa.Column("contact_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("contact_firstname", sa.String(length=100), nullable=False),
        sa.Column("contact_lastname", sa.String(length=100), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=True),
        sa.Column("contact_phone", sa.String(length=40), nullable=True),
        sa.Column("contact_types", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_customer_contact_customer_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_customer_contact")),
    )
    op.create_index(op.f("ix_customer_contact_contact_email"), "customer_contact", ["contact_email"], unique=False)
    op.create_index(op.f("ix_customer_contact_customer_id"), "customer_contact", ["customer_id"], unique=False)
    op.create_table(
        "customer_invoice",
        sa.Column("invoice_id", Id, autoincrement=True, nullable=False),
        sa.Column("invoice_number", sort_key(40), nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", Money(), nullable=False),
        sa.Column("tax_amount", Money(), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("paid_date", UtcDateTime(), nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("payment_method", sa.String(length=40), nullable=True),
        sa.Column("payment_reference", sa.String(length=200), nullable=True),
        sa.Column("refund_reference", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_customer_invoice_customer_id")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_customer_invoice")),
        sa.UniqueConstraint("invoice_number", name=op.f("uq_customer_invoice_invoice_number")),
    )
    op.create_index("ix_customer_invoice_created", "customer_invoice", ["created", "invoice_id"], unique=False)
    op.create_index("ix_customer_invoice_customer", "customer_invoice", ["customer_id", "invoice_id"], unique=False)
    op.create_index(op.f("ix_customer_invoice_due_date"), "customer_invoice", ["due_date"], unique=False)
    op.create_index("ix_customer_invoice_retail_cost", "customer_invoice", ["retail_cost", "invoice_id"], unique=False)
    op.create_index("ix_customer_invoice_title", "customer_invoice", ["title", "invoice_id"], unique=False)
    op.create_table(
        "customer_site",
        sa.Column("site_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("site_name", sa.String(length=200), nullable=False),
        sa.Column("address_line_1", sa.String(length=200), nullable=False),
        sa.Column("address_line_2", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=120), nullable=True),
        sa.Column("zip_code", sa.String(length=20), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("plus_code", sa.String(length=20), nullable=True),
        sa.Column("google_maps_place_id", sa.String(length=300), nullable=True),
        sa.Column("address_note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint("latitude IS NULL OR latitude BETWEEN -90 AND 90", name=op.f("ck_customer_site_latitude")),
        sa.CheckConstraint(
            "longitude IS NULL OR longitude BETWEEN -180 AND 180", name=op.f("ck_customer_site_longitude")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_customer_site_customer_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_customer_site")),
    )
    op.create_index(op.f("ix_customer_site_customer_id"), "customer_site", ["customer_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("outbox_id", Id, autoincrement=True, nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("payload", JsonText(), nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", UtcDateTime(), nullable=False),
        sa.Column("delivered", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("ck_outbox_channel")),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed', 'dropped')", name=op.f("ck_outbox_status")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_outbox_customer_id")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_customer_id"), "outbox", ["customer_id"], unique=False)
    op.create_index("ix_outbox_due", "outbox", ["status", "next_attempt", "outbox_id"], unique=False)
    op.create_table(
        "crm_user",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("username", sort_key(150), nullable=False),
        sa.Column("email", sort_key(254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("middle_name", sa.String(length=100), nullable=True),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("phone_number", sa.String(length=40), nullable=True),
        sa.Column("contact_id", Id, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("pending_email", sa.String(length=254), nullable=True),
        sa.Column("is_2fa_enabled", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(512), nullable=True),
        sa.Column("totp_last_step", Id, nullable=True),
        sa.Column("force_password_change", sa.Boolean(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("login_count", sa.Integer(), nullable=False),
        sa.Column("last_login", UtcDateTime(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["customer_contact.contact_id"], name=op.f("fk_crm_user_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_user")),
        sa.UniqueConstraint("email", name=op.f("uq_crm_user_email")),
        sa.UniqueConstraint("username", name=op.f("uq_crm_user_username")),
    )
    op.create_index(op.f("ix_crm_user_contact_id"), "crm_user", ["contact_id"], unique=False)
    op.create_table(
        "customer_service",
        sa.Column("service_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("product_id", Id, nullable=True),
        sa.Column("site_id", Id, nullable=True),
        sa.Column("bundled_parent", Id, nullable=True),
        sa.Column("service_name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sort_key(200), nullable=False),
        sa.Column("search_text", LongText, nullable=False),
        sa.Column("service_type", sa.String(length=60), nullable=False),
        sa.Column("service_uuid", sort_key(120), nullable=False),
        sa.Column("icon", sa.String(length=120), nullable=True),
        sa.Column("service_status", sa.String(length=40), nullable=False),
        sa.Column("service_provisioned_date", UtcDateTime(), nullable=True),
        sa.Column("service_active_date", UtcDateTime(), nullable=True),
        sa.Column("service_deactivate_date", UtcDateTime(), nullable=True),
        sa.Column("contract_end_date", UtcDateTime(), nullable=True),
        sa.Column("start_date", UtcDateTime(), nullable=False),
        sa.Column("end_date", UtcDateTime(), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("wholesale_cost", Money(), nullable=False),
        sa.Column("service_billed", sa.Boolean(), nullable=False),
        sa.Column("service_taxable", sa.Boolean(), nullable=False),
        sa.Column("invoiced", sa.Boolean(), nullable=False),
        sa.Column("promo_code", sa.String(length=60), nullable=True),
        sa.Column("service_visible_to_customer", sa.Boolean(), nullable=False),
        sa.Column("service_usage_visible_to_customer", sa.Boolean(), nullable=False),
        sa.Column("provisioning_play", sa.String(length=200), nullable=True),
        sa.Column("provisioning_json_vars", sa.Text(), nullable=True),
        sa.Column("deprovisioning_play", sa.String(length=200), nullable=True),
        sa.Column("deprovisioning_json_vars", sa.Text(), nullable=True),
        sa.Column("auto_renew", sa.Boolean(), nullable=False),
        sa.Column("service_notes", sa.Text(), nullable=True),
        sa.Column("provision_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "service_status IN ('Active', 'Inactive', 'Suspended', 'Pending Cancellation', 'Deactivated')",
            name=op.f("ck_customer_service_service_status"),
        ),
        sa.ForeignKeyConstraint(
            ["bundled_parent"],
            ["customer_service.service_id"],
            name=op.f("fk_customer_service_bundled_parent"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_customer_service_customer_id")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.product_id"], name=op.f("fk_customer_service_product_id")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["customer_site.site_id"], name=op.f("fk_customer_service_site_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_customer_service")),
        sa.UniqueConstraint("service_uuid", name=op.f("uq_customer_service_service_uuid")),
    )
    op.create_index(op.f("ix_customer_service_bundled_parent"), "customer_service", ["bundled_parent"], unique=False)
    op.create_index(
        "ix_customer_service_customer", "customer_service", ["customer_id", "name_key", "service_id"], unique=False
    )
    op.create_index("ix_customer_service_customer_id", "customer_service", ["customer_id", "service_id"], unique=False)
    op.create_index("ix_customer_service_end_date", "customer_service", ["end_date", "service_id"], unique=False)
    op.create_index("ix_customer_service_name_key", "customer_service", ["name_key", "service_id"], unique=False)
    op.create_index(op.f("ix_customer_service_product_id"), "customer_service", ["product_id"], unique=False)
    op.create_index("ix_customer_service_retail_cost", "customer_service", ["retail_cost", "service_id"], unique=False)
    op.create_index(op.f("ix_customer_service_site_id"), "customer_service", ["site_id"], unique=False)
    op.create_index("ix_customer_service_start_date", "customer_service", ["start_date", "service_id"], unique=False)
    op.create_index("ix_customer_service_status", "customer_service", ["service_status", "service_id"], unique=False)
    op.create_index(
        "ix_customer_service_status_name",
        "customer_service",
        ["service_status", "name_key", "service_id"],
        unique=False,
    )
    op.create_index("ix_customer_service_type", "customer_service", ["service_type", "service_id"], unique=False)
    op.create_table(
        "activity_log",
        sa.Column("activity_id", Id, autoincrement=True, nullable=False),
        sa.Column("timestamp", UtcDateTime(), nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("service_id", Id, nullable=True),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("impersonating_user_id", Id, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("source_address", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", Id, nullable=True),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("details", JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_activity_log_customer_id")),
        sa.ForeignKeyConstraint(
            ["impersonating_user_id"], ["crm_user.id"], name=op.f("fk_activity_log_impersonating_user_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["crm_user.id"], name=op.f("fk_activity_log_user_id")),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activity_log")),
    )
    op.create_index("ix_activity_log_customer", "activity_log", ["customer_id", "activity_id"], unique=False)
    op.create_index("ix_activity_log_object", "activity_log", ["object_type", "object_id", "activity_id"], unique=False)
    op.create_index(op.f("ix_activity_log_service_id"), "activity_log", ["service_id"], unique=False)
    op.create_index(op.f("ix_activity_log_timestamp"), "activity_log", ["timestamp"], unique=False)
    op.create_index(op.f("ix_activity_log_user_id"), "activity_log", ["user_id"], unique=False)
    op.create_table(
        "crm_user_role",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("role_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["crm_role.id"], name=op.f("fk_crm_user_role_role_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_user_role_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_crm_user_role")),
    )
    op.create_index(op.f("ix_crm_user_role_role_id"), "crm_user_role", ["role_id"], unique=False)
    op.create_table(
        "provision",
        sa.Column("provision_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("product_id", Id, nullable=True),
        sa.Column("service_id", Id, nullable=True),
        sa.Column("service_uuid", sa.String(length=120), nullable=True),
        sa.Column("provisioning_play", sa.String(length=200), nullable=False),
        sa.Column("playbook_description", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=True),
        sa.Column("provisioning_json_vars", JsonText(), nullable=False),
        sa.Column("inventory_choices", JsonText(), nullable=False),
        sa.Column("facts", JsonText(), nullable=False),
        sa.Column("provisioning_status", sa.Integer(), nullable=False),
        sa.Column("status_reason", sa.String(length=40), nullable=False),
        sa.Column("error_message", LongText, nullable=True),
        sa.Column("task_count", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("initiating_user", Id, nullable=True),
        sa.Column("retry_of", Id, nullable=True),
        sa.Column("started", UtcDateTime(), nullable=True),
        sa.Column("finished", UtcDateTime(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("process_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint("provisioning_status IN (0, 1, 2)", name=op.f("ck_provision_provisioning_status")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_provision_customer_id")),
        sa.ForeignKeyConstraint(["initiating_user"], ["crm_user.id"], name=op.f("fk_provision_initiating_user")),
        sa.ForeignKeyConstraint(["product_id"], ["product.product_id"], name=op.f("fk_provision_product_id")),
        sa.ForeignKeyConstraint(
            ["retry_of"], ["provision.provision_id"], name=op.f("fk_provision_retry_of"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["customer_service.service_id"], name=op.f("fk_provision_service_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("provision_id", name=op.f("pk_provision")),
    )
    op.create_index("ix_provision_customer", "provision", ["customer_id", "provision_id"], unique=False)
    op.create_index(op.f("ix_provision_initiating_user"), "provision", ["initiating_user"], unique=False)
    op.create_index(op.f("ix_provision_product_id"), "provision", ["product_id"], unique=False)
    op.create_index(op.f("ix_provision_service_id"), "provision", ["service_id"], unique=False)
    op.create_index("ix_provision_status", "provision", ["provisioning_status", "provision_id"], unique=False)
    op.create_table(
        "crm_token_family",
        sa.Column("family_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column("provision_id", Id, nullable=True),
        sa.Column("own_customer_id", Id, nullable=True),
        sa.Column("permissions", JsonText(), nullable=True),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("source_address", sa.String(length=64), nullable=False),
        sa.CheckConstraint("purpose IN ('session', 'job')", name=op.f("ck_crm_token_family_purpose")),
        sa.ForeignKeyConstraint(
            ["provision_id"],
            ["provision.provision_id"],
            name=op.f("fk_crm_token_family_provision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["crm_user.id"], name=op.f("fk_crm_token_family_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", name=op.f("pk_crm_token_family")),
    )
    op.create_index(op.f("ix_crm_token_family_expires"), "crm_token_family", ["expires"], unique=False)
    op.create_index(op.f("ix_crm_token_family_provision_id"), "crm_token_family", ["provision_id"], unique=False)
    op.create_index(op.f("ix_crm_token_family_user_id"), "crm_token_family", ["user_id"], unique=False)
    op.create_table(
        "customer_transaction",
        sa.Column("transaction_id", Id, autoincrement=True, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=True),
        sa.Column("site_id", Id, nullable=True),
        sa.Column("invoice_id", Id, nullable=True),
        sa.Column("provision_id", Id, nullable=True),
        sa.Column("transaction_type", sa.String(length=10), nullable=False),
        sa.Column("credit_type", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("transaction_date", UtcDateTime(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("wholesale_cost", Money(), nullable=False),
        sa.Column("tax_percentage", Money(), nullable=False),
        sa.Column("tax_amount", Money(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "transaction_type IN ('Debit', 'Credit')", name=op.f("ck_customer_transaction_transaction_type")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_customer_transaction_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["customer_invoice.invoice_id"], name=op.f("fk_customer_transaction_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["provision_id"],
            ["provision.provision_id"],
            name=op.f("fk_customer_transaction_provision_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["customer_service.service_id"],
            name=op.f("fk_customer_transaction_service_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["customer_site.site_id"], name=op.f("fk_customer_transaction_site_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_customer_transaction")),
    )
    op.create_index(
        "ix_customer_transaction_customer",
        "customer_transaction",
        ["customer_id", "transaction_date", "transaction_id"],
        unique=False,
    )
    op.create_index(
        "ix_customer_transaction_date", "customer_transaction", ["transaction_date", "transaction_id"], unique=False
    )
    op.create_index(op.f("ix_customer_transaction_invoice_id"), "customer_transaction", ["invoice_id"], unique=False)
    op.create_index(
        op.f("ix_customer_transaction_provision_id"), "customer_transaction", ["provision_id"], unique=False
    )
    op.create_index(
        "ix_customer_transaction_retail_cost", "customer_transaction", ["retail_cost", "transaction_id"], unique=False
    )
    op.create_index(op.f("ix_customer_transaction_service_id"), "customer_transaction", ["service_id"], unique=False)
    op.create_index(op.f("ix_customer_transaction_site_id"), "customer_transaction", ["site_id"], unique=False)
    op.create_index("ix_customer_transaction_title", "customer_transaction", ["title", "transaction_id"], unique=False)
    op.create_table(
        "inventory",
        sa.Column("inventory_id", Id, autoincrement=True, nullable=False),
        sa.Column("inventory_template_id", Id, nullable=False),
        sa.Column("item", sort_key(120), nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("service_id", Id, nullable=True),
        sa.Column("item_state", sa.String(length=20), nullable=False),
        sa.Column("item_location", sa.String(length=200), nullable=False),
        sa.Column("text_key", sort_key(500), nullable=False),
        sa.Column("search_text", LongText, nullable=False),
        sa.Column("itemtext1", sa.String(length=500), nullable=False),
        sa.Column("itemtext2", sa.String(length=500), nullable=True),
        sa.Column("itemtext3", sa.String(length=500), nullable=True),
        sa.Column("itemtext4", sa.String(length=500), nullable=True),
        sa.Column("itemtext5", sa.String(length=500), nullable=True),
        sa.Column("itemtext6", sa.String(length=500), nullable=True),
        sa.Column("itemtext7", sa.String(length=500), nullable=True),
        sa.Column("itemtext8", sa.String(length=500), nullable=True),
        sa.Column("itemtext9", sa.String(length=500), nullable=True),
        sa.Column("itemtext10", sa.String(length=500), nullable=True),
        sa.Column("itemtext11", sa.String(length=500), nullable=True),
        sa.Column("itemtext12", sa.String(length=500), nullable=True),
        sa.Column("itemtext13", sa.String(length=500), nullable=True),
        sa.Column("itemtext14", sa.String(length=500), nullable=True),
        sa.Column("itemtext15", sa.String(length=500), nullable=True),
        sa.Column("itemtext16", sa.String(length=500), nullable=True),
        sa.Column("itemtext17", sa.String(length=500), nullable=True),
        sa.Column("itemtext18", sa.String(length=500), nullable=True),
        sa.Column("itemtext19", sa.String(length=500), nullable=True),
        sa.Column("itemtext20", sa.String(length=500), nullable=True),
        sa.Column("ki", sa.LargeBinary(512), nullable=True),
        sa.Column("opc", sa.LargeBinary(512), nullable=True),
        sa.Column("wholesale_cost", Money(), nullable=False),
        sa.Column("retail_cost", Money(), nullable=False),
        sa.Column("sold_date", UtcDateTime(), nullable=True),
        sa.Column("address_line_1", sa.String(length=200), nullable=True),
        sa.Column("address_line_2", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=120), nullable=True),
        sa.Column("zip_code", sa.String(length=20), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=True),
        sa.Column("google_maps_place_id", sa.String(length=300), nullable=True),
        sa.Column("plus_code", sa.String(length=40), nullable=True),
        sa.Column("latitude", sa.String(length=30), nullable=True),
        sa.Column("longitude", sa.String(length=30), nullable=True),
        sa.Column("management_url", sa.String(length=500), nullable=True),
        sa.Column("management_username", sa.String(length=200), nullable=True),
        sa.Column("management_password", sa.LargeBinary(1024), nullable=True),
        sa.Column("config_content", LongText, nullable=True),
        sa.Column("config_file_path", sa.String(length=500), nullable=True),
        sa.Column("inventory_notes", sa.Text(), nullable=True),
        sa.Column("reserved_by", Id, nullable=True),
        sa.Column("reserved_from_state", sa.String(length=20), nullable=True),
        sa.Column("reserved_until", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "item_state IN ('New', 'In Transit', 'In Stock', 'Allocated', 'Assigned', 'In Use', 'Used', 'Internal Use', 'Damaged', 'Out Of Service', 'Lost', 'Stolen', 'Decommissioned')",
            name=op.f("ck_inventory_item_state"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_inventory_customer_id")),
        sa.ForeignKeyConstraint(
            ["inventory_template_id"],
            ["inventory_template.inventory_template_id"],
            name=op.f("fk_inventory_inventory_template_id"),
        ),
        sa.ForeignKeyConstraint(
            ["reserved_by"], ["provision.provision_id"], name=op.f("fk_inventory_reserved_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["customer_service.service_id"], name=op.f("fk_inventory_service_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("inventory_id", name=op.f("pk_inventory")),
    )
    op.create_index("ix_inventory_created", "inventory", ["created", "inventory_id"], unique=False)
    op.create_index(op.f("ix_inventory_customer_id"), "inventory", ["customer_id"], unique=False)
    op.create_index("ix_inventory_item", "inventory", ["item", "inventory_id"], unique=False)
    op.create_index("ix_inventory_item_location", "inventory", ["item_location", "inventory_id"], unique=False)
    op.create_index("ix_inventory_item_state", "inventory", ["item_state", "inventory_id"], unique=False)
    op.create_index("ix_inventory_item_text", "inventory", ["item", "text_key", "inventory_id"], unique=False)
    op.create_index(
        "ix_inventory_pick",
        "inventory",
        ["inventory_template_id", "customer_id", "text_key", "inventory_id"],
        unique=False,
    )
    op.create_index(op.f("ix_inventory_reserved_by"), "inventory", ["reserved_by"], unique=False)
    op.create_index(op.f("ix_inventory_service_id"), "inventory", ["service_id"], unique=False)
    op.create_index("ix_inventory_text_key", "inventory", ["text_key", "inventory_id"], unique=False)
    op.create_table(
        "provision_event",
        sa.Column("provision_event_id", Id, autoincrement=True, nullable=False),
        sa.Column("provision_id", Id, nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=False),
        sa.Column("event_name", sa.String(length=500), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("provisioning_status", sa.Integer(), nullable=False),
        sa.Column("provisioning_result_json", LongText, nullable=False),
        sa.Column("timestamp", UtcDateTime(), nullable=False),
        sa.Column("finished", UtcDateTime(), nullable=True),
        sa.CheckConstraint("provisioning_status IN (0, 1, 2, 3)", name=op.f("ck_provision_event_provisioning_status")),
        sa.ForeignKeyConstraint(
            ["provision_id"],
            ["provision.provision_id"],
            name=op.f("fk_provision_event_provision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provision_event_id", name=op.f("pk_provision_event")),
        sa.UniqueConstraint("provision_id", "event_number", name=op.f("uq_provision_event_provision_id_event_number")),
    )
    op.create_table(
        "crm_refresh_token",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("family_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("issued", UtcDateTime(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("used", UtcDateTime(), nullable=True),
        sa.Column("source_address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["crm_token_family.family_id"],
            name=op.f("fk_crm_refresh_token_family_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_refresh_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_crm_refresh_token_token_hash")),
    )
    op.create_index(op.f("ix_crm_refresh_token_family_id"), "crm_refresh_token", ["family_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("crm_refresh_token")
    op.drop_table("provision_event")
    op.drop_table("inventory")
    op.drop_table("customer_transaction")
    op.drop_table("crm_token_family")
    op.drop_table("provision")
    op.drop_table("crm_user_role")
    op.drop_table("activity_log")
    op.drop_table("customer_service")
    op.drop_table("crm_user")
    op.drop_table("outbox")
    op.drop_table("customer_site")
    op.drop_table("customer_invoice")
    op.drop_table("customer_contact")
    op.drop_table("crm_role_permission")
    op.drop_table("product")
    op.drop_table("lease")
    op.drop_table("invoice_counter")
    op.drop_table("inventory_template")
    op.drop_table("customer")
    op.drop_table("crm_role")
    op.drop_table("crm_permission")
