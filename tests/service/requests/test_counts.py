"""Each row counts once, by its key, wherever a number is shown: plan, receipt, ledger, message and page."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.service.requests.conftest import DECLARATION, Office

from troth.declaration import parse
from troth.ledger import Entry
from troth.service.cases.models import Case, Right
from troth.service.cases.pages import case_status
from troth.service.requests.fulfilment.preview import previewed
from troth.service.requests.responses import outcome
from troth.service.requests.responses.receipt_sentences import done, joined, kept, whole

DECLARED = parse(DECLARATION.replace("REQUESTS", "{}").replace("SYSTEMS", ""))
WRITES = ("null", "mask", "pseudonymise")
REASON = {"because": "tax law wants invoices", "cite": "VATA 1994 Sch 11", "until": "2031-03-01"}
NOTHING: dict[str, Any] = {"because": "", "cite": "", "until": None}


def line(place: str, rows: int, writes: list[str], stays: bool) -> dict[str, Any]:
    whats = sorted({*(writes or ([] if stays else ["delete"])), *(["keep"] if stays else [])})
    return {"place": place, "rows": rows, "what": ",".join(whats), "words": "", **(REASON if stays else NOTHING)}


lines = st.lists(
    st.builds(
        line,
        st.sampled_from(["shop.customer", "shop.invoice", "shop.login"]),
        st.integers(1, 2_000),
        st.lists(st.sampled_from(WRITES), max_size=3),
        st.booleans(),
    ),
    max_size=8,
)


def numbers(text: str) -> int:
    return sum(int(found.replace(",", "")) for found in re.findall(r"\(([\d,]+)\)", text))


@settings(max_examples=scaled(20, 80), deadline=None)
@given(lines)
def test_message_and_page_show_the_number_of_rows(found: list[dict[str, Any]]) -> None:
    total = sum(one["rows"] for one in found)
    desk: Any = SimpleNamespace(declaration=DECLARED)
    case: Any = SimpleNamespace(right=Right.ERASE)
    did = outcome._did(found, case, [], desk)
    stayed = outcome._kept(found, case, desk)
    assert numbers(did) + sum(numbers(one.what) for one in stayed) == total
    shown = [joined(done(one, Right.ERASE, DECLARED) for one in part(found)) for part in (whole, kept)]
    assert sum(one.rows for part in shown for one in part) == total
    assert all(("part" in one.why_it_stays) == one.is_in_part for one in shown[1])


@pytest.mark.sampled
def test_two_invoices_are_two_wherever_they_are_counted(office: Office) -> None:
    """What the law does not need of an invoice is emptied, and the rest stays: two rules for one row."""
    office.do("insert into invoice values (2, 1, '1 High Street', 'ann@example.org', '2025-03-01')")
    case = office.ask("erase")
    office.prove(case)
    planned = previewed(Case.objects.get(pk=case.pk), office.deployment, at=office.now()).plan
    office.work()
    case.refresh_from_db()
    [receipt] = case.receipts.all()
    shown = case_status.show(case, office.deployment, inside=True, now=office.now())
    assert receipt.entry is not None
    erased = Entry.decode(bytes(receipt.entry.content)).fields
    assert planned == receipt.lines
    assert sum(one["rows"] for one in receipt.lines) == 5, "a customer, two logins, two invoices"
    assert erased["rows"] == {"delete": 3, "keep": 2}
    assert (erased["kept"], erased["fields"]) == (2, {"null": 4})
    assert sum(one.rows for one in (*shown.details.done, *shown.details.kept)) == 5
    [invoices] = shown.details.kept
    assert (invoices.place, invoices.rows) == ("Shop: Invoice", 2)
    assert invoices.why_it_stays == "Emptied in part, the rest kept: tax law wants invoices"
