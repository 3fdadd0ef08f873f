"""Transactions and invoices."""
