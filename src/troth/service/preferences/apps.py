from django.apps import AppConfig


class PreferencesConfig(AppConfig):
    name = "troth.service.preferences"
    label = "preferences"
    verbose_name = "Preferences"
