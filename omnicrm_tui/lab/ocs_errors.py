"""The one way the charging engine says no: a plain string beside HTTP 200."""

from __future__ import annotations


class OcsError(Exception):
    """An answer of the OCS that is an error; the text goes to the caller as it is."""


def not_found() -> OcsError:
    """Return the error for something that does not exist."""
    return OcsError("NOT_FOUND")


def missing(*fields: str) -> OcsError:
    """Return the error for mandatory fields that the request lacks."""
    return OcsError(f"MANDATORY_IE_MISSING: [{' '.join(fields)}]")


def server_error(reason: str) -> OcsError:
    """Return the error for a request that is well formed and cannot be carried out."""
    return OcsError(f"SERVER_ERROR: {reason}")
