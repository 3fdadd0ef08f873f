"""One client for each outside system."""
