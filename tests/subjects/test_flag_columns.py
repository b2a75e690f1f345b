"""Marks that are set are read back as they were written, whichever way the store writes a moment."""

from __future__ import annotations

import datetime as dt

from tests.subjects.conftest import ANN, Lay
from tests.subjects.laid import PERSON, declared

from troth.subjects import carry_out, locate, plan_hash, plan_marks

NOW = dt.datetime(2026, 11, 30, 14, 38, 2, 123456, tzinfo=dt.UTC)


def test_a_mark_that_is_a_moment_is_no_residue(lay: Lay) -> None:
    """The declared ``now`` is a moment in UTC; a column without a zone gives it back without one."""
    table = {**PERSON, "marks": {"restricted": {"column": "paused_at", "value": "now"}}}
    laid = lay(
        declared(person=table),
        'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "paused_at" TIMESTAMP NULL)',
        'INSERT INTO "person" ("id", "email") VALUES (1, \'ann@example.org\')',
    )
    located = locate(laid.map(), {"shop": laid.store}, [ANN], purpose="amend")
    plan = plan_marks(laid.declaration, located, ("restricted",), now=NOW)
    [receipt] = carry_out(
        plan,
        {"shop": laid.store},
        approved=plan_hash(plan, laid.keyring),
        declaration_hash=laid.declaration.hash,
        keyring=laid.keyring,
        journal=laid.journal,
        now=lambda: NOW,
    )
    assert receipt.entry.fields["rows"] == 1
    assert receipt.is_clean
