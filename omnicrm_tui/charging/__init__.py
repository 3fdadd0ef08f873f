"""Balances and accounts in the online charging system."""
