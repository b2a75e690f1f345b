"""The floor: the same rows by set-based SQL in two databases, and the same letters over one connection."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class Letters:
    """How many were sent, and how large one is."""

    count: int
    size: int


def prepare(troth: str) -> None:
    with psycopg.connect(troth) as own:
        own.execute("create table floor_case (id serial primary key, content bytea, state text, receipt text)")
        own.execute("create table floor_line (id serial primary key, about int, content bytea)")
        own.execute("create table floor_letter (id serial primary key, about int, content bytea, sent timestamptz)")


def sql(troth: str, shop: str, ids: Sequence[int], letters: Letters, *, lines: int) -> float:
    """Cases, ledger lines and letters written, the people erased, everything closed: one transaction a database, the
    fewest statements. Seconds."""
    begun, keys, body = time.perf_counter(), list(ids), os.urandom(letters.size)
    with psycopg.connect(troth) as own, psycopg.connect(shop) as theirs:
        own.execute(
            "insert into floor_case (content, state) select %s, 'new' from unnest(%s::int[])", [body[:300], keys]
        )
        theirs.execute("update invoice set email = null, customer_id = null where customer_id = any(%s)", [keys])
        theirs.execute("delete from login where customer_id = any(%s)", [keys])
        theirs.execute("delete from customer where id = any(%s)", [keys])
        theirs.commit()
        own.execute(
            "insert into floor_line (about, content) select c, %s from unnest(%s::int[]) c, generate_series(1, %s)",
            [body[:300], keys, lines],
        )
        with own.cursor().copy("copy floor_letter (about, content) from stdin") as copy:
            for number in range(letters.count):
                copy.write_row([number, body])
        own.execute("update floor_case set state = 'closed', receipt = '[]'")
        own.execute("update floor_letter set sent = now(), content = null")
    return time.perf_counter() - begun


def smtp(port: int, letters: Letters) -> float:
    """Seconds to hand over as many letters of that size."""
    begun = time.perf_counter()
    message = b"Subject: x\r\n\r\n" + b"\r\n".join([b"x" * 76] * (letters.size // 78)) + b"\r\n"
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(letters.count):
            server.sendmail("privacy@example.org", ["c@example.org"], message)
    return time.perf_counter() - begun
