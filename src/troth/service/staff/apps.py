from django.apps import AppConfig


class Staff(AppConfig):
    name = "troth.service.staff"
    label = "staff"
    verbose_name = "Staff"
