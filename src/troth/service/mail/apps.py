from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "troth.service.mail"
    label = "mail"
    verbose_name = "Mail"
