"""``manage.py troth_hook``: what this application answers, and by which function."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from troth.hook import Right
from troth.hook.django.configured import hook


class Command(BaseCommand):
    """Lists the rights of people that the hook answers, and those that it does not."""

    help = "List the rights of people that this application answers, each with its function."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each right."""
        functions = hook().functions
        for right in Right:
            self.stdout.write(f"{right:<10} {functions.get(right, '-')}")
