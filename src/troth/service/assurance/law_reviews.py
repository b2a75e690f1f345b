"""Reviews of the policy and the rule sets against the law: recording one, and whether the last one counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from troth.law import rules_digest
from troth.ledger import Entry, Hash, LedgerError, Pseudonym, Value
from troth.service.assurance.models import LawReviewRow
from troth.service.core import control_events
from troth.service.core.ledger import record
from troth.service.staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class ReviewedTexts:
    """Hashes of the rule sets and of the policy that a review compared."""

    rules: str
    policy: str

    @classmethod
    def of(cls, policy_text: str) -> ReviewedTexts:
        """Those of this release, and of the policy's text."""
        return cls(rules_digest(), Hash.of(policy_text.encode()).text)

    @property
    def hash(self) -> str:
        return Hash.of(f"{self.rules}\n{self.policy}".encode()).text


@dataclass(frozen=True, slots=True)
class LawReview:
    """A recorded review; *is_intact* if its ledger entry says the same."""

    at: dt.datetime
    texts: ReviewedTexts
    is_intact: bool


def record_review(texts: ReviewedTexts, *, by: StaffMember, actor: str, now: dt.datetime) -> None:
    """Record that *by* compared exactly these texts with the law. *actor* is ``staff``, or ``owner`` at the command
    line."""
    fields: dict[str, Value] = {
        "rules": Hash(texts.rules),
        "policy": Hash(texts.policy),
        "by": Pseudonym(by.pseudonym),
        "actor": actor,
    }
    with transaction.atomic():
        [entry] = record(Entry("law.reviewed", now, fields))
        LawReviewRow.objects.create(by=by.pseudonym, at=now, rules=texts.rules, policy=texts.policy, entry=entry)
        control_events.note("law.reviewed", now=now)


def last_review(now: dt.datetime) -> LawReview | None:
    """The latest review until *now*."""
    row = LawReviewRow.objects.filter(at__lte=now).select_related("entry").order_by("-at", "-pk").first()
    return None if row is None else LawReview(row.at, ReviewedTexts(row.rules, row.policy), _is_intact(row))


def _is_intact(row: LawReviewRow) -> bool:
    try:
        entry = Entry.decode(bytes(row.entry.content))
    except LedgerError:
        return False
    recorded = (entry.kind, *(str(entry.fields.get(name)) for name in ("by", "rules", "policy")))
    is_same_time = abs(entry.at - row.at) < dt.timedelta(seconds=1)  # entries have milliseconds
    return recorded == ("law.reviewed", row.by, row.rules, row.policy) and is_same_time
