"""The declaration: the company's systems, purposes, recipients and promises as data, read from ``troth.yaml``."""
