"""Confirm by POST: a page with a button, which acts. Fetching the page changes nothing.

Mail scanners, previews and prefetching browsers fetch what a link leads to, and none of them presses a button.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase

from troth.service.core.deployment import Deployment
from troth.service.portal.base import View, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a page asks before it acts, in the visitor's language."""

    title: str
    """Title of the window."""
    heading: str
    button: str
    lead: str = ""
    text: Sequence[str] = ()
    """Paragraphs, escaped unless they are safe strings."""
    refusal: str = ""
    """A second button, which submits ``no``."""
    way_back: tuple[str, str] | None = None
    """URL name and text of a link that leaves everything as it is."""
    note: str = ""


def confirmed(ask: Callable[..., Confirmation]) -> Callable[[Callable[..., HttpResponseBase]], View]:
    """Decorator for a view that acts. It is called for POST alone; GET shows the page that *ask* describes. Both take
    what a `public_page` takes. *ask* must not change anything."""

    def decorate(act: Callable[..., HttpResponseBase]) -> View:
        @functools.wraps(act)
        def guarded(request: HttpRequest, deployment: Deployment, *given: object, **named: object) -> HttpResponseBase:
            if request.method == "POST":
                return act(request, deployment, *given, **named)
            asked = ask(request, deployment, *given, **named)
            return shown(request, deployment, "portal/confirm.html", {"asked": asked})

        guarded.is_confirmed = True  # type: ignore[attr-defined]
        return guarded

    return decorate
