from django.apps import AppConfig


class Disclosure(AppConfig):
    name = "troth.service.disclosure"
    label = "disclosure"
    verbose_name = "Disclosures"
