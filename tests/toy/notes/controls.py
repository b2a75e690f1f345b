from __future__ import annotations

import datetime as dt

from notes.models import Note
from troth.controls import ControlFinding, ControlResult, Evidence, answers


def unsent(context: object, now: dt.datetime) -> int:
    return Note.objects.filter(sent_at=None).count()


@answers("notes.sent")
def notes_sent(unsent: int) -> ControlResult:
    looked = frozenset({"notes"})
    findings = [ControlFinding("notes", f"{unsent} were not sent", "send them")] if unsent else []
    evidence = Evidence(looked, looked, population=1, tested=1)
    return ControlResult.of(f"{unsent} notes were not sent.", evidence=evidence, findings=findings)
