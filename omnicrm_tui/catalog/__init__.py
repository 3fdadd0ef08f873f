"""Products and who may buy them."""
