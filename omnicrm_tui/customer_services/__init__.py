"""What a customer has: services and their life."""
