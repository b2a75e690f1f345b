"""Requests from the API to the last letter, beside the same SQL and the same messages by hand."""
