from django.apps import AppConfig


class Cases(AppConfig):
    name = "troth.service.cases"
    label = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        """The keep loop watches the cases' deadlines, and reads the mailbox."""
        from troth.service.cases import mailbox, watch  # noqa: F401 - register their routines
