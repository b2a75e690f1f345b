"""Whether a person reads a declared mailbox: what became of the e-mails that ask for the press of a button."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

ANSWERED_DAYS_MAX = 31
"""How long an answer counts."""
SILENT_DAYS_MAX = 7
"""How long the first e-mail without an answer may wait."""


@dataclass(frozen=True, slots=True)
class MailboxCheck:
    """The mailbox at *place* of the declaration. *answered_at* is when somebody last pressed the button;
    *waiting_since* when the first e-mail was sent that nobody has answered since. *unasked* says why no e-mail was
    sent. If Troth itself *is_reader* of the mailbox, no person may see an e-mail there, and silence says nothing."""

    place: str
    answered_at: dt.datetime | None = None
    waiting_since: dt.datetime | None = None
    unasked: str = ""
    is_reader: bool = False

    @property
    def good_until(self) -> dt.datetime | None:
        """When the last answer stops to count, or the e-mail that waits for one has waited too long."""
        if self.answered_at is None:
            return None
        ends = self.answered_at + dt.timedelta(days=ANSWERED_DAYS_MAX)
        if self.waiting_since is None or self.is_reader:
            return ends
        return min(ends, self.waiting_since + dt.timedelta(days=SILENT_DAYS_MAX))

    def is_silent(self, now: dt.datetime) -> bool:
        """Whether an e-mail was sent, and nobody answered for too long."""
        since = self.waiting_since
        return since is not None and not self.is_reader and now - since > dt.timedelta(days=SILENT_DAYS_MAX)

    def why_not(self, now: dt.datetime) -> str:
        """Why it is not shown that a person reads it; empty if it is."""
        if self.good_until is not None and now <= self.good_until:
            return ""
        if self.waiting_since is None:
            return self.unasked or "no e-mail was sent yet"
        if self.is_reader:
            return "Troth reads this mailbox itself, and no person has pressed the button in its e-mail"
        return "no person has pressed the button in the e-mail yet"
