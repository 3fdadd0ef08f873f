"""The tabs of a customer's page, one module each."""
