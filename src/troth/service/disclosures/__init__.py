"""Disclosures: what went to whom, why and when, so that people can learn who received their data."""
