from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "troth.service.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Register what duties add before any thread asks for it, and import what they need from the start."""
        from troth.registration import complete
        from troth.service.duty import import_all

        for registry in ("sections", "entries", "controls"):
            complete(registry)
        import_all("at_start")
