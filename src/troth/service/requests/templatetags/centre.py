"""What the templates of the privacy centre need besides."""

from __future__ import annotations

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from troth.service.requests.pages.form_token import FIELD, token_for

register = template.Library()


@register.simple_tag(takes_context=True)
def form_token(context: Context, name: str = "") -> SafeString:
    """The hidden field of a form that is sent to the page called *name*, or to the address of its own page."""
    request = context["request"]
    path = reverse(name) if name else request.path
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, token_for(request, path))
