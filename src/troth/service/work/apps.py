from django.apps import AppConfig


class Work(AppConfig):
    name = "troth.service.work"
    label = "work"
    verbose_name = "Work"
