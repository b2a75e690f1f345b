from django.apps import AppConfig


class AssuranceConfig(AppConfig):
    name = "troth.service.assurance"
    label = "assurance"
    verbose_name = "Assurance"
