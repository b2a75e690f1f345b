"""How the desk answers for the people in it: in its own code, so that signals and files follow."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.hook.site.models import Contact, Done, Invoice, Job, Ticket

from troth.hook import Answer, AnswerState, Ask, Hook, Kept
from troth.hook.django import ModelMemory
from troth.testing.external_systems import CHLOE, CITE, REASON, UNTIL

hook = Hook(ModelMemory())


@hook.answers("view", "port")
def view(ask: Ask) -> Answer:
    _may_break(ask)
    return Answer.found(
        {
            "contact": Contact.objects.filter(email__iexact=ask.email).values("email", "name"),
            "ticket": Ticket.objects.filter(contact__email__iexact=ask.email).order_by("pk").values("subject"),
            "invoice": Invoice.objects.filter(email__iexact=ask.email).values("email"),
        }
    )


@hook.answers("erase")
def erase(ask: Ask) -> Answer:
    _may_break(ask)
    if Path(os.environ["DESK_FOLDER"], "held").exists():
        return Answer.refused("legal_hold")
    if ask.email == CHLOE:
        Job.objects.create(ask=ask.id, email=ask.email)
        return Answer(AnswerState.ACCEPTED, retry_after_s=1)
    return _erased(ask.email)


@hook.polls("erase")
def how_far(ask_id: str) -> Answer:
    job = Job.objects.get(pk=ask_id)
    job.polls += 1
    job.save()
    return Answer.later(1) if job.polls < 2 else _erased(job.email)


@hook.answers("amend")
def amend(ask: Ask) -> Answer:
    Done.objects.create(what="amend")
    return Answer.did(amended=Contact.objects.filter(email__iexact=ask.email).update(name=ask.changes["name"]))


@hook.answers("restrict")
def restrict(ask: Ask) -> Answer:
    return Answer.did(restricted=Contact.objects.filter(email__iexact=ask.email).update(restricted=True))


@hook.answers("unrestrict")
def unrestrict(ask: Ask) -> Answer:
    return Answer.did(unrestricted=Contact.objects.filter(email__iexact=ask.email).update(restricted=False))


@hook.verifies("restrict", "unrestrict")
def is_restricted(ask: Ask) -> Answer:
    others = Contact.objects.filter(email__iexact=ask.email, restricted=ask.right == "unrestrict")
    return Answer.failed("not_restricted") if others.exists() else Answer(AnswerState.DONE)


def _erased(email: str | None) -> Answer:
    gone = 0
    for contact in Contact.objects.filter(email__iexact=email):
        deleted, _ = contact.delete()
        gone += deleted
    if gone:
        Done.objects.create(what="erase")
    _may_stop()
    invoices = Invoice.objects.filter(email__iexact=email).count()
    return Answer.did(erased=gone, kept=[Kept("invoice", invoices, REASON, CITE, UNTIL)])


def _may_break(ask: Ask) -> None:
    if Path(os.environ["DESK_FOLDER"], "broken").exists():
        raise LookupError(f"no row for {ask.email}")


def _may_stop() -> None:
    """In the middle, for ever, where a test wants to end the process there."""
    folder = Path(os.environ["DESK_FOLDER"])
    if (folder / "stops").exists():
        (folder / "stopped").touch()
        threading.Event().wait()
