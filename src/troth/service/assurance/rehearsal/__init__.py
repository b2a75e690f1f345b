"""Rehearsals: breaches of every promise, planted into an invented company, to see whether its controls notice."""
