"""Searches files for personal data: text, tables, JSON, HTML and e-mail of any size, in bounded memory.

Every character of a file is examined, or a remark says which part was not and why. A value in a field is searched
together with the field's name, so that bare digits in a column ``nino`` are recognised. A file that claims to be a
table and is not is read as text. Results never contain values of the file.
"""

from troth.detect.files.kinds import FileKind, kind_of
from troth.detect.files.quasi_identifiers import SampleRows
from troth.detect.files.results import FileFinding, PersonalField, Remark, Together
from troth.detect.files.scan import scan

__all__ = ["FileFinding", "FileKind", "PersonalField", "Remark", "SampleRows", "Together", "kind_of", "scan"]
