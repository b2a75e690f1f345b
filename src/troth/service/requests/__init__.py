"""Requests of people about their data: proof of identity, execution in every system, and the answer."""
