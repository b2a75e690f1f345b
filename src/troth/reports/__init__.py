"""Reports for a regulator: the record of processing, the data map, and the purposes that need an impact assessment.

Every report follows from the declaration alone (the screening also from the date) and is deterministic. It names what
is missing and the key where it goes; nothing is guessed.

Names are imported lazily, because `base` renders pages without a declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from troth.reports.drawing import as_svg, map_style
    from troth.reports.flow_diagram import Arrow, Box, picture_data, picture_of, picture_words
    from troth.reports.impact_criteria import OpenQuestion, RiskVerdict, Screening, in_force, lists, screen
    from troth.reports.impact_screening import VERDICTS, screening_data, screening_markdown
    from troth.reports.processing_record import (
        MissingDeclaration,
        ProcessingActivity,
        ProcessingRecord,
        RecordItem,
        record_of,
    )
    from troth.reports.record_formats import as_csv, as_data, as_html, as_markdown
    from troth.reports.relations import receive

__all__ = [
    "VERDICTS",
    "Arrow",
    "Box",
    "MissingDeclaration",
    "OpenQuestion",
    "ProcessingActivity",
    "ProcessingRecord",
    "RecordItem",
    "RiskVerdict",
    "Screening",
    "as_csv",
    "as_data",
    "as_html",
    "as_markdown",
    "as_svg",
    "in_force",
    "lists",
    "map_style",
    "picture_data",
    "picture_of",
    "picture_words",
    "receive",
    "record_of",
    "screen",
    "screening_data",
    "screening_markdown",
]

__getattr__ = lazy_imports(
    __name__,
    {
        "drawing": "as_svg map_style",
        "flow_diagram": "Arrow Box picture_data picture_of picture_words",
        "impact_criteria": "OpenQuestion RiskVerdict Screening in_force lists screen",
        "impact_screening": "VERDICTS screening_data screening_markdown",
        "processing_record": "MissingDeclaration ProcessingActivity ProcessingRecord RecordItem record_of",
        "record_formats": "as_csv as_data as_html as_markdown",
        "relations": "receive",
    },
)
