"""The package that a person downloads (GDPR Art. 15, 20): everything held, as pages to read and files to reuse.

`build` is pure: values in, the bytes of a ZIP out, the same ones for the same values. It raises `PackageRefused`.
"""

from troth.service.cases.package.contents import Contents, PackageRefused, Part, Shared
from troth.service.cases.package.facts import is_searchable, unsearched
from troth.service.cases.package.portable import portable
from troth.service.cases.package.zip import build

__all__ = [
    "Contents",
    "PackageRefused",
    "Part",
    "Shared",
    "build",
    "is_searchable",
    "portable",
    "unsearched",
]
