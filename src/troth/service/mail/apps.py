from django.apps import AppConfig


class Mail(AppConfig):
    name = "troth.service.mail"
    label = "mail"
    verbose_name = "Mail"
