"""What follows when a second factor comes or goes. `apps` imports it, so that it holds in every process."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.contrib.auth.models import User
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest

from troth.service.staff.models import Secret

__all__ = ["gone", "proven"]


@receiver(authenticator_added)
def proven(sender: object, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Whoever adds a factor has just used it, after their password: this session has two."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


@receiver(post_delete, sender=Authenticator)
def gone(sender: object, instance: Authenticator, **kwargs: Any) -> None:
    """A factor's secret goes with it."""
    Secret.objects.filter(ref__in=[instance.data.get(name, "") for name in ("secret", "seed")]).delete()
