"""The API: tokens of programs, and webhooks."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf
from troth.ledger.kinds import EntryKind
from troth.ledger.values import DeclaredName, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import ConsolePage, Duty
from troth.service.duty import marked as _
from troth.service.staff.rights import StaffRight

_ENTRIES: Mapping[str, EntryKind] = {
    "token.changed": EntryKind(
        {"token": Of(DeclaredName), "change": OneOf(("made", "ended"))}, {"until": Day(), "by": Of(Pseudonym)}
    ),
}

API_MANAGE = StaffRight(
    "api.manage", _("Make and end API tokens"), roles=("administrator",), not_with=(StaffRight.OFFICER,)
)
METRICS_READ = ApiScope("metrics.read", _("Read figures about the service, for monitoring"))

DUTY = Duty(
    entries=_ENTRIES,
    rights=(API_MANAGE,),
    scopes=(METRICS_READ,),
    jobs=("troth.service.api.jobs",),
    tables="own_tables.yaml",
    urls=(("", "troth.service.api.urls"),),
    paths=("/api/v1", "/metrics"),
    console=(
        ConsolePage(
            "tokens",
            _("API tokens"),
            (API_MANAGE,),
            _("Programs with access to the API."),
            place=120,
            group=_("Operation"),
        ),
    ),
)
