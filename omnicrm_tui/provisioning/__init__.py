"""Jobs, events, plays and the processes that run them."""
