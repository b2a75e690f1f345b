from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "troth.service.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        from troth.service.staff import factors  # noqa: F401 - its receivers
