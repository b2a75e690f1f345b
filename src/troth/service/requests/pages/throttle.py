"""Limits on what strangers may have us do: the same once more for one address, and forms from one network. How much is
mailed to an address is in `allowance`.

What somebody asks for is never dropped. Addresses are counted by the keyed reference of the cases that they opened, so
nothing is stored that is not there anyway. A network is
counted in the memory of this process, under a salt that is made anew every hour and never leaves it: a service with
four workers lets four times as much through, which keeps a flood small and needs no list of who came.
"""

from __future__ import annotations

import datetime as dt

from troth.service.networks import Networks
from troth.service.requests.models import Case

ADDRESS_MAX = 8
"""Cases of one address in a day, before it has proved anything, after which what is stopped is not stopped again."""
NETWORK_MAX = 60
"""Forms that one network may send in an hour, to one process."""
_DAY = dt.timedelta(days=1)


def has_asked_enough(subject: str, *, now: dt.datetime) -> bool:
    """Whether so many cases of this subject arrived within a day, from nobody knows whom, that another of what has
    been done already would be a nuisance."""
    recent = Case.objects.filter(subject=subject, tier=0, received_at__gt=now - _DAY)
    return recent.values_list("pk")[:ADDRESS_MAX].count() >= ADDRESS_MAX


networks = Networks(NETWORK_MAX)
