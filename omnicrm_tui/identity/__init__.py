"""Who acts: users, roles, permissions, passwords and tokens."""
