"""Opens every sealed value of the deployment that the environment names, and prints what it holds, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def opened() -> dict[str, Any]:
    """Cases with their rights and addresses, and how many values opened in each place."""
    django.setup()
    from troth.service.cases.content import SealedContent
    from troth.service.cases.models import Case
    from troth.service.core.deployment import current
    from troth.service.core.key_lifecycle import sealed_places
    from troth.service.core.models import Subject

    keyring = current().keyring
    values = {}
    for place in sealed_places():
        rows = place.model._base_manager.exclude(place.theirs).exclude(**{place.column: None})
        sealed = list(rows.values_list(place.column, *place.needs))
        for value, *needs in sealed:
            keyring.unseal(bytes(value), place.context(*needs))
        values[str(place)] = len(sealed)
    people = Subject.objects.exclude(wrapped_key=None)
    for person in people:
        keyring.open_key(bytes(person.wrapped_key or b""), person.pseudonym)
    content = SealedContent(keyring).content
    cases = {case.reference: [case.right, content(case).address] for case in Case.objects.order_by("pk")}
    return {"cases": cases, "subjects": people.count(), "values": {name: n for name, n in values.items() if n}}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(opened()))
