"""The evidence archive: what was promised, how it was kept and what shows it, in one signed file that is verified
offline.

It promises that the same data makes the same bytes, whenever and on whichever machine: every moment in it comes from
what is recorded. It holds no personal value; the checks and the ledger hold none.
"""

from troth.service.assurance.evidence.export import Exported, export_evidence
from troth.service.assurance.evidence.gather import ArchiveScope
from troth.service.assurance.promise_status import NoSuchPromise

__all__ = ["ArchiveScope", "Exported", "NoSuchPromise", "export_evidence"]
