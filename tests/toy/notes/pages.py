from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from notes.models import Note
from troth.service.core.deployment import Deployment
from troth.service.portal import session
from troth.service.portal.base import session_page, shown, to
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.models import MailedLink


def ask_open(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    return Confirmation(title="A note", heading="Have you got a note?", button="Yes")


@confirmed(ask_open)
def open_note(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    now = timezone.now()
    Note.objects.filter(pk=link.matter, seen_at=None).update(seen_at=now)
    session.open_session(request, link, now=now)
    return to(request, deployment, "notes-seen")


@require_safe
@session_page("notes")
def seen(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    note = Note.objects.get(pk=link.matter)
    return shown(request, deployment, "notes/seen.html", {"mark": note.mark})
