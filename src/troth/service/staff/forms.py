"""The forms of signing in, as allauth asks for them."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.service.keys import keyring
from troth.service.staff.attempts import begin, failed, mark_of, succeeded
from troth.service.staff.models import Member

__all__ = ["Code", "CodeAgain", "NewPassword", "SignIn"]


class SignIn(LoginForm):  # type: ignore[misc]
    """A name, which for those who were invited is their address, and a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")

    def clean_login(self) -> str:
        return str(super().clean_login()).casefold()


class _CountedCode:
    """A one-time code: attempts are counted, and what was right once is not right twice."""

    user: Any

    def clean_code(self) -> str:
        member = Member.objects.filter(user=self.user).first()
        mark = mark_of("code", str(self.user.pk))
        if not begin(mark, now=timezone.now()):
            raise get_adapter().validation_error("too_many_login_attempts")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except forms.ValidationError:
            failed(mark, now=timezone.now(), member=member)
            raise
        used = keyring(settings.TROTH.home).fingerprints("code", [f"{self.user.pk}\x1f{code}"])[0]
        mine = Member.objects.filter(user=self.user)
        if member is not None and not (mine.filter(last_code=None) | mine.exclude(last_code=used)).update(
            last_code=used
        ):
            raise forms.ValidationError(gettext("This code was used already. Wait for the next one."))
        succeeded(mark, now=timezone.now(), member=member)
        return code


class Code(_CountedCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class CodeAgain(_CountedCode, ReauthenticateForm):  # type: ignore[misc]
    """The same, before something that matters."""


class NewPassword(forms.Form):
    """The password of somebody who was invited."""

    password = forms.CharField(label=_("Password"), strip=False, max_length=1_000, widget=forms.PasswordInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self._user)
        return password
