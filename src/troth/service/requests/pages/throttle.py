"""Rate limits for strangers: repeated stops for one address, and forms from one network. For e-mails see
`intake.mail_allowance`.

Requests are never dropped. Addresses are counted by the keyed reference of their cases, so that nothing extra is
stored. Networks are counted in the memory of this process, under a salt that is renewed every hour and never leaves it.
With four workers the limit is four times as high, which is still low, and needs no list of visitors.
"""

from __future__ import annotations

import datetime as dt

from troth.service.networks import Networks
from troth.service.requests.models import Case

ADDRESS_MAX = 8
"""Unverified cases of one address per day after which an already stopped use is not stopped again."""
NETWORK_MAX = 60
"""Maximum number of forms from one network per hour and process."""
_DAY = dt.timedelta(days=1)


def has_asked_enough(subject: str, *, now: dt.datetime) -> bool:
    """True if this subject has so many unverified cases within a day that repeating an action already done would be a
    nuisance."""
    recent = Case.objects.filter(subject=subject, tier=0, received_at__gt=now - _DAY)
    return recent.values_list("pk")[:ADDRESS_MAX].count() >= ADDRESS_MAX


networks = Networks(NETWORK_MAX)
