"""Screening results as Markdown and data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from troth.json_values import json_fields
from troth.reports.impact_criteria import Met, RiskVerdict, Screening
from troth.reports.labels import words
from troth.reports.record_formats import plain

VERDICTS: Mapping[RiskVerdict, str] = {verdict: words("verdicts")[verdict] for verdict in RiskVerdict}
"""Each result in a sentence."""


def screening_data(screened: Iterable[Screening]) -> list[dict[str, Any]]:
    """The screened purposes as JSON values."""
    return [
        {
            **json_fields(one, "purpose", "title", "role", "verdict"),
            "assessment": json_fields(one.assessment, "file", "on") if one.assessment else None,
            "due": one.is_due,
            "met": [_met(met) for met in one.met],
            "not_stated": [question.path for question in one.questions],
        }
        for one in screened
    ]


def _met(met: Met) -> dict[str, str]:
    return {"criterion": met.criterion.id, "what": met.criterion.what, "cite": met.criterion.cite, "because": met.why}


def screening_markdown(screened: Iterable[Screening]) -> str:
    """A section per purpose: the verdict, the criteria met, and the facts not stated."""
    return "\n".join(_markdown(tuple(screened))) + "\n"


def _markdown(screened: tuple[Screening, ...]) -> Iterator[str]:
    yield "# Which purposes need an impact assessment (GDPR Art. 35)\n"
    yield "A screening by lists of criteria, from the declaration. It is no assessment, and no legal advice."
    if screened and all(one.verdict is RiskVerdict.NO_LIST for one in screened):
        yield f"\n{VERDICTS[RiskVerdict.NO_LIST]}"
        return
    for one in screened:
        yield f"\n## {plain(one.title)}\n\n{VERDICTS[one.verdict]} {_declared(one)}"
        if one.role == "processor":
            yield "It is the controller's to make; as a processor we help (Art. 28(3)(f))."
        yield from (
            f"{'' if at else chr(10)}- {met.criterion.what}: {plain(met.why)} ({met.criterion.cite})"
            for at, met in enumerate(one.met)
        )
        if one.questions:
            yield f"\nNot stated: {', '.join(f'`{question.path}`' for question in one.questions)}"


def _declared(screening: Screening) -> str:
    if screening.assessment:
        return f"The declaration names one: {plain(screening.assessment.file)}, of {screening.assessment.on:%Y-%m-%d}."
    return f"None is declared; add `purposes.{screening.purpose}.risk.assessment`." if screening.is_due else ""
