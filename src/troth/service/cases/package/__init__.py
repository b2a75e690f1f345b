"""The package that a person downloads (GDPR Art. 15, 20): everything held, as pages to read and files to reuse.

`build` is pure: values in, the bytes of a ZIP out, the same ones for the same values. `read_package` is for whoever
takes such a package over: it verifies everything and gives the rows back with their types, or raises `PackageRefused`.
"""

from troth.service.cases.package.contents import Contents, PackageRefused, Part, Shared, Unpacked
from troth.service.cases.package.facts import is_searchable, unsearched
from troth.service.cases.package.portable import portable
from troth.service.cases.package.reading import read_package
from troth.service.cases.package.zip import build

__all__ = [
    "Contents",
    "PackageRefused",
    "Part",
    "Shared",
    "Unpacked",
    "build",
    "is_searchable",
    "portable",
    "read_package",
    "unsearched",
]
