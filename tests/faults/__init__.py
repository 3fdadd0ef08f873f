"""What happens when the world lets the programs down: a message, no loss, and recovery by itself."""
