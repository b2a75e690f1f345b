from django.apps import AppConfig


class Cases(AppConfig):
    name = "troth.service.cases"
    label = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        """The keep loop watches the cases' deadlines, reads the mailbox, and finishes runs of cases."""
        from troth.service.cases import carry, mailbox, watch  # noqa: F401 - register what they do there
        from troth.service.cases.models import Case
        from troth.service.staff.looking import confidential

        confidential(Case.objects.filter(is_confidential=True).values_list("reference", flat=True).all)
