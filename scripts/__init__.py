"""What developers run: set-up, requirements, contracts between the layers."""
