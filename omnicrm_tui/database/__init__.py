"""Engine, session, column types and the lists every room declares."""
