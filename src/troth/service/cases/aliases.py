"""Aliases of cases: one person may ask by e-mail address today, and by address and account tomorrow.

Two cases are about the same person if they share an alias. Aliases are keyed references, not identifiers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Q

from troth.service.cases.content import CaseContent
from troth.service.cases.models import CaseAlias
from troth.service.core.deployment import Deployment
from troth.subjects import Identity, references


def each_alone(content: CaseContent, deployment: Deployment) -> list[str]:
    """One keyed reference per identifier, if the request has several; else none."""
    identity = content.identity
    if identity is None or len(identity.identifiers) < 2:
        return []
    alone = [Identity((one,)) for one in identity.identifiers]
    return list(dict.fromkeys(str(name) for name in references(alone, deployment.keyring)))


def about(names: Collection[str]) -> Q:
    """Condition that selects cases with one of the aliases *names*."""
    return Q(subject__in=names) | Q(pk__in=CaseAlias.objects.filter(name__in=names).values("case"))


def names_of_cases(cases: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
    """All aliases of cases, which are given as pairs of primary key and subject."""
    names = defaultdict[int, set[str]](set, {pk: {subject} if subject else set() for pk, subject in cases})
    for pk, name in CaseAlias.objects.filter(case__in=list(names)).values_list("case_id", "name"):
        names[pk].add(name)
    return dict(names)
