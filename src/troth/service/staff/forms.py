"""Sign-in forms for allauth, and forms of the staff pages."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.service.staff.attempts import begin, failed, mark_of, succeeded
from troth.service.staff.console.lists import FilterForm
from troth.service.staff.models import StaffMember
from troth.service.staff.rights import StaffRole, right_title, rights, role_title


def _roles() -> list[tuple[str, str]]:
    return [(role.value, role_title(role)) for role in StaffRole]


class MemberFilterForm(FilterForm):
    """Filter of the list of members."""

    role = forms.ChoiceField(
        choices=lambda: [("", _("All")), *_roles()],
        required=False,
        label=_("Role"),
    )
    state = forms.ChoiceField(
        choices=[("", _("All")), ("open", _("Open")), ("left", _("Closed"))], required=False, label=_("Account")
    )


class SignIn(LoginForm):  # type: ignore[misc]
    """Name (the address of invited members) and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")

    def clean_login(self) -> str:
        return str(super().clean_login()).casefold()


class _CountedCode:
    """A one-time code: attempts are counted, and a code works once."""

    user: Any
    authenticator: Any

    def clean_code(self) -> str:
        member = StaffMember.objects.filter(user=self.user).first()
        mark = mark_of("code", str(self.user.pk))
        if not begin(mark, now=timezone.now()):
            raise get_adapter().validation_error("too_many_login_attempts")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except forms.ValidationError:
            failed(mark, now=timezone.now(), member=member)
            raise
        if member is not None and self.authenticator.type == Authenticator.Type.TOTP:
            self._use(member, code)
        succeeded(mark, now=timezone.now(), member=member)
        return code

    def _use(self, member: StaffMember, code: str) -> None:
        """Codes must increase: a code seen by somebody is of no use to them."""
        secret = decrypt(self.authenticator.data["secret"])
        steps = yield_hotp_counters_from_time()
        step = max((step for step in steps if format_hotp_value(hotp_value(secret, step)) == code.strip()), default=0)
        fresh = Q(last_step__isnull=True) | Q(last_step__lt=step)
        if not StaffMember.objects.filter(fresh, pk=member.pk).update(last_step=step):
            raise forms.ValidationError(gettext("This code was used already. Wait for the next one."))


class Code(_CountedCode, AuthenticateForm):  # type: ignore[misc]
    """Second step of signing in."""


class CodeAgain(_CountedCode, ReauthenticateForm):  # type: ignore[misc]
    """The same before sensitive actions."""


class NewPassword(forms.Form):
    """New password of an invited member."""

    password = forms.CharField(label=_("Password"), strip=False, max_length=1_000, widget=forms.PasswordInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self._user)
        return password


def _whats() -> list[tuple[str, Any]]:
    return [
        (gettext("Roles"), _roles()),
        (gettext("Single rights"), [(str(right), right_title(right)) for right in rights()]),
    ]


class _Until(forms.Form):
    """End and reason, required for every grant."""

    until = forms.DateField(
        label=_("Valid until (inclusive)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("At most a year from now. Left empty: half a year."),
    )
    reason = forms.CharField(
        label=_("Why it is needed"),
        max_length=500,
        help_text=_("For the person who reviews it. Describe the work, without anybody’s data."),
    )


class Giving(_Until):
    """A grant to a member."""

    what = forms.ChoiceField(label=_("What"), choices=_whats)
    field_order = ("what", "until", "reason")


class Inviting(_Until):
    """A new member."""

    email = forms.EmailField(label=_("E-mail address"), max_length=150)
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=_roles,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    field_order = ("email", "roles", "until", "reason")


class Telling(forms.Form):
    """A confidential text for the officer."""

    text = forms.CharField(label=_("Your message"), max_length=20_000, widget=forms.Textarea)
