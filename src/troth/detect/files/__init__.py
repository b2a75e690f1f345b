"""Files searched for personal data: text, tables, JSON, HTML and mail, of any size, in bounded memory.

What this folder promises: every character of a file is looked at, or it is said which was not and why. Where a value
stands in a field, the field's name is read with it, so that bare digits in a column ``nino`` are known for what they
are. What pretends to be a table and is none is read as text. Nothing that it gives holds a value of the file.
"""

from troth.detect.files.kinds import FileKind, kind_of
from troth.detect.files.quasi_identifiers import SampleRows
from troth.detect.files.results import FileFinding, PersonalField, Remark, Together
from troth.detect.files.scan import scan

__all__ = ["FileFinding", "FileKind", "PersonalField", "Remark", "SampleRows", "Together", "kind_of", "scan"]
