from django.apps import AppConfig


class Record(AppConfig):
    name = "troth.service.record"
    label = "record"
    verbose_name = "Record"
