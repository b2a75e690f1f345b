"""An identity document: the last resort, where nothing that we hold and no login can show who asks (tier V4).

An officer asks for it with a reason; the person sends it through the page of their case; an officer looks, which is on
record before, and decides. Then it is gone, with the key that it is sealed under: no copy, in no backup. What nobody
decided goes after `KEPT`, or when the case ends. Why it is so rare: docs/explain/requests.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from troth.ledger import Entry, Pseudonym, Value
from troth.protect import Context
from troth.service.cases import arrival, life, links
from troth.service.cases.desk import Desk
from troth.service.cases.letters import day, write_to
from troth.service.cases.models import Case, Document, Event, Kind, Link, Needs, State
from troth.service.record.ledger import record
from troth.service.record.subject_keys import SubjectKeys, scrub

BYTES_MAX = 5 * 1024 * 1024
KEPT = dt.timedelta(days=30)
TIER = 4
_AT_ONCE = 100
_SIGNS = {
    b"%PDF-": "pdf",
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
}


def type_of(data: bytes) -> str | None:
    """How the name of such a file ends, by its content; None for what is no document."""
    return next((ending for sign, ending in _SIGNS.items() if data.startswith(sign)), None)


def of(case: Case) -> Document | None:
    """The document that was asked for and not decided on yet, without what is in it."""
    return Document.objects.defer("sealed").filter(case=case).first()


def is_possible(case: Case) -> bool:
    """Whether a document could help: something less was tried, and it is still open who asks."""
    is_unproved = case.state == State.VERIFYING and case.tier > 0
    is_unclear = case.state == State.IN_PROGRESS and case.needs == Needs.REVIEW and case.tier < TIER
    return case.kind == Kind.REQUEST and (is_unproved or is_unclear)


def ask(case_id: int, reasons: str, desk: Desk, *, who: life.Who, now: dt.datetime) -> None:
    """Ask the person for a document, and say why nothing less will do (GDPR Art. 12(6)). Raises `life.CaseRefused`."""
    with transaction.atomic():
        case = life.locked(case_id)
        if not is_possible(case):
            raise life.CaseRefused(
                f"{case.reference} does not wait for a proof of identity, or nothing less than a document was tried yet"
            )
        if of(case) is not None:
            raise life.CaseRefused(f"a document was asked for already in {case.reference}")
        if not reasons.strip():
            raise life.CaseRefused("say why nothing less will do: the person is told (GDPR Art. 12(6))")
        until = now + KEPT
        Document.objects.create(case=case, asked_at=now, until=until)
        life.note(case, reasons, desk, who=who, now=now)
        content = desk.papers.content(case)
        page = links.address_of(links.make(case, Link.Use.STATUS, now=now), desk)
        facts = {"right": case.right, "reasons": reasons, "link": page, "until": day(until, desk)}
        times = str(case.events.filter(what="document_asked").count() + 1)
        write_to(content.address, case, "document_asked", desk, facts, now=now, again=times)
        _tell(case, "asked", who, desk, now, until=day(until, desk))


def put(case_id: int, data: bytes, desk: Desk, *, now: dt.datetime) -> None:
    """The person sends it: sealed at once. Raises `life.CaseRefused` for what was not asked for, is too large, or is no
    document by its content."""
    if len(data) > BYTES_MAX or type_of(data) is None:
        raise life.CaseRefused("a document is a PDF, a PNG or a JPEG of at most 5 MB")
    with transaction.atomic():
        case = life.locked(case_id)
        waiting = Document.objects.select_for_update().filter(case=case, sealed=None, until__gt=now).first()
        if waiting is None or case.state == State.CLOSED:
            raise life.CaseRefused(f"no document is waited for in {case.reference}")
        name = str(desk.keyring.pseudonym("document", f"{case.reference}/{waiting.pk}"))
        waiting.key, key = SubjectKeys(desk.keyring).each([name], now=now)[name]
        waiting.sealed, waiting.came_at = key.seal(data, _context(case)), now
        waiting.save(update_fields=["key", "sealed", "came_at"])
        _tell(case, "received", life.SUBJECT, desk, now)


def opened(case: Case, desk: Desk) -> bytes | None:
    """What the person sent, for whoever has put their look on record; None where there is nothing (any more)."""
    sent = Document.objects.select_related("key").filter(case=case).exclude(sealed=None).first()
    if sent is None or sent.key is None or sent.key.wrapped_key is None:
        return None
    key = desk.keyring.open_key(bytes(sent.key.wrapped_key), sent.key.pseudonym)
    return key.unseal(bytes(sent.sealed or b""), _context(case))


def decide(case_id: int, desk: Desk, *, accepted: bool, who: life.Who, now: dt.datetime) -> None:
    """It shows who asks, or does not; either way it is destroyed. Where it does, the case goes on. Raises
    `life.CaseRefused` where there is none."""
    with transaction.atomic():
        case = life.locked(case_id)
        sent = Document.objects.select_for_update().filter(case=case).exclude(sealed=None).first()
        if sent is None:
            raise life.CaseRefused(f"there is no document in {case.reference} to decide on")
        _destroy([sent], desk, now)
        _tell(case, "destroyed", who, desk, now, why="accepted" if accepted else "rejected")
        if accepted:
            arrival.proved(case, TIER, desk, who=who, now=now)
    scrub()


def sweep(desk: Desk, *, now: dt.datetime) -> int:
    """Destroy what nobody decided in time, and what belongs to cases that ended. How many."""
    over = Q(until__lte=now) | Q(case__state=State.CLOSED)
    with transaction.atomic():
        rows = list(Document.objects.select_for_update(of=("self",)).select_related("case").filter(over)[:_AT_ONCE])
        _destroy(rows, desk, now)
        for row in rows:
            why = "closed" if row.case.state == State.CLOSED else "expired"
            _tell(row.case, "destroyed", life.RULE, desk, now, why=why)
    if rows:
        scrub()
    return len(rows)


def _destroy(rows: Sequence[Document], desk: Desk, now: dt.datetime) -> None:
    keys = [row.key.pseudonym for row in rows if row.key is not None]
    SubjectKeys(desk.keyring).erase(keys, now=now)
    Document.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _tell(
    case: Case,
    change: str,
    who: life.Who,
    desk: Desk,
    now: dt.datetime,
    *,
    why: str = "",
    until: dt.date | None = None,
) -> None:
    """Into the history of the case, which its person sees, and into the ledger."""
    facts = {"why": why} if why else {}
    Event.objects.create(case=case, at=now, what=f"document_{change}", actor=who.actor, by=who.by, facts=facts)
    fields: dict[str, Value] = {"case": desk.keyring.pseudonym("case", case.reference), "change": change}
    fields |= {"actor": who.actor, **({"by": Pseudonym(who.by)} if who.by else {})}
    fields |= {"why": why} if why else {}
    fields |= {"until": until} if until is not None else {}
    record(Entry("document.changed", now, fields))


def _context(case: Case) -> Context:
    return Context(domain="cases", table="document", field="sealed", subject=case.reference)
