"""What the website writes into the company's databases. Nobody signs in here, so nothing that is there already is
changed on a stranger's word: an order under a known address adds to that customer and overwrites nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from example_voice import systems
from example_voice.catalogue import CATALOGUE, VAT_PERCENT
from example_voice.systems import connect

NOTICE = "2026-11-01"
"""The version of the policy that our pages link to; each record keeps the one it was collected under."""

Values = Mapping[str, str]


class Records:
    """The four databases, each write in one transaction of its own."""

    def __init__(self, databases: Mapping[str, str]) -> None:
        self._engines = {name: connect(url) for name, url in databases.items()}

    def close(self) -> None:
        """Give the connections back."""
        for engine in self._engines.values():
            engine.dispose()

    @contextmanager
    def _begin(self, name: str) -> Iterator[Connection]:
        with self._engines[name].begin() as connection:
            yield connection

    def register(self, values: Values, *, now: dt.datetime) -> bool:
        """Open an account; False where there is one under that address already."""
        email = values["email"].lower()
        try:
            with self._begin("shop") as shop:
                number = _new_customer(shop, values, now)
            with self._begin("logins") as logins:
                account = {"email": email, "customer_ref": number, "state": "active", "created_at": now, "seen_at": now}
                logins.execute(insert(systems.account).values(account))
        except IntegrityError:  # the address is unique, in the shop and in the portal
            return False
        return True

    def order(self, values: Values, cart: Mapping[str, int], *, now: dt.datetime) -> int:
        """Take an order with its invoice; its number is returned."""
        with suppress(IntegrityError):  # another order took the number of the invoice first
            return self._take_order(values, cart, now=now)
        return self._take_order(values, cart, now=now)

    def _take_order(self, values: Values, cart: Mapping[str, int], *, now: dt.datetime) -> int:
        net = sum(CATALOGUE[product].pence * quantity for product, quantity in cart.items())
        vat = net * VAT_PERCENT // 100
        with self._begin("shop") as shop:
            known = select(systems.customer.c.id).where(systems.customer.c.email == values["email"].lower())
            customer = shop.scalar(known) or _new_customer(shop, values, now)
            order = {
                "customer_id": customer,
                "bill_to": _address_kind(shop, customer, values),
                "note": values["note"] or None,
                "total_pence": net + vat,
                "placed_at": now,
            }
            number = _added(shop, systems.orders, order)
            items = [
                {"order_id": number, "line": line, "product": product, "quantity": quantity,
                 "unit_pence": CATALOGUE[product].pence}
                for line, (product, quantity) in enumerate(cart.items(), 1)
            ]  # fmt: skip
            shop.execute(insert(systems.order_item), items)
            bill = {
                "number": _next_invoice(shop),
                "customer_id": customer,
                "order_id": number,
                "billed_name": values["name"],
                "billed_email": values["email"],
                "billed_address": "{street}, {town} {postcode}, {country}".format_map(values),
                "net_pence": net,
                "vat_pence": vat,
                "issued_at": now,
            }
            shop.execute(insert(systems.invoice).values(bill))
        return number

    def write_in(self, values: Values, *, kind: str, now: dt.datetime) -> int:
        """Open a ticket with its first message; its number is returned."""
        order = values.get("order")
        subject = values.get("subject") or "Question from the website"
        ticket = {
            "kind": kind,
            "opened_by_email": values["email"],
            "opened_by_name": values["name"] or None,
            "subject": f"{subject} (order {order})" if order else subject,
            "status": "open",
            "notice": NOTICE,
            "opened_at": now,
        }
        with self._begin("desk") as desk:
            number = _added(desk, systems.ticket, ticket)
            message = {
                "ticket_id": number,
                "author_email": values["email"],
                "author_name": values["name"] or None,
                "from_staff": False,
                "body": values["message"],
                "written_at": now,
            }
            desk.execute(insert(systems.message).values(message))
        return number


def _next_invoice(shop: Connection) -> str:
    """The number after the last, so that an order that failed leaves no gap in the series."""
    # VAT Regulations 1995, reg. 14(1)(a): a sequential number
    last = shop.scalar(select(func.max(systems.invoice.c.number))) or "EV-00000000"
    return f"EV-{int(last[3:]) + 1:08d}"


def _new_customer(shop: Connection, values: Values, now: dt.datetime) -> int:
    row = {
        "email": values["email"].lower(),
        "name": values["name"],
        "phone": values["phone"] or None,
        "company": values.get("company") or None,
        "notice": NOTICE,
        "created_at": now,
        "active_at": now,
    }
    return _added(shop, systems.customer, row)


def _added(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """Insert the row; the number it was given."""
    key = connection.execute(insert(table).values(row)).inserted_primary_key
    assert key is not None, "one row was inserted"
    return int(key[0])


def _address_kind(shop: Connection, customer: int, values: Values) -> str:
    """The name of the customer's address that is this one; a new one is added beside those that are there."""
    wanted = {part: values[part] for part in ("street", "town", "postcode", "country")}
    rows = shop.execute(select(systems.address).where(systems.address.c.customer_id == customer)).mappings().all()
    for row in rows:
        if all(row[part] == value for part, value in wanted.items()):
            return str(row["kind"])
    kind = f"billing{len(rows) + 1}" if rows else "billing"
    shop.execute(insert(systems.address).values(customer_id=customer, kind=kind, **wanted))
    return kind
