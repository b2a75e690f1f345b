"""Loads the hook named in the settings, and checks those settings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from troth.hook.answering import Hook
from troth.hook.receiving import Receiver
from troth.hook.wire import SecretRefused, keys_of


def hook() -> Hook:
    """The `Hook` at ``TROTH_HOOK``. Raises `ImportError` or `TypeError` if there is none."""
    found = import_string(getattr(settings, "TROTH_HOOK", ""))
    if not isinstance(found, Hook):
        raise TypeError("TROTH_HOOK does not name a troth.hook.Hook")
    return found


@cache
def receiver() -> Receiver:
    """The receiver of this process."""
    return Receiver(hook(), getattr(settings, "TROTH_HOOK_SECRET", ""))


def look(app_configs: object, **_: Any) -> Sequence[checks.CheckMessage]:
    """System check for ``manage.py check``."""
    problems: list[checks.CheckMessage] = []
    try:
        if not hook().rights:
            problems.append(
                checks.Warning("the hook answers nothing", hint="@hook.answers('erase')", id="troth_hook.W001")
            )
    except (ImportError, TypeError) as wrong:
        hint = "such as TROTH_HOOK = 'shop.privacy.hook'"
        problems.append(checks.Error(f"TROTH_HOOK: {wrong}", hint=hint, id="troth_hook.E001"))
    try:
        keys_of(getattr(settings, "TROTH_HOOK_SECRET", ""))
    except SecretRefused as wrong:
        problems.append(checks.Error(f"TROTH_HOOK_SECRET: {wrong}", id="troth_hook.E002"))
    return problems
