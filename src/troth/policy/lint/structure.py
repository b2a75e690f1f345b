"""Rules that a function decides."""
