"""allauth adapters: no sign-up, no e-mail, sealed secrets, attempts counted by us."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.service.core.deployment import NoDeployment, current
from troth.service.core.keys import keyring
from troth.service.networks import prefix_of
from troth.service.pages import error_page
from troth.service.staff.actions import leave
from troth.service.staff.attempts import begin, failed, mark_of, networks, succeeded
from troth.service.staff.effective_rights import person_of
from troth.service.staff.models import FactorSecret, StaffMember
from troth.service.staff.rules import is_inactive
from troth.service.staff.sealed_fields import secret_context


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Passwords and sessions."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("The address or the password is wrong. Check both and try again."),
        "too_many_login_attempts": _("Too many attempts. Wait for half an hour, or use a passkey."),
        "too_many_from_network": _("Too many wrong passwords from your network. Wait for an hour, or use a passkey."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Sends nothing: only the mail package sends e-mail."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Sends nothing."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return ""  # IP addresses are neither used nor stored

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if networks.is_over(prefix_of(request.META), now=timezone.now()):
            raise self.validation_error("too_many_from_network")
        self._tried = mark_of("password", str(credentials.get("username") or ""))
        if not begin(self._tried, now=timezone.now()):
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        name = str(credentials.get("username") or "").strip().casefold()
        failed(self._tried, now=timezone.now(), member=StaffMember.objects.filter(user__username=name).first())

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user = super().authenticate(request, **credentials)
        if user is not None:
            networks.forgive(prefix_of(request.META), now=timezone.now())
            succeeded(self._tried, now=timezone.now(), member=StaffMember.objects.filter(user_id=user.pk).first())
        return user  # type: ignore[no-any-return]

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        member = StaffMember.objects.select_related("user").filter(user=user).first()
        if member is not None and is_inactive(person_of(member), now=timezone.now()):
            leave(member, now=timezone.now(), why="inactive")
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)  # type: ignore[no-any-return]

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        text = gettext("This account was closed. Somebody who manages staff can invite you again.")
        return error_page(request, 403, gettext("This account is closed"), text)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors, with sealed secrets."""

    def encrypt(self, text: str) -> str:
        ref = secrets.token_hex(16)
        sealed = keyring(settings.TROTH.home).seal(text.encode(), secret_context(ref))
        FactorSecret.objects.create(user_id=context.request.user.pk, ref=ref, sealed=sealed)
        return ref

    def decrypt(self, encrypted_text: str) -> str:
        row = FactorSecret.objects.get(ref=encrypted_text)
        return keyring(settings.TROTH.home).unseal(bytes(row.sealed), secret_context(row.ref)).decode()

    def get_totp_issuer(self) -> str:
        return f"Troth {self._get_site_name()}".strip()

    def _get_site_name(self) -> str:
        try:
            return current().declaration.organisation.name
        except NoDeployment:
            return ""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Sends nothing."""


class CompanyLoginAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The company's login: for invited people, by an address that the company marks as verified."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.is_existing:
            return
        verified = {address.email.strip().casefold() for address in sociallogin.email_addresses if address.verified}
        user = User.objects.filter(username__in=verified, is_active=True, member__left_at__isnull=True).first()
        if user is None:
            text = gettext("You have not been invited, or your login does not confirm your e-mail address.")
            raise ImmediateHttpResponse(error_page(request, 403, gettext("You cannot sign in this way"), text))
        sociallogin.connect(request, user)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Sends nothing."""
