"""``/console/newsletters/``: write an edition, see how it would look, have it approved, send it, and see what became of
it. No page shows a recipient."""

from __future__ import annotations

import datetime as dt
import email.policy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csp.constants import SELF
from django import forms
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.declaration import Declaration
from troth.errors import TrothError
from troth.service.api.models import ApiToken
from troth.service.core.deployment import Deployment, current
from troth.service.labels import sentence
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.rules import LetterRefused
from troth.service.newsletters.actions import APPROVALS, approve, plan, program_actor, send_test, start
from troth.service.newsletters.console.reports import unsure
from troth.service.newsletters.duty import NEWSLETTERS_APPROVE, NEWSLETTERS_SEND
from troth.service.newsletters.editions.kind import KIND, NewsletterTemplate, newsletter_of
from troth.service.newsletters.editions.text import TEXT_MAX, EditionText
from troth.service.newsletters.statistics.counting import figures as read_figures
from troth.service.preferences.rules import Reason
from troth.service.staff import approvals
from troth.service.staff.approvals import OwnPlan
from troth.service.staff.base import ConsoleFigure, member_names
from troth.service.staff.console.lists import FilterForm, list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.models import Approval
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight

_WAITING = "waiting"
_STATES = {
    Edition.State.DRAFT: _("planned"),
    Edition.State.SENDING: _("goes out"),
    Edition.State.PAUSED: _("paused"),
    Edition.State.FINISHED: _("has ended"),
    Edition.State.CANCELLED: _("cancelled"),
}
_MARKS = {Edition.State.SENDING: "good", Edition.State.PAUSED: "soon"}
_OUTCOMES = {
    EditionDelivery.State.QUEUED: _("waiting"),
    EditionDelivery.State.HANDING_OVER: _("being handed over"),
    EditionDelivery.State.SENT: _("sent"),
    EditionDelivery.State.REFUSED: _("refused"),
    EditionDelivery.State.STOPPED: _("stopped"),
    EditionDelivery.State.IN_DOUBT: _("in doubt"),
}
_CHANGES: Mapping[str, Callable[..., object]] = {
    "start": lambda edition, deployment, now: start(edition.plan_hash, deployment, now=now),
    "pause": bulk.pause,
    "resume": bulk.resume,
    "cancel": bulk.cancel,
}
_FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
"""A message is shown without scripts, forms and links that lead anywhere, and nothing is fetched for it."""


def _lists() -> list[tuple[str, str]]:
    return [(name, str(newsletter.title)) for name, newsletter in current().declaration.newsletters.items()]


class EditionFilterForm(FilterForm):
    """Filter of the list of editions."""

    newsletter = forms.ChoiceField(
        choices=lambda: [("", gettext("All")), *_lists()], required=False, label=_("Newsletter")
    )
    state = forms.ChoiceField(
        choices=[("", _("All")), (_WAITING, _("waits for approval")), *_STATES.items()],
        required=False,
        label=_("State"),
    )


class EditionForm(forms.Form):
    """The text of an edition."""

    newsletter = forms.ChoiceField(choices=_lists, label=_("Newsletter"))
    subject = forms.CharField(label=_("Subject"), max_length=200)
    markdown = forms.CharField(
        label=_("Text"),
        max_length=TEXT_MAX,
        help_text=_("Markdown, without HTML. {{name}} stands for a value that the newsletter declares."),
        widget=forms.Textarea(attrs={"rows": 16}),
    )
    send_at = forms.DateTimeField(
        label=_("Not before (UTC)"),
        help_text=_("Whom it goes to is chosen when it is started, not when it leaves."),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    @property
    def source(self) -> str:
        """The text as a file has it."""
        return _source(self.cleaned_data["subject"], self.cleaned_data["markdown"])


def _source(subject: str, markdown: str) -> str:
    return f"# {' '.join(subject.split())}\n\n{markdown}"


@dataclass(frozen=True, slots=True)
class EditionRow:
    """An edition as displayed: the *title* of its newsletter, who planned it, and how many deliveries are in each
    state."""

    edition: Edition
    title: str
    by: str
    waits: bool
    counts: Mapping[str, int]

    @property
    def subject(self) -> str:
        return str(self.edition.content["subject"])

    @property
    def state(self) -> str:
        return gettext("waits for approval") if self.waits else str(_STATES[Edition.State(self.edition.state)])

    @property
    def mark(self) -> str:
        return "soon" if self.waits else _MARKS.get(Edition.State(self.edition.state), "still")

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        return [(str(title), self.counts[state]) for state, title in _OUTCOMES.items() if self.counts.get(state)]

    @property
    def in_doubt(self) -> int:
        return self.counts.get(EditionDelivery.State.IN_DOUBT, 0)


def _rows(editions: Sequence[Edition], deployment: Deployment, now: dt.datetime) -> list[EditionRow]:
    counts = dict[int, dict[str, int]]()
    grouped = EditionDelivery.objects.filter(edition__in=editions).values_list("edition", "state")
    for pk, state, number in grouped.annotate(Count("pk")).order_by():
        counts.setdefault(pk, {})[state] = number
    name_of = member_names(edition.actor for edition in editions)
    others = _others(deployment)
    waiting = set(_waiting(deployment.declaration, now).filter(pk__in=[edition.pk for edition in editions]))
    return [
        EditionRow(
            edition,
            _title(edition, deployment.declaration),
            others.get(edition.actor) or name_of(edition.actor),
            edition in waiting,
            counts.get(edition.pk, {}),
        )
        for edition in editions
    ]


def _others(deployment: Deployment) -> dict[str, str]:
    """Who may plan an edition beside staff, by pseudonym."""
    programs = ApiToken.objects.values_list("program", flat=True).distinct()
    named = {program_actor(name, deployment.keyring): gettext("the program %s") % name for name in programs}
    return {deployment.keyring.pseudonym("operator", "command").text: gettext("the operator"), **named}


def _title(edition: Edition, declaration: Declaration) -> str:
    name = edition.about.partition(":")[2]
    newsletter = declaration.newsletters.get(name)
    return str(newsletter.title) if newsletter is not None else name


def _waiting(declaration: Declaration, now: dt.datetime) -> QuerySet[Edition]:
    """Planned editions that nobody has approved, of newsletters that ask for it."""
    about = [f"newsletter:{name}" for name, newsletter in declaration.newsletters.items() if newsletter.approve]
    planned = Edition.objects.filter(kind=KIND, state=Edition.State.DRAFT, about__in=about)
    return planned.exclude(plan_hash__in=approvals.approved_plans(APPROVALS, now=now)) if about else planned.none()


def figures(request: HttpRequest) -> Iterator[ConsoleFigure]:
    """For those who may approve them, the editions that wait for it; for handlers, unsure reports."""
    if standing_of(request).may(NEWSLETTERS_APPROVE):
        number = _waiting(current().declaration, timezone.now()).count()
        yield ConsoleFigure(gettext("Newsletters that wait for approval"), number, "newsletters", {"state": _WAITING})
    if standing_of(request).may(StaffRight.CASES_HANDLE):
        yield ConsoleFigure(gettext("Reports that could not be read for certain"), unsure().count(), "reports")


@needs(NEWSLETTERS_SEND, NEWSLETTERS_APPROVE)
@require_safe
def editions(request: HttpRequest) -> HttpResponse:
    """Editions, the latest first, with what became of their recipients."""
    deployment, now, form = current(), timezone.now(), EditionFilterForm(request.GET)
    rows = Edition.objects.filter(kind=KIND)
    if name := form.wanted.get("newsletter"):
        rows = rows.filter(about=f"newsletter:{name}")
    if (state := form.wanted.get("state")) == _WAITING:
        rows = rows.filter(pk__in=_waiting(deployment.declaration, now))
    elif state:
        rows = rows.filter(state=state)
    page = list_page(form, rows.order_by("-pk"), show=lambda rows: _rows(rows, deployment, now))
    shown = {"here": "newsletters", "list": page, "now": now, "may_send": standing_of(request).may(NEWSLETTERS_SEND)}
    return render(request, "newsletters/console/editions.html", shown, status=page.status)


@needs(NEWSLETTERS_SEND)
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Write an edition, or another one from its text (``?edition=12``); POST plans it and sends nothing."""
    form, deployment, now = EditionForm(request.POST or None, initial=_initial(request.GET)), current(), timezone.now()
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        by = standing_of(request).pseudonym or ""
        try:
            planned = plan(
                form.source, given["newsletter"], deployment.without_own, actor=by, now=now, send_at=given["send_at"]
            )
        except TrothError as refused:
            form.add_error("markdown", sentence(refused))
        else:
            return _page(request, planned.edition, planned=planned)
    shown = {"here": "newsletters", "form": form}
    return _with_frame(render(request, "newsletters/console/write.html", shown, status=422 if form.errors else 200))


def _initial(query: QueryDict) -> dict[str, Any]:
    number = query.get("edition", "")
    edition = Edition.objects.filter(kind=KIND, pk=number).first() if number.isdecimal() and len(number) < 10 else None
    if edition is None:
        return {}
    return {**edition.content, "newsletter": edition.about.partition(":")[2], "send_at": edition.send_at}


@needs(NEWSLETTERS_SEND)
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """How the text of the form would look, in a frame beside the form. Nothing is stored."""
    form, declaration = EditionForm(request.POST), current().declaration
    if not form.is_valid():
        return _framed(f"<p>{escape(gettext('Write a subject and a text first.'))}</p>")
    name = form.cleaned_data["newsletter"]
    try:
        text = EditionText.read(form.source)
        template = NewsletterTemplate(name, declaration.newsletters[name], text, current().without_own)
    except LetterRefused as refused:
        return _framed(f"<p>{escape(sentence(refused))}</p>")
    return _framed(_parts(template)["html"])


@needs(NEWSLETTERS_SEND, NEWSLETTERS_APPROVE)
@require_safe
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """The message of an edition as a page, for a frame."""
    edition = get_object_or_404(Edition, kind=KIND, pk=pk)
    try:
        return _framed(_parts(_template(edition, current().without_own))["html"])
    except LetterRefused as refused:
        return _framed(f"<p>{escape(sentence(refused))}</p>")


def _framed(page: str) -> HttpResponse:
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = _FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _with_frame(page: HttpResponse) -> HttpResponse:
    """*page*, with our own pages allowed in its frames."""
    page._csp_update = {"frame-src": [SELF]}  # type: ignore[attr-defined]
    return page


def _template(edition: Edition, deployment: Deployment) -> NewsletterTemplate:
    name, newsletter = newsletter_of(edition, deployment)
    text = EditionText(edition.content["subject"], edition.content["markdown"])
    return NewsletterTemplate(name, newsletter, text, deployment)


def _parts(template: NewsletterTemplate) -> dict[str, str]:
    """The two texts of a message, read from the message itself."""
    made = email.message_from_bytes(template.specimen("ann@example.org").content, policy=email.policy.default)
    return {part.get_content_subtype(): part.get_content() for part in made.iter_parts()}


@needs(NEWSLETTERS_SEND, NEWSLETTERS_APPROVE)
@require_safe
def edition(request: HttpRequest, pk: int) -> HttpResponse:
    """One edition: how it looks, how it stands, and what can be done with it."""
    return _page(request, get_object_or_404(Edition, kind=KIND, pk=pk))


@needs(NEWSLETTERS_APPROVE)
@require_POST
def approve_edition(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve exactly the edition that was shown, as somebody who did not plan it."""
    row, member = get_object_or_404(Edition, kind=KIND, pk=pk), standing_of(request).member
    assert member is not None, "the page needs a right, which only members have"
    try:
        approve(request.POST.get("hash", ""), current(), by=member, now=timezone.now())
    except OwnPlan:
        return _page(request, row, wrong=gettext("Somebody else has to approve this."), status=403)
    except TrothError as refused:
        return _page(request, row, wrong=sentence(refused), status=409)
    return redirect("newsletter-edition", pk)


@needs(NEWSLETTERS_SEND)
@require_POST
def change(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Start, pause, resume or cancel an edition; count its people again; or send a test to one's own address."""
    row, deployment, now = get_object_or_404(Edition, kind=KIND, pk=pk), current().without_own, timezone.now()
    standing = standing_of(request)
    try:
        if what == "count":
            name, content = row.about.partition(":")[2], row.content
            source, by = _source(content["subject"], content["markdown"]), standing.pseudonym or ""
            planned = plan(source, name, deployment, actor=by, now=now, send_at=row.send_at)
            return _page(request, planned.edition, planned=planned)
        if what == "test":
            assert standing.member is not None, "the page needs a right, which only members have"
            send_test(row, standing.member.user.email, deployment, now=now)
            return _page(request, row, done=gettext("The test is on its way to the address of your account."))
        if what not in _CHANGES:
            raise Http404
        _CHANGES[what](row, deployment, now=now)
    except TrothError as refused:
        return _page(request, Edition.objects.get(pk=pk), wrong=sentence(refused), status=409)
    return redirect("newsletter-edition", pk)


def _page(
    request: HttpRequest,
    edition: Edition,
    *,
    planned: bulk.EditionPlan | None = None,
    done: str = "",
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    deployment, now, standing = current().without_own, timezone.now(), standing_of(request)
    [row] = _rows([edition], deployment, now)
    plain = ""
    try:
        plain = _parts(_template(edition, deployment))["plain"]
    except LetterRefused as refused:
        wrong = wrong or sentence(refused)
    given = Approval.objects.filter(purpose=APPROVALS.name, plan_hash=edition.plan_hash).values_list("by", flat=True)
    own = standing.member is not None and approvals.is_own(standing.member, (edition.actor,))
    shown = {
        "here": "newsletters",
        "row": row,
        "edition": edition,
        "now": now,
        "plain": plain,
        "planned": planned,
        "left_out": _left_out(planned) if planned is not None else [],
        "read": read_figures(edition),
        "counts": "tracking" in edition.content,
        "may_send": standing.may(NEWSLETTERS_SEND),
        "may_approve": row.waits and standing.may(NEWSLETTERS_APPROVE) and not own,
        "approved_by": [member_names(given)(name) for name in given],
        "done": done,
        "wrong": wrong,
    }
    return _with_frame(render(request, "newsletters/console/edition.html", shown, status=status))


def _left_out(planned: bulk.EditionPlan) -> list[tuple[str, int]]:
    titles = {reason.value: reason.label for reason in Reason}
    own = {"no valid address": _("no valid address"), "same address twice": _("the same address twice")}
    return [(str(titles.get(name) or own.get(name) or name), number) for name, number in planned.left_out.items()]
