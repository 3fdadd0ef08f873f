"""The outbox: e-mail and SMS, delivered after the change that caused them."""
