"""Newsletters: asked for and confirmed, sent to those who want them, and stopped at once."""
