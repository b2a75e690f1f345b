"""Newsletters."""

from __future__ import annotations

import datetime as dt

from troth.service.api.scopes import ApiScope
from troth.service.duty import CentreLink, ControlInput, Duty, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import line, link
from troth.service.mail.message_kinds import MessageKind

_WEEK = dt.timedelta(days=7)
CONFIRM_LINK = LinkKind("newsletters.confirm", opens="troth.service.newsletters.pages:confirm", lasts=_WEEK)
MAIL_ASK = ApiScope(
    "mail.ask",
    _("Ask whether an e-mail may be sent, and get the link by which its reader stops it"),
    reaches_personal=True,  # whoever has the link can stop in the person's name
)

DUTY = Duty(
    entry_titles={
        "edition.started": _("An edition of a newsletter began to go out"),
        "edition.changed": _("An edition of a newsletter was paused, resumed or cancelled"),
        "edition.finished": _("An edition of a newsletter has ended"),
    },
    controls="troth.service.newsletters.controls",
    rehearsal="troth.service.newsletters.rehearsal",
    inputs={
        "editions": ControlInput(
            "the editions of the last 90 days, and what went to people who had stopped them",
            "troth.service.newsletters.controls:editions",
        )
    },
    after={"choice.changed": ("mail.optout_effective",)},
    editions={"newsletter": "troth.service.newsletters.editions.kind:EDITIONS"},
    messages={"newsletter_confirm": MessageKind({"title": line, "link": link}, lasts=_WEEK, is_owed=False)},
    links=(CONFIRM_LINK,),
    scopes=(MAIL_ASK,),
    api="troth.service.newsletters.may_send:router",
    jobs=("troth.service.newsletters.jobs",),
    sealed="troth.service.newsletters.sealed_fields:SEALED",
    tables="own_tables.yaml",
    centre=(
        CentreLink(
            "newsletters-by-address", _("Stop e-mails"), _("Newsletters and other marketing, without signing in"), 200
        ),
    ),
    urls=(("your-data/", "troth.service.newsletters.urls"),),
)
