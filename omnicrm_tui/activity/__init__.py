"""The activity log: who changed what, when and from where."""
