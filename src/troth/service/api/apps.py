from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "troth.service.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the scheduler's job that delivers webhooks and deletes old responses."""
        from troth.service.api import webhooks  # noqa: F401 - registers its routine
