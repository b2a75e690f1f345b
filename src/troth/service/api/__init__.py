"""The JSON API under ``/api/v1``: tokens with scopes, idempotent requests, signed webhooks.

`framework` is the base of every duty's ``api.py``, `tokens` handles access, `webhooks` notifies other programs.
"""
