"""What the duty `notes` does in a deployment, in a process of its own: ``python story.py FOLDER``. Prints JSON."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import os
import re
import sys
import zipfile
from email import message_from_string, policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from troth.service import duty

duty.DUTIES += ("notes",)  # the one line

HOUR = dt.timedelta(hours=1)
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems: {}
notes: {longest: 12}
promises:
  - {quote: We send every note., owner: dpo@example.org, controls: [notes.sent]}
"""


def main(folder: Path) -> dict[str, Any]:
    (folder / "troth.yaml").write_text(DECLARED)
    (folder / "policy.md").write_text("# Policy\n\nWe send every note.\n")
    (folder / "mail").mkdir(mode=0o700)
    os.environ |= {
        "TROTH_HOME": str(folder / "home"),
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
        "TROTH_MAIL_URL": f"folder://{folder}/mail",
        "TROTH_NOTES_GREETING": " Dear Ann: ",
    }
    from troth.service.server import catch_up, set_up

    set_up()
    catch_up()
    return told(folder)


def told(folder: Path) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client

    from notes import actions, started
    from notes.models import Note
    from troth.controls import CONTROL_INPUTS
    from troth.service.api import tokens, webhooks
    from troth.service.api.models import Delivery
    from troth.service.assurance.evidence.export import export_evidence
    from troth.service.assurance.evidence.gather import ArchiveScope
    from troth.service.assurance.jobs import run_due
    from troth.service.assurance.models import PromiseRow
    from troth.service.assurance.rules import CHECK
    from troth.service.configuration import Mailbox
    from troth.service.core.deployment import current
    from troth.service.core.jobs.models import Job
    from troth.service.core.key_lifecycle import sealed_places
    from troth.service.core.keys import keyring, ledger_signer
    from troth.service.core.ledger import DatabaseLog
    from troth.service.core.own_tables import own
    from troth.service.core.resealing import hanging
    from troth.service.entry_labels import entry_title
    from troth.service.mail.inbox.reading import read_mailbox
    from troth.service.staff.base import figures_for, pages_for
    from troth.service.staff.rights import StaffRole, right_named, rights_of_role
    from troth.service.wsgi import OURS

    found: dict[str, Any] = {}
    now = dt.datetime.now(dt.UTC)
    settings.ALLOWED_HOSTS = ["*"]
    client, keys, here = Client(), keyring(settings.TROTH.home), current()

    webhooks.make("https://shop.example.org/", ["note.left"], keys=keys, now=now)
    run_due(hasten=True)
    found["status before"] = PromiseRow.objects.get().status
    secret = tokens.make("shop", ["notes.write"], until=now + dt.timedelta(days=1), now=now)
    header = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"}
    left = client.post("/api/v1/notes", {"text": "Hello, this is long"}, "application/json", headers=header)
    found["api"] = [left.status_code, left.json()]
    found["webhook"] = Delivery.objects.filter(event="note.left").count()
    found["queued"] = Job.objects.filter(kind="notes.send").count()
    found["event"] = [Job.objects.filter(kind=CHECK, key="notes.sent", due_at__gt=now + HOUR).exists()]
    run_due(checks=False)
    found["event"].append(Job.objects.filter(kind=CHECK, key="notes.sent", due_at__lt=now + HOUR).exists())
    run_due(hasten=True)
    found["status with one unsent"] = PromiseRow.objects.get().status

    import threading

    from troth.service.core.jobs.worker import run_jobs

    run_jobs(threading.Event(), only=["notes", "mail"], until_idle=True)
    letters = [file.read_text() for file in sorted((folder / "mail").rglob("*")) if file.is_file()]
    found["letters"] = ["Dear Ann: Hello, this" in letter for letter in letters]
    found["sent"] = Note.objects.filter(sent_at__isnull=False).count()
    found["link"] = followed(letters[0])
    run_due(hasten=True)
    found["status after"] = PromiseRow.objects.get().status
    found["passes"] = len(actions.passes) > 0

    log = DatabaseLog(ledger_signer(keys, here.declaration.organisation))
    entries = [log.entry(leaf) for leaf in range(log.size)]
    found["entries"] = [entry_title(entry) for entry in entries if entry.kind == "note.left"]
    found["sealed"] = [
        b"Hello" in bytes(Note.objects.get().sealed),
        any(place.model is Note for place in sealed_places()),
    ]
    found["hanging"] = sum(places["notes_note.sealed"] for places in hanging(sealed_places()).values())
    found["table"] = "notes_note" in own().systems["troth"].tables
    found["input"] = CONTROL_INPUTS["unsent"]
    found["started"] = started.is_ready
    found["path"] = "/notes" in OURS

    found["page"] = b"1 notes" in client.get("/notes/").content
    found["console"] = client.get("/notes/console").status_code
    found["centre"] = b'href="/notes/"' in client.get("/your-data/").content
    found["role"] = "notes.see" in rights_of_role(StaffRole.AUDITOR)
    everything: Any = SimpleNamespace(may=lambda right: right == right_named("notes.see"))
    found["links"] = [page.title for page in pages_for(everything) if page.name != "console"]
    request: Any = SimpleNamespace(user=SimpleNamespace(pk=1), _troth_standing=(1, everything))
    found["console figures"] = [[figure.title, figure.number, figure.href] for figure in figures_for(request)]

    mailbox = folder / "mailbox"
    for part in ("new", "cur", "tmp"):
        (mailbox / part).mkdir(parents=True)
    (mailbox / "new" / "1").write_bytes(b"From: ben@example.org\r\nSubject: note\r\n\r\nHello\r\n")
    found["inbox"] = [
        read_mailbox(Mailbox(folder=mailbox), current().without_own, now=now),
        Note.objects.count(),
    ]
    monitor = tokens.make("monitor", ["metrics.read"], until=now + dt.timedelta(days=1), now=now)
    figures = client.get("/metrics", headers={"Authorization": f"Bearer {monitor}"}).content.decode()
    found["figures"] = "notes 2.0" in figures.splitlines()
    archive = folder / "evidence.zip"
    export_evidence(here, ledger_signer(keys, here.declaration.organisation), archive, ArchiveScope())
    with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as packed:
        found["evidence"] = [
            packed.read("notes.txt").decode(),
            sum(
                b'"note.left"' in base64.b64decode(json.loads(line)["entry"])
                for line in packed.read("ledger/entries.jsonl").splitlines()
            ),
        ]
    return found


def followed(letter: str) -> dict[str, Any]:
    """What the mailed link does, for a person of whom there is no case."""
    from django.test import Client

    from notes.models import Note
    from troth.service.cases.models import Case

    body = message_from_string(letter, policy=policy.default).get_body(("plain",))
    assert body is not None
    path = re.search(r"/your-data/link/\S+", body.get_content())
    assert path is not None
    visitor = Client(enforce_csrf_checks=True)
    shown = visitor.get(path[0])
    token = re.search(r'name="form-token" value="([^"]+)"', shown.content.decode())
    assert token is not None
    fetched = [b"Have you got a note?" in shown.content, len(visitor.cookies), Note.objects.get().seen_at is None]
    closed = visitor.get("/notes/seen").status_code
    forged = visitor.post(path[0]).status_code
    pressed = visitor.post(path[0], {"form-token": token[1]})
    return {
        "fetched": fetched,
        "closed": closed,
        "forged": forged,
        "pressed": [pressed.status_code, pressed["Location"], Note.objects.get().seen_at is not None],
        "inside": b"You have seen n0" in visitor.get("/notes/seen").content,
        "of a case": visitor.get("/your-data/case/").status_code,
        "cases": Case.objects.count(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
