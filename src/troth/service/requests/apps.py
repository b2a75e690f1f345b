from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "troth.service.requests"
    label = "requests"
    verbose_name = "Requests"

    def ready(self) -> None:
        """Register the runs of cases, and confidential cases."""
        from troth.service.requests.fulfilment import steps  # noqa: F401 - follows the runs of cases
        from troth.service.requests.models import Case
        from troth.service.staff.access_log import confidential

        confidential(Case.objects.filter(is_confidential=True).values_list("reference", flat=True).all)
