"""Which cases are confidential, for the log of what staff look at."""

from __future__ import annotations

from troth.service.cases.models import Case
from troth.service.staff.access_log import confidential

confidential(Case.objects.filter(is_confidential=True).values_list("reference", flat=True).all)
