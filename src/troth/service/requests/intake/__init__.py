"""Intake: what arrives by a form, by mail, by the API or through staff becomes a case."""
