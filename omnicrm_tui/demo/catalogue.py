"""Users, item kinds and products of the demo, created by the services as an operator would create them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.inventory.schemas import TemplateInput
from omnicrm_tui.schemas import parse
from omnicrm_tui.work import Work

EMAIL = "admin@demo.example"
PASSWORD = "Demo-Passw0rd!"  # noqa: S105 - shown to everybody, and accepted in a demo alone

GIB = 1024**3
MINUTE = 60 * 10**9
"""Voice is counted in nanoseconds."""

SIM, NUMBER, ONT, CPE, MODEM, ESIM = (
    "SIM Card",
    "Mobile Number",
    "GPON ONT",
    "Fixed Wireless CPE",
    "Rental Modem",
    "eSIM",
)

TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "item": SIM,
        "icon": "fa-solid fa-sim-card",
        "wholesale_cost": "2.50",
        "retail_cost": "10.00",
        "itemtext1_label": "ICCID",
        "itemtext2_label": "IMSI",
        "itemtext3_label": "SIM Type",
    },
    {
        "item": NUMBER,
        "icon": "fa-solid fa-phone",
        "wholesale_cost": "1.00",
        "retail_cost": "0.00",
        "itemtext1_label": "Phone Number",
        "itemtext2_label": "Geographic Region",
        "itemtext3_label": "Number Type",
    },
    {
        "item": ONT,
        "icon": "fa-solid fa-network-wired",
        "wholesale_cost": "45.00",
        "retail_cost": "0.00",
        "itemtext1_label": "Serial Number",
        "itemtext2_label": "MAC Address",
        "itemtext3_label": "PON Location",
        "itemtext4_label": "Model",
    },
    {
        "item": CPE,
        "icon": "fa-solid fa-tower-broadcast",
        "wholesale_cost": "250.00",
        "retail_cost": "450.00",
        "itemtext1_label": "MAC Address",
        "itemtext2_label": "Serial Number",
        "itemtext3_label": "Firmware Version",
        "itemtext4_label": "Manufacturer",
        "itemtext5_label": "Model",
    },
    {
        "item": MODEM,
        "icon": "fa-solid fa-wifi",
        "wholesale_cost": "45.00",
        "retail_cost": "150.00",
        "itemtext1_label": "MAC Address",
        "itemtext2_label": "Serial Number",
    },
    {
        "item": ESIM,
        "icon": "fa-solid fa-qrcode",
        "wholesale_cost": "0.00",
        "retail_cost": "0.00",
        "itemtext1_label": "ICCID",
        "itemtext2_label": "IMSI",
        "itemtext3_label": "SIM Type",
    },
)


PRODUCTS: tuple[dict[str, Any], ...] = (
    {
        "product_name": "Mobile SIM Only",
        "product_slug": "mobile-sim-only",
        "category": "standalone",
        "service_type": "mobile",
        "icon": "fa-solid fa-sim-card",
        "comment": "A SIM card with a number of your own; add a plan or credit as you like",
        "wholesale_cost": "3.00",
        "retail_setup_cost": "10.00",
        "wholesale_setup_cost": "1.00",
        "tax_percentage": "10",
        "customer_can_purchase": True,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": {"iccid": "", "msisdn": ""},
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
        "features_list": "A mobile number of your own. Fastest speeds on our network. Roaming on the mainland.",
        "terms": "Activate within 6 months. Credit is lost after 12 months without use.",
    },
    {
        "product_name": "Prepaid Mobile 20GB",
        "product_slug": "prepaid-mobile-20gb",
        "category": "standalone",
        "service_type": "mobile",
        "icon": "fa-solid fa-sim-card",
        "comment": "20 GB and unlimited calls for 30 days",
        "retail_cost": "15.00",
        "wholesale_cost": "5.00",
        "retail_setup_cost": "5.00",
        "wholesale_setup_cost": "1.00",
        "tax_percentage": "10",
        "business": False,
        "customer_can_purchase": True,
        "available_from": "2025-01-01T00:00:00Z",
        "contract_days": 30,
        "auto_renew": "prompt",
        "allow_auto_renew": True,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": {"days": 30, "data_gb": 20, "voice_minutes": 1000, "sms_count": 500},
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
        "features_list": "['20 GB of data', '1,000 minutes', '500 SMS', '5G where available']",
        "terms": "Valid for 30 days from activation.\nUnused data does not carry over.",
    },
    {
        "product_name": "Business Mobile 100GB",
        "product_slug": "business-mobile-100gb",
        "category": "standalone",
        "service_type": "mobile",
        "icon": "fa-solid fa-briefcase",
        "comment": "100 GB, priority on the network, one invoice a month",
        "retail_cost": "39.00",
        "wholesale_cost": "14.00",
        "retail_setup_cost": "10.00",
        "wholesale_setup_cost": "1.00",
        "tax_percentage": "10",
        "residential": False,
        "contract_days": 365,
        "auto_renew": "true",
        "allow_auto_renew": True,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": {"days": 30, "data_gb": 100, "voice_minutes": 5000, "sms_count": 1000},
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
        "features_list": "['100 GB of data', '5,000 minutes', 'Priority support']",
        "terms": "12 months. One month's notice.",
    },
    {
        "product_name": "Home Internet 100",
        "product_slug": "home-internet-100",
        "category": "standalone",
        "service_type": "internet",
        "icon": "fa-solid fa-house-signal",
        "comment": "Fibre, 100 Mbps down and 40 Mbps up",
        "retail_cost": "45.00",
        "wholesale_cost": "22.00",
        "retail_setup_cost": "60.00",
        "wholesale_setup_cost": "35.00",
        "tax_percentage": "10",
        "contract_days": 180,
        "auto_renew": "true",
        "allow_auto_renew": True,
        "provisioning_play": "play_simple_service",
        "inventory_items_list": "['GPON ONT']",
        "features_list": "100 Mbps down. 40 Mbps up. No data limit. Modem included.",
        "terms": "6 months. The optical terminal stays our property.",
    },
    {
        "product_name": "Business Voice Line",
        "product_slug": "business-voice-line",
        "category": "standalone",
        "service_type": "voip",
        "icon": "fa-solid fa-phone",
        "comment": "A line for your switchboard",
        "retail_cost": "12.50",
        "wholesale_cost": "4.00",
        "retail_setup_cost": "25.00",
        "tax_percentage": "10",
        "residential": False,
        "contract_days": 30,
        "provisioning_play": "play_simple_service",
        "features_list": "['Two calls at once', 'Voicemail to e-mail']",
    },
    {
        "product_name": "Mini Plan",
        "product_slug": "mini-plan",
        "category": "addon",
        "service_type": "mobile",
        "icon": "fa-solid fa-sim-card",
        "comment": "8 GB, 100 minutes and 100 SMS for 30 days",
        "retail_cost": "30.00",
        "wholesale_cost": "5.84",
        "tax_percentage": "10",
        "business": False,
        "customer_can_purchase": True,
        "contract_days": 30,
        "auto_renew": "prompt",
        "allow_auto_renew": True,
        "provisioning_play": "play_local_data_addon",
        "provisioning_json_vars": {"data_gb": 8, "voice_minutes": 100, "sms_count": 100, "days": 30},
        "features_list": "8 GB of data. 100 minutes. 100 SMS. Calls within our network are free.",
    },
    {
        "product_name": "5GB Data Boost",
        "product_slug": "5gb-data-boost",
        "category": "addon",
        "service_type": "mobile",
        "icon": "fa-solid fa-bolt",
        "comment": "5 GB more, for 7 days",
        "retail_cost": "5.00",
        "wholesale_cost": "1.50",
        "tax_percentage": "10",
        "customer_can_purchase": True,
        "provisioning_play": "play_local_data_addon",
        "provisioning_json_vars": {"data_gb": 5, "days": 7},
        "features_list": "['5 GB of data', 'Valid for 7 days']",
        "terms": "Not refundable.",
    },
    {
        "product_name": "Monthly 10GB Data Plan",
        "product_slug": "monthly-10gb-data-plan",
        "category": "addon",
        "service_type": "mobile",
        "icon": "fa-solid fa-rotate",
        "comment": "10 GB more, every month",
        "retail_cost": "10.00",
        "wholesale_cost": "3.00",
        "tax_percentage": "10",
        "customer_can_purchase": True,
        "contract_days": 30,
        "auto_renew": "true",
        "allow_auto_renew": True,
        "provisioning_play": "play_local_data_addon",
        "provisioning_json_vars": {"data_gb": 10, "days": 30},
    },
    {
        "product_name": "PAYG 5 Top-up",
        "product_slug": "payg-5-topup",
        "category": "addon",
        "service_type": "mobile",
        "icon": "fa-solid fa-coins",
        "comment": "Credit of 5, valid for 180 days",
        "retail_cost": "5.00",
        "business": False,
        "customer_can_purchase": True,
        "provisioning_play": "play_local_data_addon",
        "provisioning_json_vars": {"service_id": "", "monetary": 5, "days": 180},
        "terms": "Valid for 180 days or until it is used.",
    },
    {
        "product_name": "WiFi 6 Modem Rental",
        "product_slug": "wifi6-modem-rental",
        "category": "addon",
        "service_type": "internet",
        "icon": "fa-solid fa-wifi",
        "comment": "A modem that reaches the attic",
        "retail_cost": "10.00",
        "wholesale_cost": "3.00",
        "wholesale_setup_cost": "45.00",
        "tax_percentage": "10",
        "contract_days": 30,
        "auto_renew": "true",
        "allow_auto_renew": True,
        "provisioning_play": "play_addon_assign_modem",
        "inventory_items_list": "['Rental Modem']",
        "terms": "A modem that is not returned costs 150.",
    },
    {
        "product_name": "Seniors Bundle",
        "product_slug": "bundle-seniors",
        "category": "bundle",
        "service_type": "internet",
        "icon": "fa-solid fa-person-walking-with-cane",
        "comment": "Internet, television and telephone",
        "retail_cost": "30.00",
        "wholesale_cost": "10.00",
        "wholesale_setup_cost": "11.00",
        "tax_percentage": "10",
        "business": False,
        "contract_days": 180,
        "provisioning_play": "play_simple_service",
        "inventory_items_list": "['Rental Modem']",
        "features_list": "20 Mbps down and 5 Mbps up. No data limit. Home voice included.",
        "terms": "6 months. A senior card is required.",
    },
    {
        "product_name": "Spring Double Data",
        "product_slug": "spring-double-data",
        "category": "promo",
        "service_type": "mobile",
        "icon": "fa-solid fa-gift",
        "comment": "40 GB for the price of 20, until the end of February",
        "retail_cost": "15.00",
        "wholesale_cost": "6.00",
        "tax_percentage": "10",
        "contract_days": 30,
        "available_from": "2026-09-01T00:00:00Z",
        "available_until": "2027-02-28T23:59:59Z",
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": {"days": 30, "data_gb": 40, "voice_minutes": 1000, "sms_count": 500},
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
    },
    {
        "product_name": "Copper Internet 8",
        "product_slug": "copper-internet-8",
        "category": "standalone",
        "service_type": "internet",
        "icon": "fa-solid fa-plug",
        "comment": "Not sold any more; who has it keeps it",
        "retail_cost": "25.00",
        "wholesale_cost": "15.00",
        "tax_percentage": "10",
        "enabled": False,
        "provisioning_play": "play_simple_service",
    },
)


@dataclass(frozen=True, slots=True)
class Sold:
    """What the demo's histories need to know of a product."""

    product_id: int
    name: str
    service_type: str
    retail_cost: Decimal
    wholesale_cost: Decimal
    setup_cost: Decimal
    tax_percentage: Decimal
    contract_days: int
    play: str
    icon: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was created: the administrator, kinds of items by name, products by slug."""

    admin_id: int
    template_ids: dict[str, int]
    products: dict[str, Sold]


def create(work: Work) -> Catalogue:
    """Create users, kinds and products through the services."""
    work.identity.ensure_catalogue()
    admin = work.identity.create_user(parse(UserInput, _user(EMAIL, "Alex", "Admin", "System Admin")))
    for name, role in (("support", "Support"), ("finance", "Finance")):
        email = EMAIL.replace("admin", name)
        work.identity.create_user(parse(UserInput, _user(email, name.title(), "Demo", role)))
    kinds = {
        str(values["item"]): work.inventory.create_template(parse(TemplateInput, dict(values))) for values in TEMPLATES
    }
    return Catalogue(
        admin_id=admin.id,
        template_ids={name: kind.inventory_template_id for name, kind in kinds.items()},
        products={str(values["product_slug"]): _product(work, values) for values in PRODUCTS},
    )


def _user(email: str, first: str, last: str, role: str) -> dict[str, Any]:
    username = email.partition("@")[0]
    return {
        "email": email,
        "username": username,
        "password": PASSWORD,
        "first_name": first,
        "last_name": last,
        "role": [role],
    }


def _product(work: Work, values: dict[str, Any]) -> Sold:
    from omnicrm_tui.catalog.rules import parse_list

    made = work.catalog.create(parse(ProductInput, dict(values)))
    return Sold(
        product_id=made.product_id,
        name=made.product_name,
        service_type=made.service_type,
        retail_cost=made.retail_cost,
        wholesale_cost=made.wholesale_cost or Decimal(0),
        setup_cost=made.retail_setup_cost,
        tax_percentage=made.tax_percentage,
        contract_days=made.contract_days,
        play=made.provisioning_play,
        icon=made.icon,
        items=parse_list(values.get("inventory_items_list", "")),
    )
