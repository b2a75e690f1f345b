"""Notes that programs leave for people."""

from __future__ import annotations

from troth.ledger.fields import Of, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import CentreLink, ConsolePage, ControlInput, Duty, InboxTaker, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import link, prose
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

NOTES_SEE = StaffRight("notes.see", _("See notes"), roles=("auditor",))
NOTES_WRITE = ApiScope("notes.write", _("Leave notes"))
NOTE_LINK = LinkKind("notes.seen", "notes.pages:open_note")

DUTY = Duty(
    entries={"note.left": EntryKind({"note": Of(Pseudonym), "length": Whole()})},
    entry_titles={"note.left": _("A note was left")},
    messages={"note": MessageKind({"text": prose, "link": link})},
    controls="notes.controls",
    inputs={"unsent": ControlInput("notes that were not sent: int", "notes.controls:unsent")},
    after={"note.left": ("notes.sent",)},
    rights=(NOTES_SEE,),
    scopes=(NOTES_WRITE,),
    webhooks={"note.left": _("A note was left")},
    jobs=("notes.jobs",),
    sealed="notes.sealed_fields:SEALED",
    tables="own_tables.yaml",
    urls=(("notes/", "notes.urls"),),
    paths=("/notes",),
    api="notes.api:router",
    console=(ConsolePage("notes-console", _("Notes"), (NOTES_SEE,), _("What was left.")),),
    console_figures="notes.console:figures",
    links=(NOTE_LINK,),
    centre=(CentreLink("notes", _("Notes"), _("What programs left for you")),),
    inbox=(InboxTaker("notes", "notes.actions:take_in", 200),),
    before_checks="notes.actions:before_checks",
    evidence=("note.",),
    evidence_files="notes.actions:evidence_files",
    metrics="notes.metrics:figures",
    sections={"notes": "notes.section:Notes"},
    settings={"TROTH_NOTES_GREETING": str.strip},
    commands={"notes": ("notes.cli", "Count the notes.")},
    at_start=("notes.started",),
)
