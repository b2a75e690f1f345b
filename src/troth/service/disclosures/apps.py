from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    name = "troth.service.disclosures"
    label = "disclosures"
    verbose_name = "Disclosures"
