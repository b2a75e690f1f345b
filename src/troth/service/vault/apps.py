from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "troth.service.vault"
    label = "vault"
    verbose_name = "Token vault"
