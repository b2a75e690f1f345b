from django.apps import AppConfig


class Api(AppConfig):
    name = "troth.service.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """The keep loop delivers webhooks and forgets old answers."""
        from troth.service.api import hooks  # noqa: F401 - registers its routine
