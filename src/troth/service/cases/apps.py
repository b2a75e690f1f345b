from django.apps import AppConfig


class Cases(AppConfig):
    name = "troth.service.cases"
    label = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        """The keep loop watches the cases' deadlines."""
        from troth.service.cases import watch  # noqa: F401 - registers its routine
