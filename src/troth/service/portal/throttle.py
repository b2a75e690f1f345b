"""Rate limit of public forms, by the network that they come from.

Networks are counted in the memory of this process, under a salt that is renewed every hour and never leaves it. With
four workers the limit is four times as high, which is still low, and needs no list of visitors.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from troth.service.core.deployment import Deployment
from troth.service.networks import Networks, prefix_of
from troth.service.portal.base import shown

NETWORK_MAX = 60
"""Maximum number of forms from one network per hour and process."""
networks = Networks(NETWORK_MAX)


def too_many(request: HttpRequest, deployment: Deployment) -> HttpResponse | None:
    """Count a form; the response for a network that sends too many, None for others."""
    if not networks.is_over(prefix_of(request.META), now=timezone.now()):
        return None
    response = shown(request, deployment, "portal/limited.html", {}, status=429)
    response.headers["Retry-After"] = "3600"
    return response
