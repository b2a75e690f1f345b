"""Many cases in the database: a few hundred through the front door, and copies of their rows for the rest.

A copy has the numbers, names and references of its own that constraints ask for, so that tables and indexes are as
large as they would be. What is sealed in it is sealed to the case that it was copied from: its page does not open.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

OPENED = 1_000
"""Cases that come through the front door."""
_REFERENCE = "R-2026-"
_A_MINUTE = dt.timedelta(minutes=1)


def fill(many: int, *, open_of_hundred: int) -> int:
    """Open *many* cases, with their words, keys, events, links, letters and ledger entries; how many there are in the
    end, a multiple of those that came through the front door."""
    opened = min(many, OPENED)
    _open(opened, open_of_hundred)
    copies = many // opened - 1
    if copies:
        _copy(copies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return opened * (copies + 1)


def _open(many: int, open_of_hundred: int) -> None:
    from troth.service.cases.content import CaseContent
    from troth.service.cases.intake import receive
    from troth.service.cases.models import Case, CaseKind, Channel
    from troth.service.core.deployment import current

    now = dt.datetime.now(dt.UTC)
    intakes = [
        receive.Intake(
            CaseKind.REQUEST,
            CaseContent(
                address=f"{number}@example.org",
                identifiers=(("email", f"{number}@example.org"),),
                message="Please tell me what you hold.",
            ),
            Channel.API,
            right=("erase", "amend", "restrict", "object")[number % 4],
            tier=1,
            received_at=now - dt.timedelta(days=number % 28),
        )
        for number in range(many)
    ]
    cases = receive.receive_all(intakes, current(), now=now)
    closed = [case for number, case in enumerate(cases) if number % 100 >= open_of_hundred]
    for number, case in enumerate(closed):
        case.state, case.outcome, case.needs, case.closed_at = "closed", "fulfilled", "", now - number * _A_MINUTE
    Case.objects.bulk_update(closed, ["state", "outcome", "needs", "closed_at"], batch_size=200)
    Case.objects.filter(state="in_progress", right="erase").update(needs="review")


def _copy(copies: int) -> None:
    """Each row *copies* times, further numbers for each: a statement for each table."""
    from troth.service.cases.models import Case, CaseEvent
    from troth.service.core.models import EntryRow, Subject
    from troth.service.mail.models import LetterRow
    from troth.service.portal.models import MailedLink

    # What has to differ from row to row; {id} is the number of the copy.
    random = "sha256(({id})::text::bytea)" if connection.vendor == "postgresql" else "randomblob(32)"
    tables: dict[type[models.Model], dict[str, str]] = {
        Subject: {"pseudonym": "'copy:' || {id}"},
        Case: {"reference": f"'{_REFERENCE}' || {{id}}", "subject": "'copy:' || {id}"},
        CaseEvent: {},
        MailedLink: {"digest": random},
        LetterRow: {"once": "'copy:' || {id}", "about": f"'case:{_REFERENCE}' || {{id}}"},
        EntryRow: {},
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # Every table was empty before, so that a row's number tells its place, and a case and its letter have the same.
        last = {model: model._base_manager.aggregate(last=models.Max("pk"))["last"] for model in tables}
        tables[MailedLink]["matter"] = f"t.matter + n * {last[Case]}"
        assert last[Case] == last[LetterRow] == last[Subject] == Case.objects.count(), "numbered without gaps"
        for model, differ in tables.items():
            fields, table = model._meta.concrete_fields, model._meta.db_table
            columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
            values = ", ".join(_copied(field, differ, last) for field in fields)
            cursor.execute(
                f"WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {copies})"
                f" INSERT INTO {table} ({columns}) SELECT {values} FROM copy CROSS JOIN {table} AS t"
                f" WHERE t.id <= {last[model]}"
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)


def _copied(field: Any, differ: dict[str, str], last: dict[type[models.Model], int]) -> str:
    """What stands in a column of a copy, as SQL."""
    column = f"t.{connection.ops.quote_name(field.column)}"
    if field.primary_key:
        return f"{column} + n * {last[field.model]}"
    if field.name in differ:
        return differ[field.name].format(id=f"(t.id + n * {last[field.model]})")
    if field.is_relation and field.related_model in last:
        return f"{column} + n * {last[field.related_model]}"
    return column
