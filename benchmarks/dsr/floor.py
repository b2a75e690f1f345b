"""The floor: what view and erase cost as hand-written SQL for exactly this schema, one statement a table."""

from __future__ import annotations

import json
from typing import Any

import psycopg

MASK = "left(encode(sha256(convert_to('k3y|' || t.id || '|{column}', 'UTF8')), 'hex'), 24)"
_ORDERS = "SELECT id FROM orders WHERE customer_id = ANY(%(ids)s)"
_TICKETS = "SELECT id FROM ticket WHERE customer_id = ANY(%(ids)s)"
TABLES = [
    ("message", ["sender", "body"], f"t.ticket_id IN ({_TICKETS})"),
    ("ticket", ["subject"], "t.customer_id = ANY(%(ids)s)"),
    ("order_item", ["engraving"], f"t.order_id IN ({_ORDERS})"),
    ("payment", ["billed_to"], f"t.order_id IN ({_ORDERS})"),
    ("orders", ["note"], "t.customer_id = ANY(%(ids)s)"),
    ("payment_method", ["holder", "last4", "token"], "t.customer_id = ANY(%(ids)s)"),
    ("address", ["street", "town", "postcode"], "t.customer_id = ANY(%(ids)s)"),
    ("login", ["ip", "browser"], "t.customer_id = ANY(%(ids)s)"),
    ("subscriber", ["email", "name"], "t.email = ANY(%(mails)s)"),
    ("customer", ["email", "given", "family", "phone"], "t.id = ANY(%(ids)s)"),
]


def _arguments(ids: list[int]) -> dict[str, Any]:
    return {"ids": ids, "mails": [f"c{i}@example.org" for i in ids]}


def view(connection: psycopg.Connection[Any], ids: list[int]) -> int:
    """Read every row of these customers and make JSON of it. Returns the rows."""
    found = {}
    with connection.cursor() as cursor:
        for table, _, where in TABLES:
            cursor.execute(f"SELECT * FROM {table} t WHERE {where}", _arguments(ids))
            names = [column.name for column in cursor.description or ()]
            found[table] = [dict(zip(names, row, strict=True)) for row in cursor]
    json.dumps(found, default=str)
    return sum(map(len, found.values()))


def mask(connection: psycopg.Connection[Any], ids: list[int]) -> int:
    """Overwrite every personal field of these customers in one transaction. Returns the rows."""
    rows = 0
    with connection.transaction(), connection.cursor() as cursor:
        for table, columns, where in TABLES:
            sets = ", ".join(f"{c} = CASE WHEN {c} IS NOT NULL THEN {MASK.format(column=c)} END" for c in columns)
            cursor.execute(f"UPDATE {table} t SET {sets} WHERE {where}", _arguments(ids))
            rows += cursor.rowcount
    return rows


def delete(connection: psycopg.Connection[Any], ids: list[int]) -> int:
    """Delete every row of these customers in one transaction. Returns the rows."""
    order = ["message", "ticket", "order_item", "payment", "orders", "payment_method", "address", "login", "subscriber"]
    where = {table: condition for table, _, condition in TABLES}
    rows = 0
    with connection.transaction(), connection.cursor() as cursor:
        for table in [*order, "customer"]:
            cursor.execute(f"DELETE FROM {table} t WHERE {where[table]}", _arguments(ids))
            rows += cursor.rowcount
    return rows
