"""The evidence archive: the promises, how they were kept and the proof, in one signed file that is verified offline.

The same data gives the same bytes, at any time and on any machine: every time in it comes from the records. It holds no
personal value; neither do the checks and the ledger.
"""

from troth.service.assurance.evaluation import NoSuchPromise
from troth.service.assurance.evidence.export import Exported, export_evidence
from troth.service.assurance.evidence.gather import ArchiveScope

__all__ = ["ArchiveScope", "Exported", "NoSuchPromise", "export_evidence"]
