"""Intake: turns messages from forms, e-mail, the API and staff into cases."""
