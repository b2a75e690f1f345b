from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "troth.service.work"
    label = "work"
    verbose_name = "Work"
