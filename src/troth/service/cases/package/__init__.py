"""The package that a person downloads (GDPR Art. 15, 20): everything held, as pages to read and files to reuse.

`build` is pure: values in, the bytes of a ZIP out.
"""

from troth.service.cases.package.contents import Contents, Part, Shared
from troth.service.cases.package.zip import build

__all__ = ["Contents", "Part", "Shared", "build"]
