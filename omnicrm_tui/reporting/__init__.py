"""Reporting: how the system does, in figures."""
