"""Subjects: the data of one person across all stores.

`locate` finds every row of the given identities. `plan_view`, `plan_amendment` and `plan_erasure` are pure and decide
what is shown and done. `carry_out` executes an approved plan exactly once, and proves it by a rescan and a receipt.

    map_ = rows.map_data(declaration, {name: store.describe() for name, store in stores.items()})
    located = locate(map_, stores, [Identity.of(email="ann@example.org")], purpose="erase")
    plan = plan_erasure(declaration, located, now=now)
    receipts = carry_out(plan, stores, approved=plan_hash(plan, keyring), …)
"""

from troth.subjects import controls as _controls  # noqa: F401 - registers them
from troth.subjects.amend import AmendmentPlan, becoming, plan_amendment
from troth.subjects.check import access, check, slow_ways
from troth.subjects.evidence import Fed, RecipientEvidence, evidence, feed_misfits
from troth.subjects.flag_columns import Flagged, flags, marked_for, plan_marks, unmarked
from troth.subjects.free_text_scan import DeepFinding, deep_scan
from troth.subjects.grounds import ground
from troth.subjects.identity import CANARY_HOST, Identity, IdentityRefused, is_canary
from troth.subjects.journal import SubjectJournal
from troth.subjects.locate import Located, LocateRefused, locate
from troth.subjects.operations import Gone, ReceiptLine, preview, references, references_of
from troth.subjects.operations_codec import plan_hash
from troth.subjects.orphans import orphans
from troth.subjects.plan import (
    ErasurePlan,
    HoldScope,
    KeptRows,
    Review,
    RowChange,
    plan_erasure,
    refuse_untrue,
    reviews,
)
from troth.subjects.receipt import Receipt
from troth.subjects.run import NotApproved, RunFailed, carry_out, resume
from troth.subjects.treatment import IN_ROWS_OF_OTHERS, treatments
from troth.subjects.view import WITHHELD, View, ViewTable, plan_view

__all__ = [
    "CANARY_HOST",
    "IN_ROWS_OF_OTHERS",
    "WITHHELD",
    "AmendmentPlan",
    "DeepFinding",
    "ErasurePlan",
    "Fed",
    "Flagged",
    "Gone",
    "HoldScope",
    "Identity",
    "IdentityRefused",
    "KeptRows",
    "LocateRefused",
    "Located",
    "NotApproved",
    "Receipt",
    "ReceiptLine",
    "RecipientEvidence",
    "Review",
    "RowChange",
    "RunFailed",
    "SubjectJournal",
    "View",
    "ViewTable",
    "access",
    "becoming",
    "carry_out",
    "check",
    "deep_scan",
    "evidence",
    "feed_misfits",
    "flags",
    "ground",
    "is_canary",
    "locate",
    "marked_for",
    "orphans",
    "plan_amendment",
    "plan_erasure",
    "plan_hash",
    "plan_marks",
    "plan_view",
    "preview",
    "references",
    "references_of",
    "refuse_untrue",
    "resume",
    "reviews",
    "slow_ways",
    "treatments",
    "unmarked",
]
