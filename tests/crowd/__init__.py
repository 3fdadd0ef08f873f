"""A crowd: many processes on one database at once, each behaving like a terminal, and an account of what they did."""
