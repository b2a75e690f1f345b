from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "troth.service.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Import what duties need from the start."""
        from troth.service.duty import import_all

        import_all("at_start")
