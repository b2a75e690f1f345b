"""What goes on from a restored backup of Troth's own database: nothing waits in vain, and no number is told twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import mailbox
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from tests.rig.jobs import run_due
from tests.service.api.test_webhooks import Receiver, receiver  # noqa: F401 - the fixture
from tests.service.requests.conftest import Office, office  # noqa: F401 - the fixture

from troth.service.api import webhooks
from troth.service.cases.models import Case
from troth.service.configuration import MailServer, ServiceError
from troth.service.core.jobs.models import WorkerRow
from troth.service.core.models import EntryRow
from troth.service.core.restored import begin_again


def backed_up(office: Office, target: Path) -> None:  # noqa: F811
    if connection.vendor == "postgresql":
        subprocess.run(["pg_dump", "--format=custom", f"--file={target}", office.settings.database.url()], check=True)
    else:
        with contextlib.closing(sqlite3.connect(office.settings.database.name)) as whole:
            whole.execute("VACUUM INTO ?", [str(target)])


def brought_back(office: Office, backup: Path) -> None:  # noqa: F811
    connections.close_all()
    if connection.vendor == "postgresql":
        to = f"--dbname={office.settings.database.url()}"
        subprocess.run(["pg_restore", "--clean", "--if-exists", "--no-owner", to, backup], check=True)
    else:
        file = Path(office.settings.database.name)
        for end in ("", "-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        file.write_bytes(backup.read_bytes())


def test_what_waited_goes_again_under_its_own_name_and_new_numbers_are_new(
    office: Office,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    tmp_path: Path,
    settings: Any,
) -> None:
    keys = office.deployment.keyring
    webhooks.make(receiver.url, ["case.received"], keys=keys, now=office.now())
    case = office.ask("erase")
    backed_up(office, tmp_path / "backup")

    def sent() -> set[str]:
        way_out = MailServer(folder=tmp_path / "mail", maildir=True)
        settings.TROTH = replace(settings.TROTH, mail=way_out)
        run_due(None, "mail", "api.webhook")
        return {str(letter["Message-ID"]) for letter in mailbox.Maildir(tmp_path / "mail")}

    before = sent()
    lost = office.ask("view", "ben@example.org")
    office.prove(case)
    office.work()
    sent()
    told = [headers["webhook-id"] for headers, _ in receiver.taken]
    assert len(before) == 1
    assert len(set(told)) == 2

    brought_back(office, tmp_path / "backup")
    begin_again(now=office.now())
    for letter in (tmp_path / "mail" / "new").iterdir():
        letter.unlink()
    assert sent() == before, "the same letter, which a mail system knows by its Message-ID"
    again = [headers["webhook-id"] for headers, _ in receiver.taken[2:]]
    assert again == told[:1]
    fresh = office.ask("view", "chloe@example.org")
    assert fresh.reference != lost.reference
    sent()
    assert receiver.taken[-1][0]["webhook-id"] not in told
    office.prove(Case.objects.get(pk=case.pk))
    office.work()  # Ann is gone from the shop, and the case ends all the same
    assert Case.objects.get(pk=case.pk).state == "closed"
    assert any(b"records.restored" in bytes(row.content) for row in EntryRow.objects.all())


def test_a_restore_is_not_completed_while_a_worker_runs(office: Office) -> None:  # noqa: F811
    now = office.now()
    WorkerRow.objects.create(name="alive", begun_at=now, lease_until=now + dt.timedelta(seconds=9))
    with pytest.raises(ServiceError, match="a worker runs"):
        begin_again(now=now)
    begin_again(now=now + dt.timedelta(seconds=10))
