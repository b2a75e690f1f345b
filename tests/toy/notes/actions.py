from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction

from notes.duty import NOTE_LINK
from notes.models import Note
from notes.sealed_fields import note_context
from troth.ledger import Entry
from troth.service.api import webhooks
from troth.service.configuration import setting
from troth.service.core import control_events
from troth.service.core.deployment import current
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.running import RunningJob
from troth.service.core.keys import keyring
from troth.service.core.ledger import record
from troth.service.mail.actions import post
from troth.service.mail.rules import Letter
from troth.service.portal import links

passes: list[dt.datetime] = []


def leave(text: str, now: dt.datetime) -> Note:
    keys = keyring(settings.TROTH.home)
    longest = current().declaration.section("notes").longest
    with transaction.atomic():
        mark = f"n{Note.objects.count()}"
        note = Note.objects.create(mark=mark, at=now, sealed=keys.seal(text[:longest].encode(), note_context(mark)))
        record(Entry("note.left", now, {"note": keys.pseudonym("note", mark), "length": len(text)}))
        control_events.note("note.left", now=now)
        webhooks.tell("note.left", {"note": mark}, now=now)
        enqueue("notes.send", str(note.pk))
    return note


def send(job: RunningJob) -> None:
    keys, note = keyring(settings.TROTH.home), Note.objects.get(pk=int(job.key))
    text = keys.unseal(bytes(note.sealed), note_context(note.mark)).decode()
    with transaction.atomic():
        secret = links.make(NOTE_LINK, note.pk, language="en", now=job.now)
        letter = Letter(
            kind="note",
            to="ann@example.org",
            language="en",
            about=f"note:{note.mark}",
            facts={
                "text": f"{setting('TROTH_NOTES_GREETING')} {text}",
                "link": links.address_of(secret, current()),
            },
            once=f"note:{note.mark}",
        )
        post(letter, keyring=keys, organisation=current().declaration.organisation, now=job.now)
        Note.objects.filter(pk=note.pk).update(sent_at=job.now)
        job.finish()


def take_in(letter: Any, deployment: Any, now: dt.datetime) -> bool:
    if b"Subject: note" not in letter.raw:
        return False
    leave("by e-mail", now)
    return True


def before_checks(context: object, now: dt.datetime) -> None:
    passes.append(now)


def evidence_files(gathered: object) -> Iterator[tuple[str, list[bytes]]]:
    yield "notes.txt", [f"{Note.objects.count()} notes".encode()]
