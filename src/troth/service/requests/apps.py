from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "troth.service.requests"
    label = "requests"
    verbose_name = "Requests"
