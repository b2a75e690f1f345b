from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "troth.service.cases"
    label = "cases"
    verbose_name = "Cases"
