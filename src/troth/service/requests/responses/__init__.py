"""Responses: what a person is told of the outcome of their request, and appeals against it."""
