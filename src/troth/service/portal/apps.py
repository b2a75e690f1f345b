from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "troth.service.portal"
    label = "portal"
    verbose_name = "Portal"
