"""Tags and filters of the console's templates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.conf import settings

from troth.service.staff.base import ConsoleLink, grouped, pages_for
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.rights import right_title, role_title

register = template.Library()
register.filter("right_title", right_title)
register.filter("role_title", role_title)


@register.simple_tag(takes_context=True)
def console_groups(context: dict[str, Any]) -> Mapping[str, Sequence[ConsoleLink]]:
    """Console pages that the reader may open, as the navigation shows them."""
    return grouped(pages_for(standing_of(context["request"])))


@register.simple_tag
def company_logins() -> list[str]:
    """Ids of the company's logins."""
    return [str(login["provider_id"]) for login in settings.TROTH.company_login]


@register.filter
def passkey_options(given: dict[str, Any]) -> str:
    """Options for the script that creates or uses a passkey."""
    return json.dumps(given.get("creation_options") or given.get("request_options"))


@register.filter
def lookup(values: dict[Any, Any], key: Any) -> Any:
    """``values[key]``, or None."""
    return values.get(key)
