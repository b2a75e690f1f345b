"""Published test vectors, run against our own primitives: ``python -m troth.testing.vectors FILE…``.

Two formats are read, and no vector stands here: that of Wycheproof (both generations of its schemas), and the Merkle
test data of transparency-dev. `run_file` promises that
- a test which says ``valid`` passes when every direction gives exactly what the file says, ``invalid`` when it is
  refused, and ``acceptable`` either way;
- a valid test that is refused is skipped only for a reason that is named, and fails otherwise;
- no file, however hostile, does more than raise `VectorsUnreadable`.
"""

from troth.testing.vectors.reading import VectorsUnreadable
from troth.testing.vectors.run import Failure, VectorReport, run_file

__all__ = ["Failure", "VectorReport", "VectorsUnreadable", "run_file"]
