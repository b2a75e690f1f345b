"""Troth's own database as a system of the declaration, read from the ``own_tables.yaml`` of each app.

`with_own` adds it to a company's declaration as the system ``troth``, with its purposes and retention, so that
controls, pages and the record of processing treat it like any other. A company's own declaration of a system ``troth``
is left unchanged.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import yaml

from troth.declaration import Declaration, Period, Retention, parse
from troth.service.duty import duties

OWN = "troth"
"""Name of Troth's own system."""

_CHECKS = "troth_checks"
"""Retention rule of the evidence that the policy is kept."""


@functools.cache
def own() -> Declaration:
    """The fragments of all apps as a declaration."""
    parts = [
        yaml.safe_load(resources.files(app).joinpath(duty.tables).read_bytes())
        for app, duty in duties().items()
        if duty.tables
    ]
    purposes = _merged(parts, "purposes")
    declared = {
        "troth": 1,
        "organisation": {"name": "Troth", "country": "GB", "address": "-", "email": "nobody@example.org"},
        "policy": {"file": "policy.md", "effective": "2026-01-01"},
        "purposes": purposes,
        "systems": {
            OWN: {
                "title": "Troth's own records",
                "store": "${TROTH_DATABASE_URL}",
                "subjects": [subject for part in parts for subject in part.get("subjects", ())],
                "purposes": list(purposes),
                "tables": _merged(parts, "tables"),
            }
        },
        "retention": _merged(parts, "retention"),
    }
    return parse(json.dumps(declared).encode(), file="own_tables.yaml")


def _merged(parts: Sequence[Mapping[str, Any]], section: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        assert not found.keys() & part.get(section, {}).keys(), f"two apps have the same {section}"
        found |= part.get(section, {})
    return found


def with_own(declaration: Declaration, *, accounts: tuple[str, ...]) -> Declaration:
    """*declaration* with Troth's own system added. *accounts* may read it."""
    if OWN in declaration.systems:
        return declaration
    added = own()
    system = added.systems[OWN].model_copy(update={"accounts": accounts})
    return declaration.model_copy(
        update={
            "systems": {**declaration.systems, OWN: system},
            "purposes": {**added.purposes, **declaration.purposes},
            "retention": {**with_evidence(added.retention, declaration.evidence.keep), **declaration.retention},
        }
    )


def with_evidence(rules: Mapping[str, Retention], keep: Period | None) -> dict[str, Retention]:
    """Our own *rules*, with checks kept for the period that the company declares."""
    said = {"for_": keep} if keep is not None else {}
    return {name: rule.model_copy(update=said) if name == _CHECKS else rule for name, rule in rules.items()}


def without_own(declaration: Declaration) -> Declaration:
    """The company's own declaration: *declaration* as before `with_own`."""
    ours = own()
    systems = {
        name: it for name, it in declaration.systems.items() if name != OWN or it.title != ours.systems[OWN].title
    }
    purposes = {name: it for name, it in declaration.purposes.items() if it != ours.purposes.get(name)}
    return declaration.model_copy(update={"systems": systems, "purposes": purposes})
