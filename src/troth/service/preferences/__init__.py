"""Preferences: one list of what people chose about the use of their data, and whether it may be used for a purpose."""
