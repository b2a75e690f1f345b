"""The Django app."""

from django.apps import AppConfig
from django.core import checks


class HookConfig(AppConfig):
    """Stores asks, and checks at startup that the settings name a hook and a secret."""

    name = "troth.hook.django"
    label = "troth_hook"
    verbose_name = "Requests of people, from Troth"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from troth.hook.django.configured import look

        checks.register(look, checks.Tags.security)
