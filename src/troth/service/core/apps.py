from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "troth.service.core"
    label = "core"
    verbose_name = "Core"
