from django.apps import AppConfig


class Vault(AppConfig):
    name = "troth.service.vault"
    label = "vault"
    verbose_name = "Token vault"
