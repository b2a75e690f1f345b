"""The package that a person downloads (GDPR Art. 15, 20): all their data, as a page to read and files to reuse.

`build` is pure and deterministic: values in, the bytes of a ZIP out. It raises `PackageRefused`.
"""

from troth.service.requests.package.archive import build
from troth.service.requests.package.contents import Contents, PackageRefused, Shared, TableContents
from troth.service.requests.package.facts import is_searchable, unsearched
from troth.service.requests.package.portability import portable

__all__ = ["Contents", "PackageRefused", "Shared", "TableContents", "build", "is_searchable", "portable", "unsearched"]
