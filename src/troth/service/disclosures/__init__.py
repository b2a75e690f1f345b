"""Disclosure: what went to whom, why and when, so that anybody can be told who received their data."""
