"""Words for the console's templates."""

from __future__ import annotations

from typing import Any

from django import template

from troth.service.staff.frame import Page, pages_for
from troth.service.staff.rights import right_title, role_title
from troth.service.staff.standing import standing_of

register = template.Library()
register.filter("right_title", right_title)
register.filter("role_title", role_title)


@register.simple_tag(takes_context=True)
def console_pages(context: dict[str, Any]) -> list[Page]:
    """The pages of the console that the reader may open."""
    return list(pages_for(standing_of(context["request"])))
