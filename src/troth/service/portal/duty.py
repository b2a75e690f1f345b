"""The base of public pages. Duties register the kinds of links that they mail."""

from __future__ import annotations

from troth.service.duty import Duty

DUTY = Duty(
    jobs=("troth.service.portal.jobs",),
    tables="own_tables.yaml",
    urls=(("your-data/", "troth.service.portal.urls"),),
    paths=("/your-data",),
)
