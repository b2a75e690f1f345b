"""Base of public forms."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from troth.errors import TrothError
from troth.service.mail.message import Address

_TRAP = "reference-2"
"""Honeypot: name of a field that people neither see nor reach, but that programs fill in."""


class PublicForm(forms.Form):
    """Base of forms with an e-mail address. If `is_by_a_program`, the view answers as ever and does nothing."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={
            "required": gettext_lazy("Enter an e-mail address, so that we can answer you."),
            "invalid": gettext_lazy("That does not look like an e-mail address. An example: ann@example.org"),
        },
    )
    trap = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix(_TRAP if field_name == "trap" else field_name)

    def clean_email(self) -> str:
        return mailable(self.cleaned_data["email"])

    @property
    def is_by_a_program(self) -> bool:
        """True if the honeypot is filled in."""
        return bool(self.cleaned_data.get("trap"))


def mailable(address: str) -> str:
    """Normalise an address to the spelling of the mailbox that e-mails actually reach: an address with look-alike
    characters must not give its owner access to another person's data. Raises `ValidationError`."""
    local, _, domain = address.rpartition("@")
    try:
        mailed = Address.read(address).domain
        same = mailed.encode("ascii").decode("idna")
    except (TrothError, UnicodeError):
        raise ValidationError(_NOT_MAILABLE) from None
    if not local.isascii():
        raise ValidationError(_NOT_MAILABLE)
    return address if same == domain.lower() else f"{local}@{mailed}"


_NOT_MAILABLE = gettext_lazy("We cannot send letters to that address. Please give another one.")
