"""Ordinary business and breaches of requests: asked, answered, and told to recipients."""

from __future__ import annotations

import datetime as dt
import threading
from itertools import pairwise

from django.conf import settings
from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, InventedPerson, World, breach
from troth.rehearsal.site import CENTRE, ScriptedPage, as_article, policy_path
from troth.service.api.models import ApiToken
from troth.service.api.tokens import make
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.mailbox import READ_AT
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core import timestamps
from troth.service.core.deployment import current
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.disclosures.models import RecipientNotification
from troth.service.mail.models import LetterRow
from troth.service.portal.form_token import FIELD
from troth.service.requests.duty import CASES_WRITE
from troth.service.requests.models import RIGHTS, CaseReceipt
from troth.site import HOME


def ordinary(world: World) -> None:
    """Somebody sees their data, somebody has it erased, and somebody still waits; the mailbox is read."""
    if settings.TROTH.mailbox is not None and settings.TROTH.mailbox.folder is not None:
        for part in ("new", "cur"):
            (settings.TROTH.mailbox.folder / part).mkdir(parents=True, exist_ok=True)
    if not world.people:
        return
    _ask(world, "view", world.people[0])
    _ask(world, "erase", world.people[-1])
    world.now += dt.timedelta(minutes=2)  # batches wait a moment for further requests
    run_jobs(threading.Event(), clock=lambda: world.now, pace=Pace(look_s=0.02), until_idle=True)
    timestamps.note(READ_AT, world.now)
    if world.declaration.requests.by_api:
        make("shop", [CASES_WRITE], until=world.now + dt.timedelta(days=300), now=world.now)
    _ask(world, "view", world.people[1])


def _ask(world: World, right: str, person: InventedPerson) -> Case:
    address = person.identifier("email")
    content = CaseContent(address=address, identifiers=(("email", address),))
    intake = Intake(CaseKind.REQUEST, content, Channel.CENTRE, right=right, tier=1)
    return receive(intake, current().without_own, now=world.now)


def _requests() -> list[Case]:
    cases = list(Case.objects.filter(kind=CaseKind.REQUEST))
    if not cases:
        raise Inapplicable("no request")
    return cases


@breach("requests.answered_in_time", "Requests are left lying for three months.")
def left_lying(world: World) -> None:
    if not Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).exists():
        raise Inapplicable("no open request")
    world.now += dt.timedelta(days=100)


@breach("requests.answered_in_time", "A request is answered two days late.")
def answered_late(world: World) -> None:
    closed = [case for case in _requests() if case.closed_at is not None]
    if not closed:
        raise Inapplicable("no answered request")
    due = world.now.date() - dt.timedelta(days=2)
    Case.objects.filter(pk=closed[0].pk).update(due_on=due)


@breach("requests.answered_in_time", "The mail server refuses every answer, and nobody reaches these people.")
def undelivered(world: World) -> None:
    if not _answers().update(state=LetterRow.State.FAILED, reason="550", ended_at=world.now):
        raise Inapplicable("no answer by e-mail")


@breach("requests.answered_in_time", "An answer waits to be sent until its deadline is over.")
def sent_late(world: World) -> None:
    if not _answers().update(state=LetterRow.State.QUEUED, ended_at=None, sealed=b"-"):
        raise Inapplicable("no answer by e-mail")
    world.now += dt.timedelta(days=40)
    Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).update(due_on=world.now.date())


@breach("requests.answered_in_time", "Somebody moves the deadlines of requests again and again, and leaves them lying.")
def moved_deadlines(world: World) -> None:
    left_lying(world)
    Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).update(due_on=world.now.date() + dt.timedelta(days=5))


@breach("requests.answered_in_time", "Requests are extended by two months, and nobody tells the people.")
def untold_extension(world: World) -> None:
    waiting = Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).exclude(due_on=None)
    for case in waiting:
        assert case.due_on is not None, "those are left out"
        due_on = case.due_on + dt.timedelta(days=59)
        Case.objects.filter(pk=case.pk).update(extended_at=world.now, due_on=due_on)
    if not waiting:
        raise Inapplicable("no open request")
    world.now += dt.timedelta(days=50)


@breach(
    "requests.answered_in_time",
    "Somebody dates the arrival of requests that were left lying to today, in the database.",
    unseen="the day of arrival in our own database is believed",
)
def moved_arrival(world: World) -> None:
    left_lying(world)
    waiting = Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None)
    waiting.update(received_at=world.now, due_on=world.now.date() + dt.timedelta(days=30))


@breach(
    "requests.answered_in_time",
    "Somebody deletes a late request in the database.",
    unseen="what is not in our own database any more is not counted",
)
def deleted_request(world: World) -> None:
    left_lying(world)
    Case.objects.filter(kind=CaseKind.REQUEST, closed_at=None).delete()
    Case.objects.filter(kind=CaseKind.REQUEST).update(closed_at=world.now - dt.timedelta(days=80))


def _answers() -> QuerySet[LetterRow]:
    """The e-mails about closed requests."""
    closed = [case.about for case in _requests() if case.closed_at is not None]
    return LetterRow.objects.filter(about__in=closed)


# --- every right, every channel ---------------------------------------------------------------------------------------

_WORDS = (*(right.value for right in RIGHTS), "complain", "ask")
_SWALLOWS = (
    f'<h1>Your request</h1><form method="post"><input type="hidden" name="{FIELD}" value="-">'
    '<input type="email" name="email" required><button>Send</button></form>'
)
"""A form that takes everything and keeps nothing."""


def _centre(world: World, *without: str) -> None:
    """The company's own first page of the privacy centre, without the links to these rights."""
    links = (f'<p><a href="{CENTRE}{word}/">{word}</a></p>' for word in _WORDS if word not in without)
    world.site.pages[CENTRE] = ScriptedPage("".join(links))


def _without_centre(world: World) -> None:
    """No page of the company links to the privacy centre."""
    world.site.foot = world.site.foot.replace(f'<a href="{CENTRE}">Your data</a>', "")
    where = policy_path(world.declaration)
    world.site.pages.setdefault(where, ScriptedPage(as_article(world.policy.text)))


@breach("requests.every_right_offered", "A redesign of the privacy centre forgets the way to have data deleted.")
def forgotten_right(world: World) -> None:
    _centre(world, "erase")


@breach("requests.every_right_offered", "A redesign drops the link to the privacy centre.")
def no_way_to_centre(world: World) -> None:
    _without_centre(world)


@breach("requests.every_right_offered", "The privacy centre moves into the depth of the help pages.")
def deep_centre(world: World) -> None:
    _without_centre(world)
    steps = ["/help/", "/help/account/", "/help/account/privacy/", CENTRE]
    for path, further in pairwise(steps):
        world.site.pages[path] = ScriptedPage(f'<a href="{further}">More</a>')
    world.site.pages[HOME].body += f'<p><a href="{steps[0]}">Help</a></p>'


@breach("requests.every_right_offered", "A deploy breaks the form to have data corrected: it answers 500.")
def broken_form(world: World) -> None:
    world.site.pages[f"{CENTRE}amend/"] = ScriptedPage("<h1>Something went wrong</h1>", status=500)


@breach("requests.every_right_offered", "The form to have data deleted is replaced by an invitation to telephone.")
def call_us(world: World) -> None:
    world.site.pages[f"{CENTRE}erase/"] = ScriptedPage("<h1>Call us</h1><p>We are there from nine to ten.</p>")


@breach("requests.every_right_offered", "The button of a form disappears.")
def no_button(world: World) -> None:
    world.site.pages[f"{CENTRE}view/"] = ScriptedPage(_SWALLOWS.replace("<button>Send</button>", ""))


@breach(
    "requests.every_right_offered",
    "The form to have data deleted takes everything and passes nothing on.",
    unseen="what becomes of a form that is filled in is not seen, since each is sent empty",
)
def swallowed_right(world: World) -> None:
    world.site.pages[f"{CENTRE}erase/"] = ScriptedPage(_SWALLOWS)


@breach("requests.every_channel", "Nobody reads the mailbox for two days.")
def unread_mailbox(world: World) -> None:
    if not world.declaration.requests.by_mail:
        raise Inapplicable("no mailbox is declared")
    timestamps.note(READ_AT, world.now - dt.timedelta(days=2))


@breach("requests.every_channel", "The token with which applications open requests runs out.")
def lapsed_token(world: World) -> None:
    if not ApiToken.objects.update(ended_at=world.now):
        raise Inapplicable("no token")


@breach("requests.every_channel", "The token of the shop is replaced by one that may only read.")
def reading_token(world: World) -> None:
    if not ApiToken.objects.update(scopes=["cases.read"]):
        raise Inapplicable("no token")


@breach("requests.every_channel", "A new proxy does not pass the privacy centre on.")
def unserved_centre(world: World) -> None:
    for word in _WORDS:
        world.site.pages[f"{CENTRE}{word}/"] = ScriptedPage("<h1>Not found</h1>", status=404)


@breach("requests.every_channel", "A firewall refuses what visitors send to the privacy centre.")
def refused_form(world: World) -> None:
    world.site.pages[f"{CENTRE}view/"] = ScriptedPage(_SWALLOWS, status=403)


@breach(
    "requests.every_channel",
    "The form to see one's data takes everything and passes nothing on.",
    unseen="what becomes of a form that is filled in is not seen, since it is sent empty",
)
def swallowed_request(world: World) -> None:
    world.site.pages[f"{CENTRE}view/"] = ScriptedPage(_SWALLOWS)


@breach(
    "requests.every_channel",
    "A new e-mail address for requests is printed on invoices, and nobody reads it.",
    unseen="requests that reach an address that is not declared are not seen",
)
def undeclared_mailbox(world: World) -> None:
    world.site.pages[HOME].body += "<p>Or write to requests@example.org.</p>"


@breach("requests.recipients_told", "The notices to recipients are deleted before they are sent.")
def dropped_notices(world: World) -> None:
    if not RecipientNotification.objects.all().delete()[0]:
        raise Inapplicable("no notice")


@breach("requests.recipients_told", "A notice to a recipient waits in the queue for four days.")
def waiting_notice(world: World) -> None:
    letters = RecipientNotification.objects.exclude(letter=None).values_list("letter", flat=True)
    waiting = {"state": LetterRow.State.QUEUED, "ended_at": None, "sealed": b"-"}
    if not LetterRow.objects.filter(pk__in=list(letters)).update(**waiting):
        raise Inapplicable("no notice by e-mail")
    world.now += dt.timedelta(days=4)


@breach("requests.recipients_told", "A recipient has no address for notices, and nobody calls it.")
def uncalled_recipient(world: World) -> None:
    made = world.now - dt.timedelta(days=21)
    if not RecipientNotification.objects.update(letter=None, made_at=made, ended="", ended_at=None):
        raise Inapplicable("no notice")


@breach("requests.recipients_told", "A recipient's mail server refuses the notice, and nobody calls it.")
def refused_notice(world: World) -> None:
    letters = RecipientNotification.objects.exclude(letter=None).values_list("letter", flat=True)
    refused = {"state": LetterRow.State.FAILED, "reason": "550", "ended_at": world.now}
    if not LetterRow.objects.filter(pk__in=list(letters)).update(**refused):
        raise Inapplicable("no notice by e-mail")
    world.now += dt.timedelta(days=20)


@breach(
    "requests.recipients_told",
    "A colleague notes that nothing went to a recipient, which is not true.",
    unseen="whether a reason is true is not looked at",
)
def untrue_reason(world: World) -> None:
    nothing = RecipientNotification.Ended.NOTHING_SENT
    if not RecipientNotification.objects.update(letter=None, ended=nothing, ended_at=world.now):
        raise Inapplicable("no notice")


@breach(
    "core.held_cases_freeze_deletion",
    "Somebody deletes the rows of a person who waits to see them, by hand.",
    unseen="it knows what was erased by requests, and compares no rows",
)
def deleted_by_hand(world: World) -> None:
    for place, table in world.tables():
        system, _, name = place.partition(".")
        if table.identity and world.stores.is_database(system):
            world.stores.run(system, f"DELETE FROM `{name}`")  # noqa: S608


@breach("core.held_cases_freeze_deletion", "Data is erased although the person waits to see it.")
def erased_meanwhile(world: World) -> None:
    waiting = Case.objects.filter(closed_at=None).exclude(subject="").first()
    receipt = CaseReceipt.objects.filter(case__right="erase").first()
    if waiting is None or receipt is None:
        raise Inapplicable("no request to see is open")
    Case.objects.filter(pk=receipt.case_id).update(subject=waiting.subject)
    CaseReceipt.objects.filter(pk=receipt.pk).update(at=world.now + dt.timedelta(seconds=1))
