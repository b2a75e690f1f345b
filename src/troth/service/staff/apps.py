from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "troth.service.staff"
    label = "staff"
    verbose_name = "Staff"
