"""Requests on ten tables and 3.9 million rows in PostgreSQL, beside hand-written SQL."""
