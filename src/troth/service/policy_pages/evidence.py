"""Published versions of the policy, in an archive of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from troth.service.assurance.evidence.export import ENDINGS, moment, pretty
from troth.service.assurance.evidence.gather import Gathered
from troth.service.policy_pages.models import PublishedRow


def files(gathered: Gathered) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Every published version as it was published, and a list of them."""
    rows = list(PublishedRow.objects.filter(entry__leaf__lt=gathered.signed.size).order_by("number"))
    for row in rows:
        yield f"policy/versions/{row.number}.{ENDINGS.get(row.kind, 'txt')}", [row.source.encode()]
    versions = [
        {
            "number": row.number,
            "effective": row.effective.isoformat(),
            "published": moment(row.at),
            "sha256": row.digest,
            "to_the_one_before": row.verdict,
            "weaker_clauses": row.weaker,
        }
        for row in rows
    ]
    yield "policy/versions.json", [pretty(versions)]
