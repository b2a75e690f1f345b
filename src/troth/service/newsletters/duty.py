"""Newsletters."""

from __future__ import annotations

from troth.service.duty import Duty
from troth.service.duty import marked as _

DUTY = Duty(
    entry_titles={
        "edition.started": _("A newsletter began to go out"),
        "edition.changed": _("A newsletter was paused, resumed or cancelled"),
        "edition.finished": _("A newsletter has gone to everybody who gets it"),
    },
    editions={"newsletter": "troth.service.newsletters.editions.kind:EDITIONS"},
    urls=(("your-data/", "troth.service.newsletters.urls"),),
    commands={"newsletter": ("troth.cli.newsletter", "Send an edition of a newsletter, and see how it stands.")},
)
