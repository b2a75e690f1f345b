"""Days of ordinary business at an invented company, and what every control says each evening: one JSON object a day.

    python -m tests.rehearsal.month FOLDER DECLARATION DAYS

Customers come, order, and write; rows are disposed of when their period is over; people see, correct and erase their
data, complain and ask; staff come, leave and have their access reviewed. Nothing of it breaks a promise.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

import time_machine

from troth.controls import controls_of
from troth.rehearsal import InventedPerson, Inventor, World
from troth.rehearsal.stored_forms import StoredForms
from troth.rehearsal.task import RehearsalTask
from troth.rows import Disposal, carry_out, map_data, plan_disposal, select
from troth.service.assurance.rehearsal import process

JOBS = (
    "core.disposal",
    "core.epochs",
    "core.resealing",
    "core.scrubbing",
    "core.run",
    "mail",
    "api",
    "staff",
    "requests",
    "portal",
)


def main(folder: Path, declaration: Path, days: int) -> None:
    os.environ |= process.environment(folder, declaration)
    logging.disable(logging.CRITICAL)
    (folder / "world").mkdir(parents=True, exist_ok=True)
    begun = dt.datetime.now(dt.UTC)
    world = process.invented(RehearsalTask(declaration, {}, {}, folder, begun))
    company = _Company(world, random.Random(7))
    for number in range(1, days + 1):
        world.now = begun + dt.timedelta(days=number, hours=number % 5)
        with time_machine.travel(world.now):
            company.live_a_day(number)
            checks = process.look_at(world, sorted(controls_of(world.declaration)))
        faults = {
            id_: [check.summary, *(f"{it.place}: {it.message}" for it in check.findings[:3])]
            for id_, check in checks.items()
            if check.outcome == "fail"
        }
        passed = sum(check.outcome == "pass" for check in checks.values())
        print(json.dumps({"day": number, "passed": passed, "faults": faults}), flush=True)


class _Company:
    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.people = list(world.people[2:-1])
        self.colleagues: list[Any] = []

    def live_a_day(self, number: int) -> None:
        from troth.service.core.deployment import given
        from troth.service.core.keys import keyring

        self.world.keyring = keyring(self.world.folder / "home")
        self.world.site.behind.forget()
        with given(process.deployment_of(self.world)):
            self._customers(number)
            self._dispose()
            self._requests(number)
            self._letters()
            self._staff(number)
            self._work()
        self.world.keyring = keyring(self.world.folder / "home")

    def _customers(self, number: int) -> None:
        """New people, and what they leave in every system."""
        world = self.world
        people = [InventedPerson(1_000 + 10 * number + at) for at in range(3)]
        inventor = Inventor(
            world.declaration,
            world.stores.schemas,
            world.now,
            seal=StoredForms(world.declaration, world.keyring),
            first=process.PEOPLE + 3 * (number - 1),
        )
        for row in inventor.fill(people):
            if row.person is not None:
                world.stores.insert(row.place, [row], world.declaration)
        self.people += people

    def _dispose(self) -> None:
        """The company deletes what is past its period."""
        from troth.service.core.deployment import current
        from troth.service.core.journal import DatabaseJournal

        deployment = current().without_own
        today = self.world.now.date()
        for rule in self.world.declaration.retention.values():
            with deployment.stores() as stores:
                map_ = map_data(deployment.declaration, {name: store.describe() for name, store in stores.items()})
                for selection in select(map_, stores, Disposal.of(rule, today)):
                    plan = plan_disposal(
                        selection,
                        declaration_hash=deployment.declaration.hash,
                        keyring=deployment.keyring,
                        now=self.world.now,
                    )
                    carry_out(
                        plan,
                        stores,
                        keyring=deployment.keyring,
                        journal=DatabaseJournal(),
                        now=lambda: self.world.now,
                    )

    def _requests(self, number: int) -> None:
        """Somebody asks for something; what waits for a decision of staff since yesterday gets it."""
        from troth.service.cases.actions import refuse
        from troth.service.cases.lifecycle import Actor
        from troth.service.cases.models import Case, WaitReason
        from troth.service.core.deployment import current
        from troth.service.requests.rehearsal import _ask

        who, now = Actor("staff"), self.world.now
        for case in Case.objects.filter(closed_at=None, needs__in=[WaitReason.WEIGHING, WaitReason.REVIEW]):
            refuse(
                case.pk, "We need it to answer your orders.", "GDPR Art. 21(1)", current().without_own, who=who, now=now
            )
        person = self.people[self.rng.randrange(len(self.people))]
        right = ("view", "erase", "port", "object", "restrict")[number % 5]
        _ask(self.world, right, person)
        if right == "erase":
            self.people.remove(person)

    def _letters(self) -> None:
        """A complaint and a question arrive; those of yesterday are answered."""
        from troth.service.cases.lifecycle import Actor
        from troth.service.cases.models import Case, CaseKind
        from troth.service.complaints.actions import answer
        from troth.service.complaints.rehearsal import _write
        from troth.service.core.deployment import current

        kinds = (CaseKind.COMPLAINT, CaseKind.QUESTION)
        for case in Case.objects.filter(kind__in=kinds, closed_at=None):
            who, now = Actor("staff"), self.world.now
            answer(case.pk, "We have looked into it.", current().without_own, who=who, now=now)
        for kind in kinds:
            _write(self.world, kind)

    def _staff(self, number: int) -> None:
        from django.utils.crypto import get_random_string

        from troth.service.staff import actions
        from troth.service.staff.factors import fresh_codes
        from troth.service.staff.models import Grant
        from troth.service.staff.rehearsal import _look
        from troth.service.staff.rights import StaffRole
        from troth.service.staff.undertaking import document_hash

        now = self.world.now
        _look(self.world, next(iter(self.world.declaration.purposes)))
        if number % 7 == 3:
            member, token = actions.invite(f"ben.{number}@example.org", [StaffRole.HANDLER], reason="new", now=now)
            actions.accept(token, get_random_string(20), now=now)
            member.user.last_login = now
            member.user.save(update_fields=["last_login"])
            self.colleagues.append(member)
        if number % 7 == 4 and self.colleagues:  # the day after the password
            actions.sign(self.colleagues[-1], document_hash(), now=now)
            fresh_codes(self.colleagues[-1].user)
        if number % 7 == 6 and self.colleagues:
            actions.leave(self.colleagues.pop(0), now=now)
        if number == 20:
            actions.review(list(Grant.objects.filter(ended_at=None)), [], now=now)

    def _work(self) -> None:
        """The jobs of the day, the mailbox, the canary, and those who look from outside."""
        from troth.service.assurance.rehearsal import canaries, outside
        from troth.service.core import timestamps
        from troth.service.core.clock import Pulse, beat
        from troth.service.core.jobs.worker import Pace, run_jobs
        from troth.service.core.rehearsal import conclude
        from troth.service.mail.inbox.reading import READ_AT

        beat(self.world.now, Pulse())
        for _ in range(4):  # batches wait a moment for further requests
            self.world.now += dt.timedelta(minutes=5)
            run_jobs(
                threading.Event(), clock=lambda: self.world.now, pace=Pace(look_s=0.02), only=JOBS, until_idle=True
            )
        timestamps.note(READ_AT, self.world.now)
        outside.ordinary(self.world)
        canaries.ordinary(self.world)
        conclude(self.world)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
