"""Fulfilment: executing a verified request in every system, and holding or restricting data meanwhile."""
