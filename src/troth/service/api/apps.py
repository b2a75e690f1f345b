from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "troth.service.api"
    label = "api"
    verbose_name = "API"
