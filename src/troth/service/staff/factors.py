"""Signal handlers for added and removed second factors. `apps` imports them, so that they apply in every process."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.signals import authenticator_added
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest

from troth.service.core.keys import keyring
from troth.service.staff.models import FactorSecret
from troth.service.staff.sealed_fields import secret_context


@receiver(authenticator_added)
def proven(sender: object, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """The user has just used the new factor, after the password: this session has two."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


@receiver(post_delete, sender=Authenticator)
def gone(sender: object, instance: Authenticator, **kwargs: Any) -> None:
    """Delete a factor's secret with it."""
    FactorSecret.objects.filter(ref__in=[instance.data.get(name, "") for name in ("secret", "seed")]).delete()


def fresh_codes(user: User) -> list[str]:
    """New recovery codes for *user*, each usable once as second factor; earlier ones expire. Without an authenticator
    app, an unknown TOTP key stands in for one: recovery codes are no factor by themselves. For trial accounts."""
    kinds = Authenticator.Type
    if not Authenticator.objects.filter(user=user, type=kinds.TOTP).exists():
        Authenticator.objects.create(user=user, type=kinds.TOTP, data={"secret": _sealed(user, generate_totp_secret())})
    Authenticator.objects.filter(user=user, type=kinds.RECOVERY_CODES).delete()
    data = {"seed": _sealed(user, RecoveryCodes.generate_seed()), "used_mask": 0}
    made = Authenticator.objects.create(user=user, type=kinds.RECOVERY_CODES, data=data)
    return list(RecoveryCodes(made).generate_codes())


def _sealed(user: User, secret: str) -> str:
    """Store *secret* sealed; returns its reference."""
    ref = secrets.token_hex(16)
    sealed = keyring(settings.TROTH.home).seal(secret.encode(), secret_context(ref))
    FactorSecret.objects.create(user=user, ref=ref, sealed=sealed)
    return ref
