"""Letters: a mail server that refuses, hangs, or takes one without saying so."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

from django.db import transaction
from tests.rig.simulation.world import World

from troth.protect import Keyring
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.registry import Kind, Retry
from troth.service.core.jobs.running import RunningJob
from troth.service.core.models import EntryRow
from troth.service.mail import actions, sending
from troth.service.mail.message import Message
from troth.service.mail.models import LetterRow
from troth.service.mail.transports import Doubtful, MessageRefused, ServerUnreachable

KEYS = Keyring(b"\x01" * 32)
_CONTENT = b"From: us@example.org\r\n\r\nHello"
_ANN = KEYS.pseudonym("mail", "ann@example.org").text
_RETRY = Retry(waits=(dt.timedelta(seconds=20), dt.timedelta(seconds=60)))


class Letters:
    """None is lost; one that may have arrived twice says so; that it was sent is on record once."""

    def __init__(self) -> None:
        self.kinds: Mapping[str, Kind] = {
            "mail.send": Kind("mail.send", self._run, self._run, retry=_RETRY, at_once=1, batch=3)
        }

    def reset(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count()
        self._taken: Counter[str] = Counter()
        LetterRow.objects.all().delete()
        EntryRow.objects.all().delete()
        world.patch(sending, "time", SimpleNamespace(sleep=world.tasks.sleep))

    def act(self) -> None:
        once, now = f"l{next(self._numbers)}", self._world.tasks.now()
        packed = actions.packed(Message(f"<{once}@example.org>", "us@example.org", "ann@example.org", _CONTENT))
        with transaction.atomic():
            row = LetterRow.objects.create(
                once=once,
                kind="acknowledged",
                to=_ANN,
                language="en",
                message_id=f"<{once}@example.org>",
                sealed=KEYS.seal(packed, actions.letter_context(once)),
                queued_at=now,
                until=now + dt.timedelta(days=4),
            )
            enqueue("mail.send", str(row.pk), not_before=now, priority=HIGH)

    def _run(self, jobs: Sequence[RunningJob]) -> None:
        sending.send(jobs, keyring=KEYS, transport=self)

    # --- the mail server (`troth.service.mail.transports.MailTransport`) ------------------------------------------

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        world = self._world
        if world.is_hurt(0.1):
            raise ServerUnreachable("refused")
        if world.is_hurt(0.1):
            raise MessageRefused("451 4.3.0", for_good=False)
        world.tasks.sleep(world.rng.choice((0.0, 0.1, 0.1, 50.0)) if world.is_hurt(0.2) else 0.0)
        point_of_no_return()
        self._taken[message.id] += 1
        world.tasks.sleep(0.0)  # a process that is killed now does not get the answer
        if world.is_hurt(0.1):
            raise Doubtful("no answer to the message")

    def close(self) -> None:
        """Nothing to close."""

    def check(self) -> None:
        rows = list(LetterRow.objects.all())
        for row in rows:
            taken = self._taken[row.message_id]
            assert row.state == LetterRow.State.SENT, f"{row.once} is {row.state}: {row.reason}"
            assert taken >= 1, f"{row.once} is said to be sent, and no server took it"
            assert taken == 1 or row.repeated, f"{row.once} arrived {taken} times, and does not say so"
        kinds = Counter(bytes(row.content).count(b"letter.sent") for row in EntryRow.objects.all())
        assert kinds[1] == len(rows), f"{kinds[1]} entries for {len(rows)} letters"
