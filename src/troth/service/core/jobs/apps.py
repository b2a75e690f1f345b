from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "troth.service.core.jobs"
    label = "jobs"
    verbose_name = "Jobs"
