from django.apps import AppConfig


class ComplaintsConfig(AppConfig):
    name = "troth.service.complaints"
    label = "complaints"
    verbose_name = "Complaints"
