"""Front door 1: REST."""
