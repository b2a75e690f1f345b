"""``manage.py troth_hook``: lists the rights that this application answers, and the function of each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from troth.hook import Right
from troth.hook.django.configured import hook


class Command(BaseCommand):
    """Lists all rights, with the functions of those that the hook answers."""

    help = "List the rights of people that this application answers, each with its function."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per right."""
        functions = hook().functions
        for right in Right:
            self.stdout.write(f"{right:<10} {functions.get(right, '-')}")
