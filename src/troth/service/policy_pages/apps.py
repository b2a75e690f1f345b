from django.apps import AppConfig


class PolicyPagesConfig(AppConfig):
    name = "troth.service.policy_pages"
    label = "policy_pages"
    verbose_name = "Policy pages"
