from django.apps import AppConfig


class Cases(AppConfig):
    name = "troth.service.cases"
    label = "cases"
    verbose_name = "Cases"
