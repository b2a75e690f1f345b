"""Published test vectors, run against our own primitives: ``python -m troth.testing.vectors FILE…``.

It reads two formats, and contains no vectors itself: Wycheproof (both generations of its schemas), and the Merkle test
data of transparency-dev. `run_file` promises that
- a test marked ``valid`` passes if every direction gives exactly the result in the file, ``invalid`` if it is refused,
  and ``acceptable`` in both cases;
- a valid test that is refused is skipped only for a named reason, and fails otherwise;
- a hostile file can only cause `VectorsUnreadable`.
"""

from troth.testing.vectors.reading import VectorsUnreadable
from troth.testing.vectors.run import Failure, VectorReport, run_file

__all__ = ["Failure", "VectorReport", "VectorsUnreadable", "run_file"]
