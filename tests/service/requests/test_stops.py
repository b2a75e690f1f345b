"""What is said of a use that stops: every sentence is held against the rows that it rests on, in four languages."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import itertools
import random
import re
import sqlite3
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.utils.translation import gettext, override
from tests.service.requests.conftest import Office
from tests.service.requests.ending import end_tasks

from troth.hook import Answer, Ask, FileMemory, Hook, Right
from troth.service.cases import actions as case_actions
from troth.service.cases import lifecycle
from troth.service.cases.case_links import links_of
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, CaseState, Channel, WaitReason
from troth.service.core.jobs.models import Job
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.preferences.actions import stopped_uses
from troth.service.requests import actions
from troth.service.requests.models import CaseStep

DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {title: The newsletter, basis: consent, use: marketing.communications.email, data: [user.contact.email]}
  care: {title: Care calls, basis: legitimate_interests, interests: to help, use: essential.service, data: [user]}
  score: {title: Scoring, basis: legitimate_interests, interests: to know, use: essential.service, data: [user],
          objection: automatic}
systems:
  shop:
    title: The shop
    store: ${SHOP_DATABASE_URL}
    tables:
      person:
        key: id
        identity: {email: email}
        fields: {email: user.contact.email}
        marks:
          restricted: {column: on_hold, value: now}
          news: {column: news_off, value: "1", lifted: "0"}
          care: {column: care_off, value: "1", lifted: "0"}
          score: {column: score_off, value: "1", lifted: "0"}
        erase: delete
  desk:
    title: The help desk
    store: ${DESK_DATABASE_URL}
    owner: desk@example.org
    tables:
      ticket:
        key: id
        mentions: {email: email}
        fields: {email: user.contact.email}
        erase: delete
  mailer:
    title: The mailer
    store: hook:example_mailer
    asked: {answers: [view, erase, restrict, object, withdraw], by: [email]}
  archive: {title: The paper archive, store: task, owner: archive@example.org}
"""
MARKS = {"restricted": "on_hold", "news": "news_off", "care": "care_off", "score": "score_off"}
TITLES = {"shop": "The shop", "desk": "The help desk", "mailer": "The mailer", "archive": "The paper archive"}
PURPOSES = {"news": "The newsletter", "care": "Care calls", "score": "Scoring"}

ASKS = (("restrict", ""), ("withdraw", "news"), ("object", "news"), ("object", "care"), ("object", "score"))
MAILER = ("none", "done", "nothing", "refused", "not_answered", "down")
LANGUAGES = ("en", "de", "fr", "es")


@dataclasses.dataclass(frozen=True)
class World:
    """One combination: what is asked, which systems there are, and which of them hold the person."""

    right: str
    purpose: str
    language: str
    in_shop: bool
    in_desk: bool
    has_desk: bool
    mailer: str
    has_archive: bool
    ends_well: bool
    """Whether the people with tasks can do them, and whoever weighs an objection grants it."""

    @property
    def is_weighed(self) -> bool:
        return (self.right, self.purpose) == ("object", "care")

    @property
    def mark(self) -> str:
        return self.purpose or "restricted"


def every_world() -> Iterator[World]:
    yes_or_no = (True, False)
    for (right, purpose), language, mailer in itertools.product(ASKS, LANGUAGES, MAILER):
        for in_shop, in_desk, has_desk, has_archive, ends_well in itertools.product(*([yes_or_no] * 5)):
            if has_desk or not in_desk:
                yield World(right, purpose, language, in_shop, in_desk, has_desk, mailer, has_archive, ends_well)


# --- the company -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Told:
    """The office over one database and as many worlds as a test wants, one after the other."""

    office: Office
    answers: dict[str, Answer | None]
    """What the mailer answered, by case; None where it was out of reach."""
    number: int = 0
    how: str = "done"
    erased: set[str] = dataclasses.field(default_factory=set)
    """The cases for which the mailer was asked to erase."""

    def begin(self, world: World) -> str:
        """Make the company of *world*: the address of a person whom nobody has asked about yet."""
        self.number += 1
        self.how, who = world.mailer, f"ann+{self.number}@example.org"
        parts = re.split(r"(?m)^  (?=[a-z]+:)", DECLARATION.partition("systems:\n")[2])
        kept = [one for one in parts if self._is_there(one, world)]
        text = DECLARATION.partition("systems:\n")[0] + "systems:\n" + "".join(f"  {one}" for one in kept if one)
        (self.office.folder / "troth.yaml").write_text(text, encoding="utf-8")
        if world.in_shop:
            self.office.do(f"insert into person (email) values ('{who}')")
        if world.in_desk:
            self.do_desk(f"insert into ticket (email) values ('{who}')")
        return who

    @staticmethod
    def _is_there(part: str, world: World) -> bool:
        name = part.partition(":")[0]
        return {"desk": world.has_desk, "mailer": world.mailer != "none", "archive": world.has_archive}.get(name, True)

    def do_desk(self, script: str) -> None:
        with sqlite3.connect(self.office.folder / "desk.sqlite") as desk:
            desk.executescript(script)

    def desk_rows(self, who: str) -> int:
        return len(self.read_desk(f"select id from ticket where email = '{who}'"))

    def read_desk(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.office.folder / "desk.sqlite") as desk:
            return desk.execute(query).fetchall()

    def answer(self, ask: Ask) -> Answer:
        case = ask.id.partition(".")[0]
        if ask.right is Right.VIEW and case in self.erased:  # whether anything is still there
            return Answer.found({})
        self.erased |= {case} if ask.right is Right.ERASE else set()
        self.answers[case] = None
        if self.how == "down":
            raise ConnectionError("nobody there")
        found = {"contact": [{"name": "Ann"}]} if self.how == "done" else {}
        looks = ask.right in (Right.VIEW, Right.PORT)
        self.answers[case] = {
            "done": Answer.found(found) if looks else Answer.did(stopped=1),
            "nothing": Answer.found(found) if looks else Answer.did(stopped=0),
            "refused": Answer.refused("legal_hold"),
            "not_answered": Answer.refused("right_not_answered"),
        }[self.how]
        return self.answers[case]  # type: ignore[return-value]


def join(made: Told, monkeypatch: pytest.MonkeyPatch, *, shop: str, desk: str) -> None:
    """Make the tables of the shop and of the help desk, and let the mailer answer."""
    folder = made.office.folder
    made.office.do(shop)
    made.do_desk(desk)
    monkeypatch.setenv("DESK_DATABASE_URL", f"sqlite:///{folder}/desk.sqlite")
    module = types.ModuleType("example_mailer")
    hook = Hook(FileMemory(folder / "hook.sqlite"))
    hook.answers("view", "port", "amend", "erase", "restrict", "object", "withdraw")(made.answer)
    module.hook = hook  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "example_mailer", module)


@pytest.fixture
def told(office: Office, monkeypatch: pytest.MonkeyPatch) -> Told:
    made = Told(office, {})
    shop = (
        "create table person (id integer primary key, email text, on_hold text, news_off text, care_off text, "
        "score_off text)"
    )
    join(made, monkeypatch, shop=shop, desk="create table ticket (id integer primary key, email text)")
    return made


# --- what is true ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Truth:
    """How it stands at this moment, as the stores, the mailer and people show it."""

    told: Told
    world: World
    case: Case
    who: str
    item: str = ""
    """The line of a list that is looked at."""

    def named(self) -> str:
        """The system that the line is about."""
        title = self.item.partition(":")[0].strip()
        return next((name for name, known in TITLES.items() if known == title), "")

    def is_marked(self) -> bool:
        rows = self.told.office.rows(f"select {MARKS[self.world.mark]} from person where email = '{self.who}'")
        return bool(rows) and all(value not in (None, "", "0") for (value,) in rows)

    def step(self, system: str) -> CaseStep | None:
        return self.case.steps.filter(system=system).first()

    def is_done_by_a_person(self, system: str) -> bool:
        step = self.step(system)
        return step is not None and (step.way, step.state) == ("task", CaseStep.State.DONE)

    def has_stopped(self, system: str) -> bool:
        if system == "shop":
            return self.is_marked() or self.is_done_by_a_person(system)
        if system == "mailer":
            answer = self.told.answers.get(self.case.reference)
            return answer == Answer.did(stopped=1) or self.is_done_by_a_person(system)
        return self.is_done_by_a_person(system)

    def holds_nothing(self, system: str) -> bool:
        if system == "mailer":
            return self.told.answers.get(self.case.reference) == Answer.did(stopped=0)
        return not {"shop": self.world.in_shop, "desk": self.world.in_desk}.get(system, True)

    def is_undone(self, system: str) -> bool:
        step = self.step(system)
        return step is not None and step.state in (CaseStep.State.REFUSED, CaseStep.State.FAILED)

    def waits_for_a_person(self, system: str) -> bool:
        step = self.step(system)
        return step is not None and (step.way, step.state) == ("task", CaseStep.State.WAITING)

    def systems(self) -> list[str]:
        world = self.world
        there = {"shop": True, "desk": world.has_desk, "mailer": world.mailer != "none", "archive": world.has_archive}
        return [name for name, is_there in there.items() if is_there]

    def is_kept(self) -> bool:
        stopped = stopped_uses([("email", self.who)], self.told.office.deployment)
        return stopped.is_restricted if self.world.right == "restrict" else self.world.purpose in stopped.purposes


T = TypeVar("T", bound=Truth)
Is = Callable[[T], bool]
Holds = Callable[[T, str], bool]


def _for(*rights: str) -> Is[Truth]:
    return lambda truth: truth.world.right in rights


CLAIMS: Mapping[str, Is[Truth]] = {
    "A person has to weigh your objection": lambda truth: truth.case.needs == WaitReason.WEIGHING,
    "We have recorded your objection. A person has to weigh it, and we write to you what they decide.": lambda truth: (
        truth.case.needs == WaitReason.WEIGHING and truth.is_kept()
    ),
    "Your choice is recorded": Truth.is_kept,
    "We have recorded your choice. Below stands where we have seen it take effect; elsewhere we have not seen it "
    "yet.": lambda truth: truth.is_kept() and any(map(truth.has_stopped, truth.systems())),
    "We have recorded your choice. We have not seen it take effect in any system yet.": lambda truth: (
        truth.is_kept() and not any(map(truth.has_stopped, truth.systems()))
    ),
    "We have not seen this use stop in any system yet.": lambda truth: not any(map(truth.has_stopped, truth.systems())),
    "There we keep your data, and do nothing else with them without your consent, except for legal claims, to protect "
    "somebody else's rights, or for an important public interest (GDPR Art. 18(2)).": lambda truth: (
        truth.world.right == "restrict"
        and all(truth.has_stopped(name) or truth.holds_nothing(name) for name in truth.systems())
    ),
    "We will write to you before the restriction is lifted.": _for("restrict"),
    "To withdraw a consent does not make unlawful what rested on it before (GDPR Art. 7(3)).": _for("withdraw"),
    "We keep a coded mark of what you named yourself with, made with a secret key. A system of ours that asks for it "
    "before it uses your data is told not to.": Truth.is_kept,
    "We keep your choice with a coded mark of what you named yourself with, made with a secret key, so that it also "
    "counts for data that come in later: a system of ours that asks for it before it uses your data for this is told "
    "not to.": Truth.is_kept,
    "Your request to restrict the use of your data: what we did": _for("restrict"),
    "Your objection: what we did": _for("object"),
    "Your withdrawal of consent: what we did": _for("withdraw"),
    "The page of your request:": lambda truth: links_of([truth.case.pk], STATUS_LINK).exists(),
}
"""Each sentence, and what it rests on."""

LISTS: Mapping[str, Holds[Truth]] = {
    "The use has stopped here:": Truth.has_stopped,
    "The use of your data is restricted here:": Truth.has_stopped,
    "We searched here and found no data under what you gave us:": Truth.holds_nothing,
    "Here it could not be done:": Truth.is_undone,
    "Here a task asks a person to see to it. We write to you when it has ended:": Truth.waits_for_a_person,
}
"""Each heading of a list of systems, and what has to be so of every system under it."""
NAMED = ("We have recorded that you do not consent to this:", "You object to this use of your data:")
"""The headings of the purposes."""
FRAME = (
    "Hello,",
    "Reference: %(reference)s",
    "Your request was received: %(received)s",
    "Done: %(done)s",
    "You receive this letter because of what you asked %(name)s about your personal data. It is not advertising.",
    "If you do not agree, you may",
    "complain to us: write to %(email)s;",
    "complain to the supervisory authority: %(regulator)s (Art. 77 of the GDPR or of the UK GDPR);",
    "go to court (Art. 79 of the GDPR or of the UK GDPR).",
    "Our form for complaints:",
    "You may also appeal: on the page of your request, or by answering this letter.",
    "On %(on)s we will lift the restriction on the use of your data. From then on we use them again as our privacy "
    "policy says. We tell you beforehand, as the law asks (GDPR Art. 18(3)).",
)
"""What says nothing of the person's data."""
OURS = re.compile(r"Example Shop Ltd|1 High Street|privacy@example\.org|https?://\S+")


def untrue(
    text: str,
    truth: T,
    claims_of: Mapping[str, Is[T]],
    lists_of: Mapping[str, Holds[T]],
    frame_of: Sequence[str],
) -> list[str]:
    """The lines of a message that nothing shows, and those that nobody has said what they rest on."""
    wrong, heading = [], ""
    with override(truth.world.language):
        claims = {gettext(one): is_so for one, is_so in claims_of.items()}
        lists = {gettext(one): holds for one, holds in lists_of.items()}
        named = [gettext(one) for one in NAMED]
        frame = [re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(gettext(one))) for one in frame_of]
    for line in filter(None, (line.strip() for line in text.splitlines())):
        item = line.removeprefix("- ")
        if line.startswith("- ") and heading in lists:
            truth.item = item
            is_so = bool(named_there := truth.named()) and lists[heading](truth, named_there)
        elif line.startswith("- ") and heading in named:
            is_so = item == PURPOSES.get(truth.world.purpose)
        elif line in claims:
            is_so = claims[line](truth)
        else:
            is_so = line in (*lists, *named) or OURS.fullmatch(line) is not None
            is_so = is_so or any(re.fullmatch(one, item) for one in frame)
        heading = heading if line.startswith("- ") else line
        wrong += [] if is_so else [f"{heading} / {line}"]
    return wrong


READ = ("stopped", "stop_recorded")
"""The messages that say where a use has stopped."""


def unread(told: Told, case: Case, seen: set[int], read: Sequence[str] = READ) -> Iterator[tuple[str, str]]:
    """The kind and the text of each message about *case* to the person that nobody has read yet, subject and all."""
    for row in LetterRow.objects.filter(about=case.about).exclude(pk__in=seen).order_by("id"):
        seen.add(row.pk)
        if row.kind in read:
            yield row.kind, text_of(told, row)


def text_of(told: Told, row: LetterRow) -> str:
    """The subject and the text of a message that has not left."""
    packed = told.office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))
    message = email.message_from_bytes(packed[packed.index(b"From:") :], policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return f"{message['Subject']}\n{body.get_content()}"


def follow(told: Told, world: World) -> list[str]:
    """Go through *world* to its end: what was said and is not so, and what was owed and not said."""
    office, who = told.office, told.begin(world)
    purposes = (world.purpose,) if world.purpose else ()
    content = CaseContent(address=who, identifiers=(("email", who),), purposes=purposes)
    intake = receive.Intake(
        CaseKind.REQUEST, content, Channel.CENTRE, right=world.right, language=world.language, tier=1
    )
    case = receive.receive(intake, office.deployment, now=office.now())
    wrong, seen, kinds = [], set[int](), []

    def look() -> None:
        case.refresh_from_db()
        for kind, text in unread(told, case, seen):
            kinds.append(kind)
            wrong.extend(untrue(text, Truth(told, world, case, who), CLAIMS, LISTS, FRAME))

    office.work()
    look()
    if world.is_weighed:
        assert case.needs == WaitReason.WEIGHING
        assert kinds == ["stop_recorded"], "where the use has stopped meanwhile is said at once"
        assert Truth(told, world, case, who).is_marked() == world.in_shop
        if not world.ends_well:
            case_actions.refuse(
                case.pk, "Because.", "GDPR Art. 21(1)", office.deployment, who=lifecycle.RULE, now=office.now()
            )
            Job.objects.filter(kind="requests.lift", key=str(case.pk)).update(due_at=office.now())
            office.work()
            truth = Truth(told, world, case, who)
            return wrong + (["it goes on"] if truth.is_marked() or truth.is_kept() else [])
        actions.grant(case.pk, office.deployment, who=lifecycle.RULE, now=office.now())
        office.work()
        look()
    end_tasks(office, case, well=world.ends_well, silent="mailer" if world.mailer == "down" else "")
    look()
    truth = Truth(told, world, case, who)
    wrong += [] if case.state == CaseState.CLOSED and kinds[-1] == "stopped" else [f"{case.state}, {kinds}"]
    wrong += [] if truth.is_kept() else ["the choice is not kept"]
    wrong += [] if truth.is_marked() == world.in_shop else ["the shop is not marked"]
    steps = set(case.steps.values_list("system", flat=True))
    wrong += [f"nothing is said of {name}" for name in truth.systems() if name not in steps]
    return [f"{world}: {one}" for one in wrong]


def sample(count: int) -> list[World]:
    """Worlds at random, the same each time, with every ask and every answer of the mailer among the first of them."""
    worlds = list(every_world())
    random.Random(7).shuffle(worlds)
    seen, first = set[tuple[str, str, str]](), []
    for world in worlds:
        if (key := (world.right, world.purpose, world.mailer)) not in seen and world.has_desk:
            seen.add(key)
            first.append(world)
    return (first + [world for world in worlds if world not in first])[:count]


@pytest.mark.sampled
def test_every_sentence_of_a_stop_is_backed_by_a_row(told: Told) -> None:
    assert [one for world in sample(10) for one in follow(told, world)] == []


@pytest.mark.soak
def test_every_sentence_of_every_stop_is_backed_by_a_row(told: Told) -> None:
    assert [one for world in sample(600) for one in follow(told, world)] == []


def test_the_check_of_sentences_fails_on_a_claim_that_nothing_shows(told: Told) -> None:
    world = World("object", "news", "en", True, True, True, "done", True, True)
    who = told.begin(world)
    case = told.office.ask("object", who, purposes=("news",))
    truth = Truth(told, world, case, who)
    said = (
        "The use has stopped here:\n\n- The shop: the mark is set there, and we read it back\n- The archive: so it is"
    )
    assert len(untrue(said, truth, CLAIMS, LISTS, FRAME)) == 2
    assert len(untrue("We have stopped using your data.", truth, CLAIMS, LISTS, FRAME)) == 1


def test_every_sentence_of_these_messages_has_something_that_it_rests_on() -> None:
    known = {*CLAIMS, *LISTS, *NAMED, *FRAME}
    folder = Path(receive.__file__).parents[2] / "templates" / "mail"
    for name in ("stopped", "stop_recorded", "_stops", "_remembered"):
        text = (folder / f"{name}.txt").read_text(encoding="utf-8")
        assert {*re.findall(r'{% translate "(.+?)" %}', text)} <= known, name
