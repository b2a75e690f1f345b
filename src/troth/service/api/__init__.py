"""The JSON API under ``/api/v1``: tokens with scopes, answers that can be asked for again, webhooks that are signed.

`frame` has what every duty's ``api.py`` is written with, `tokens` who may ask, `hooks` what is told to other programs.
"""
