from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "troth.service.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """The keep loop delivers webhooks and forgets old answers."""
        from troth.service.api import webhooks  # noqa: F401 - registers its routine
