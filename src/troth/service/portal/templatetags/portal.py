"""Template tags of public pages."""

from __future__ import annotations

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from troth.service.portal.form_token import FIELD, token_for

register = template.Library()


@register.simple_tag(takes_context=True)
def form_token(context: Context, name: str = "") -> SafeString:
    """Hidden field with the token of a form that is submitted to the URL *name*, or to its own page."""
    request = context["request"]
    path = reverse(name) if name else request.path
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, token_for(request, path))
