"""Responses: informs people of the outcome of their request, and handles appeals."""
