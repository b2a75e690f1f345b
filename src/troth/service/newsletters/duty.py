"""Newsletters."""

from __future__ import annotations

import datetime as dt

from troth.ledger.fields import Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import CentreLink, ConsolePage, ControlInput, Duty, InboxTaker, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import DAY, line, link
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_WEEK = dt.timedelta(days=7)
CONFIRM_LINK = LinkKind("newsletters.confirm", opens="troth.service.newsletters.pages:confirm", lasts=_WEEK)
MAIL_ASK = ApiScope(
    "mail.ask",
    _("Ask whether an e-mail may be sent, and get the link by which its reader stops it"),
    reaches_personal=True,  # anybody who has the link can stop in the person's name
)

LIFTING_REASONS = ("mailbox_works", "report_wrong", "address_given_again")
"""Why staff lift what reports about undeliverable messages stopped."""

NEWSLETTERS_SEND = StaffRight("newsletters.send", _("Write and send newsletters"))
NEWSLETTERS_APPROVE = StaffRight("newsletters.approve", _("Approve newsletters of other people"), roles=("approver",))
NEWSLETTERS_READ = ApiScope("newsletters.read", _("See newsletters, and how editions stand"))
NEWSLETTERS_SIGNUP = ApiScope("newsletters.signup", _("Sign people up for newsletters"), reaches_personal=True)
NEWSLETTERS_WRITE = ApiScope("newsletters.write", _("Plan and send editions of newsletters"), reaches_personal=True)
STOPS_WRITE = ApiScope("stops.write", _("Record that somebody wants no more marketing"), reaches_personal=True)

DUTY = Duty(
    entries={
        # approved by a second member of staff, who did not plan it
        "edition.approved": EntryKind(
            {"edition": Of(Pseudonym), "plan": Of(Hash), "by": Of(Pseudonym), "actor": ACTOR}
        ),
        # staff ended what undeliverable messages had stopped, and nothing that the person had
        "suppression.lifted": EntryKind(
            {
                "subject": Of(Pseudonym),
                "rows": Whole(1),
                "reason": OneOf(LIFTING_REASONS),
                "by": Of(Pseudonym),
                "actor": ACTOR,
            }
        ),
    },
    entry_titles={
        "edition.started": _("An edition of a newsletter began to go out"),
        "edition.changed": _("An edition of a newsletter was paused, resumed or cancelled"),
        "edition.finished": _("An edition of a newsletter has ended"),
        "edition.approved": _("A second person approved an edition of a newsletter"),
        "suppression.lifted": _("Staff lifted the stop of an address that had counted as undeliverable"),
    },
    controls="troth.service.newsletters.controls",
    rehearsal="troth.service.newsletters.rehearsal",
    inputs={
        "editions": ControlInput(
            "the editions of the last 90 days, and what went to people who had stopped them",
            "troth.service.newsletters.controls:editions",
        ),
        "preflight_records": ControlInput(
            "what preflight said of newsletters of the last 90 days, and samples of each, made now: Callable",
            "troth.service.newsletters.editions.preflight:preflight_records",
        ),
        "mail_dns": ControlInput("DNS as this machine sees it", "troth.service.newsletters.editions.preflight:dns"),
        "addressed_mail": ControlInput(
            "whom newsletters of the last 90 days went to, and what shows that they may: Callable",
            "troth.service.newsletters.editions.purpose:addressed_mail",
        ),
        "tracking": ControlInput(
            "messages of 90 days that count how they are read, and editions made out to people who did not allow that",
            "troth.service.newsletters.statistics.controls:tracking",
        ),
        "opt_outs": ControlInput(
            "how canaries fared who stop each newsletter in the promised ways, and how often probers tried",
            "troth.service.newsletters.reachability.controls:opt_outs",
        ),
    },
    inbox=(InboxTaker("stop of a canary", "troth.service.newsletters.reachability.canaries:take_own", 310),),
    after={"choice.changed": ("mail.optout_effective", "mail.tracking_consented")},
    editions={"newsletter": "troth.service.newsletters.editions.kind:EDITIONS"},
    messages={
        "newsletter_confirm": MessageKind({"title": line, "link": link}, lasts=_WEEK, is_owed=False),
        "newsletter_tracking": MessageKind({"link": link}, lasts=_WEEK, is_owed=False),
        "newsletter_test": MessageKind({"subject": line}, lasts=DAY, to_person=False, is_owed=False),
        "stop_canary": MessageKind({}, lasts=DAY, to_person=False, is_owed=False),
    },
    links=(CONFIRM_LINK,),
    jobs=("troth.service.newsletters.jobs",),
    sealed="troth.service.newsletters.sealed_fields:SEALED",
    tables="own_tables.yaml",
    centre=(
        CentreLink(
            "newsletters-by-address", _("Stop e-mails"), _("Newsletters and other marketing, without signing in"), 200
        ),
    ),
    rights=(NEWSLETTERS_SEND, NEWSLETTERS_APPROVE),
    scopes=(MAIL_ASK, NEWSLETTERS_READ, NEWSLETTERS_SIGNUP, NEWSLETTERS_WRITE, STOPS_WRITE),
    api="troth.service.newsletters.api:router",
    console=(
        ConsolePage(
            "newsletters",
            _("Newsletters"),
            (NEWSLETTERS_SEND, NEWSLETTERS_APPROVE),
            _("Editions: write, approve and send them, and see how they stand."),
            place=52,
            group=_("E-mail"),
        ),
        ConsolePage(
            "stops",
            _("Stops"),
            (StaffRight.CASES_HANDLE,),
            _("Record that somebody wants no more marketing."),
            place=53,
            group=_("E-mail"),
        ),
        ConsolePage(
            "reports",
            _("Unsure reports"),
            (StaffRight.CASES_HANDLE,),
            _("Decide about what came back to newsletters and could not be read for certain."),
            place=54,
            group=_("E-mail"),
        ),
    ),
    console_figures="troth.service.newsletters.console.editions:figures",
    urls=(("", "troth.service.newsletters.urls"),),
)
