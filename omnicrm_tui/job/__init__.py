"""One provisioning job in a process of its own, `python -m omnicrm_tui.job <provision_id>`."""
