"""Templates, items, reservation and stock."""
