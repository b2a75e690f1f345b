"""Ordinary business and breaches of requests: asked, answered, and told to recipients."""

from __future__ import annotations

import datetime as dt
import threading
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, InventedPerson, World, register
from troth.rehearsal.site import CENTRE, ScriptedPage, as_article, policy_path
from troth.service.api.models import ApiToken
from troth.service.api.tokens import make
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core import timestamps
from troth.service.core.deployment import current
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.disclosures.models import RecipientNotification
from troth.service.mail.inbox.reading import READ_AT
from troth.service.mail.models import LetterRow
from troth.service.mail.rehearsal import queue, refuse
from troth.service.portal.form_token import FIELD
from troth.service.requests.duty import CASES_WRITE
from troth.service.requests.models import RIGHTS, CaseReceipt
from troth.site import HOME


def ordinary(world: World) -> None:
    """Somebody sees their data, somebody has it erased, and somebody still waits; the mailbox is read."""
    for folder in filter(None, (box.folder for box in settings.TROTH.mailboxes)):
        for part in ("new", "cur"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    if not world.people:
        return
    _ask(world, "view", world.people[0])
    _ask(world, "erase", world.people[-1])
    world.now += dt.timedelta(minutes=2)  # batches wait a moment for further requests
    needed = ["requests.batch", "requests.follow", "requests.ask"]
    run_jobs(threading.Event(), clock=lambda: world.now, pace=Pace(look_s=0.02), only=needed, until_idle=True)
    timestamps.note(READ_AT, world.now)
    if world.declaration.requests.by_api:
        make("shop", [CASES_WRITE], until=world.now + dt.timedelta(days=300), now=world.now)
    _ask(world, "view", world.people[1])


def _ask(world: World, right: str, person: InventedPerson) -> Case:
    address = person.identifier("email")
    content = CaseContent(address=address, identifiers=(("email", address),))
    intake = Intake(CaseKind.REQUEST, content, Channel.CENTRE, right=right, tier=1)
    return receive(intake, current().without_own, now=world.now)


def _open() -> QuerySet[Case]:
    return Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None)


def _answered() -> list[Case]:
    cases = list(Case.objects.filter(kind=CaseKind.REQUEST).exclude(closed_at=None))
    if not cases:
        raise Inapplicable("no answered request")
    return cases


def _answers() -> QuerySet[LetterRow]:
    """The e-mails about closed requests."""
    return LetterRow.objects.filter(about__in=[case.about for case in _answered()])


def left_lying(world: World) -> None:
    if not _open().exists():
        raise Inapplicable("no open request")
    world.wait(100)


def answered_late(world: World) -> None:
    Case.objects.filter(pk=_answered()[0].pk).update(due_on=world.now.date() - dt.timedelta(days=2))


def undelivered(world: World) -> None:
    refuse(_answers(), world)


def sent_late(world: World) -> None:
    queue(_answers())
    world.wait(40)
    _open().update(due_on=world.now.date())


def moved_deadlines(world: World) -> None:
    left_lying(world)
    _open().update(due_on=world.now.date() + dt.timedelta(days=5))


def unannounced_extension(world: World) -> None:
    waiting = _open().exclude(due_on=None)
    for case in waiting:
        assert case.due_on is not None, "those are left out"
        due_on = case.due_on + dt.timedelta(days=59)
        Case.objects.filter(pk=case.pk).update(extended_at=world.now, due_on=due_on)
    if not waiting:
        raise Inapplicable("no open request")
    world.wait(50)


def moved_arrival(world: World) -> None:
    left_lying(world)
    _open().update(received_at=world.now, due_on=world.now.date() + dt.timedelta(days=30))


def deleted_request(world: World) -> None:
    left_lying(world)
    _open().delete()
    Case.objects.filter(kind=CaseKind.REQUEST).update(closed_at=world.now - dt.timedelta(days=80))


# --- every right, every channel ---------------------------------------------------------------------------------------

_WORDS = (*(right.value for right in RIGHTS), "complain", "ask")
_SWALLOWS = (
    f'<h1>Your request</h1><form method="post"><input type="hidden" name="{FIELD}" value="-">'
    '<input type="email" name="email" required><button>Send</button></form>'
)
"""A form that takes everything and keeps nothing."""


def centre_without(world: World, right: str) -> None:
    """The company's own first page of the privacy centre, without the link to a *right*."""
    links = (f'<p><a href="{CENTRE}{word}/">{word}</a></p>' for word in _WORDS if word != right)
    world.site.pages[CENTRE] = ScriptedPage("".join(links))


def without_centre(world: World) -> None:
    """No page of the company links to the privacy centre."""
    world.site.foot = world.site.foot.replace(f'<a href="{CENTRE}">Your data</a>', "")
    where = policy_path(world.declaration)
    world.site.pages.setdefault(where, ScriptedPage(as_article(world.policy.text)))


def deep_centre(world: World) -> None:
    without_centre(world)
    steps = ["/help/", "/help/account/", "/help/account/privacy/", CENTRE]
    for path, further in pairwise(steps):
        world.site.pages[path] = ScriptedPage(f'<a href="{further}">More</a>')
    world.site.pages[HOME].body += f'<p><a href="{steps[0]}">Help</a></p>'


def serve(world: World, form: str, body: str = _SWALLOWS, status: int = 200, lost: str = "") -> None:
    """The privacy centre answers with *body*, without what is *lost* of it, where the *form* was."""
    world.site.pages[f"{CENTRE}{form}/"] = ScriptedPage(body.replace(lost, "") if lost else body, status)


def unread_mailbox(world: World) -> None:
    if not world.declaration.requests.by_mail:
        raise Inapplicable("no mailbox is declared")
    timestamps.note(READ_AT, world.now - dt.timedelta(days=2))


def change_tokens(world: World, **fields: Any) -> None:
    if not ApiToken.objects.update(**fields):
        raise Inapplicable("no token")


def lapsed_token(world: World) -> None:
    change_tokens(world, ended_at=world.now)


def unserved_centre(world: World) -> None:
    for word in _WORDS:
        world.site.pages[f"{CENTRE}{word}/"] = ScriptedPage("<h1>Not found</h1>", status=404)


def undeclared_mailbox(world: World) -> None:
    world.site.pages[HOME].body += "<p>Or write to requests@example.org.</p>"


def dropped_notices(world: World) -> None:
    if not RecipientNotification.objects.all().delete()[0]:
        raise Inapplicable("no notice")


def _notices() -> QuerySet[LetterRow]:
    return LetterRow.objects.filter(pk__in=list(RecipientNotification.objects.values_list("letter", flat=True)))


def _change_notices(**fields: Any) -> None:
    if not RecipientNotification.objects.update(letter=None, **fields):
        raise Inapplicable("no notice")


def waiting_notice(world: World) -> None:
    queue(_notices(), "no notice by e-mail")
    world.wait(4)


def uncalled_recipient(world: World) -> None:
    _change_notices(made_at=world.now - dt.timedelta(days=21), ended="", ended_at=None)


def refused_notice(world: World) -> None:
    refuse(_notices(), world, "no notice by e-mail")
    world.wait(20)


def untrue_reason(world: World) -> None:
    _change_notices(ended=RecipientNotification.Ended.NOTHING_SENT, ended_at=world.now)


def deleted_by_hand(world: World) -> None:
    for system, name, table in world.database_tables():
        if table.identity:
            world.stores.run(system, f"DELETE FROM `{name}`")  # noqa: S608


def erased_meanwhile(world: World) -> None:
    waiting = Case.objects.filter(closed_at=None).exclude(subject="").first()
    receipt = CaseReceipt.objects.filter(case__right="erase").first()
    if waiting is None or receipt is None:
        raise Inapplicable("no request to see is open")
    Case.objects.filter(pk=receipt.case_id).update(subject=waiting.subject)
    CaseReceipt.objects.filter(pk=receipt.pk).update(at=world.now + dt.timedelta(seconds=1))


register(__name__)
