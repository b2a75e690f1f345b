"""A company for the tests of answers that has more to correct, to take along and to tell others of than that of
`test_stops`: names and phone numbers, an invoice that a law keeps, and recipients of data."""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest
from django.utils.translation import gettext
from tests.rig.disclosing import disclose
from tests.service.requests.conftest import Office
from tests.service.requests.ending import end_tasks
from tests.service.requests.test_stops import TITLES, Told, Truth, World, join, text_of, unread

from troth.declaration import title
from troth.hook import Answer, AnswerState, Ask
from troth.hook import Right as AskedRight
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.disclosures.models import DisclosureKind as Went
from troth.service.disclosures.models import RecipientNotification
from troth.subjects import Identity

DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01, language: LANGUAGE}
purposes:
  orders: {title: Orders, basis: contract, use: essential.service, data: [user.name, user.contact.email]}
  care: {title: Care calls, basis: legitimate_interests, interests: to help, use: essential.service, data: [user]}
recipients:
  post: {title: Example Post, role: POST, country: GB, receives: [user],
         contact: privacy@post.example.org, contract: post.pdf, contract_until: 2030-01-01,
         feed: {table: shop.person, where: {posted: "yes"}}}
  books: {title: Example Books, role: processor, country: GB, receives: [user.name, user.contact.email],
          contact: privacy@books.example.org, contract: books.pdf, contract_until: 2030-01-01,
          feed: {table: shop.bill}}
  partner: {title: Example Partner, role: controller, country: GB, receives: [user],
            contact: privacy@partner.example.org}
systems:
  shop:
    title: The shop
    store: ${SHOP_DATABASE_URL}
    tables:
      person:
        key: id
        identity: {email: email}
        fields: {email: user.contact.email, name: user.name, phone: user.contact.phone_number}
        marks:
          restricted: {column: on_hold, value: now}
        erase: delete
      bill:
        key: id
        belongs_to: {person_id: person.id}
        fields: {billed: user.name}
        keep: {for: 6 years, from: issued_at, because: tax law wants invoices, cite: VATA 1994 Sch 11,
               meanwhile: {person_id: null}}
        erase: delete
  desk:
    title: The help desk
    store: ${DESK_DATABASE_URL}
    owner: desk@example.org
    purposes: [care]
    tables:
      ticket:
        key: id
        identity: {email: email}
        fields: {email: user.contact.email, phone: user.contact.phone_number}
        erase: delete
  mailer:
    title: The mailer
    store: hook:example_mailer
    purposes: [MAILS]
    asked: {answers: [view, port, amend, erase, restrict, object, withdraw], by: [email], HOLDS}
  archive: {title: The paper archive, store: task, owner: archive@example.org}
retention: {invoices: {table: shop.bill, for: 6 years, from: issued_at}}
"""
SCHEMA = """
create table person (id integer primary key, email text, name text, phone text, posted text, on_hold text);
create table bill (id integer primary key, person_id integer, billed text, issued_at text);
"""
RECIPIENTS = {"post": "Example Post", "books": "Example Books", "partner": "Example Partner"}
EMAIL, NAME, PHONE = "user.contact.email", "user.name", "user.contact.phone_number"
OLD = {NAME: "Ann", PHONE: "+44 1632 960001"}
NEW = {NAME: "Anna", PHONE: "+44 1632 960009"}
OTHER = "+44 1632 960008"
"""Another new number: for one column alone."""
COLUMNS = {
    "shop.person.name": NAME,
    "shop.person.phone": PHONE,
    "shop.bill.billed": NAME,
    "desk.ticket.phone": PHONE,
}
WANTED: Mapping[str, Mapping[str, str]] = {
    "name": {NAME: NEW[NAME]},
    "phone": {PHONE: NEW[PHONE]},
    "both": NEW,
    "a column": {"shop.person.name": NEW[NAME]},
    "two columns": {"shop.person.phone": NEW[PHONE], "desk.ticket.phone": OTHER},
    "the invoice": {"shop.bill.billed": NEW[NAME], PHONE: NEW[PHONE]},
}
"""What a correction asks for."""
STATES = ("old", "new", "empty")


@dataclasses.dataclass(frozen=True)
class Company(World):
    """One combination: besides what a `World` says, the values that are held and what went to others."""

    wanted: str = "name"
    name: str = "old"
    """How the name reads in the shop: one of `STATES`."""
    phone: str = "old"
    """How the number reads, in the shop and at the desk."""
    billed: str = ""
    """How the name reads on an invoice, which a law keeps; empty without one."""
    is_mailed_for_orders: bool = True
    holds_name: bool = True
    """Whether the mailer says that it holds the name, or says nothing of what it holds."""
    posted: bool = True
    """Whether the feed of a recipient names the row in the shop."""
    post_is: str = "processor"
    registered: str = ""
    """Of whom the register says that data went to a partner: nobody, another person, or what went there of this one."""

    @property
    def went_by_register(self) -> frozenset[str]:
        return {"name": frozenset({EMAIL, NAME}), "phone": frozenset({EMAIL, PHONE})}.get(self.registered, frozenset())


def value(category: str, state: str) -> str | None:
    return {"old": OLD[category], "new": NEW[category]}.get(state)


def quoted(text: str | None) -> str:
    return "null" if text is None else f"'{text}'"


@dataclasses.dataclass
class Firm(Told):
    """The office over the companies of a test, one after the other."""

    mailed: dict[str, str] = dataclasses.field(default_factory=dict)
    """The names that the mailer has, by the person's address."""

    def begin(self, world: World) -> str:
        assert isinstance(world, Company)
        self.number += 1
        self.how, who = world.mailer, f"ann+{self.number}@example.org"
        head, _, systems = DECLARATION.partition("systems:\n")
        systems, _, tail = systems.partition("retention:")
        parts = [one for one in re.split(r"(?m)^  (?=[a-z]+:)", systems) if one and self._is_there(one, world)]
        text = head + "systems:\n" + "".join(f"  {one}" for one in parts) + "retention:" + tail
        text = text.replace("LANGUAGE", world.language).replace("POST", world.post_is)
        text = text.replace("MAILS", "orders" if world.is_mailed_for_orders else "care")
        text = text.replace(", HOLDS", ", holds: {name: user.name}" if world.holds_name else "")
        (self.office.folder / "troth.yaml").write_text(text, encoding="utf-8")
        self._lay_down(world, who)
        return who

    def _lay_down(self, world: Company, who: str) -> None:
        if world.in_shop:
            values = [self.number, who, value(NAME, world.name), value(PHONE, world.phone)]
            row = ", ".join(map(quoted, [*map(str, values[:2]), *values[2:], "yes" if world.posted else "no"]))  # type: ignore[arg-type]
            self.office.do(f"insert into person (id, email, name, phone, posted) values ({row})")
            if world.billed:
                billed = quoted(value(NAME, world.billed))
                self.office.do(f"insert into bill values ({self.number}, {self.number}, {billed}, '2026-01-01')")
        if world.in_desk:
            self.do_desk(f"insert into ticket (email, phone) values ('{who}', {quoted(value(PHONE, world.phone))})")
        if world.mailer == "done":
            self.mailed[who] = OLD[NAME]
        if world.registered:
            about, now = who if world.went_by_register else "ben@example.org", self.office.now()
            what, desk = sorted(world.went_by_register or {EMAIL}), self.office.deployment
            disclose(
                [Identity.of(email=about)],
                to="partner",
                categories=what,
                purpose="orders",
                kind=Went.PROCESSOR,
                declaration=desk.declaration,
                keyring=desk.keyring,
                now=now,
            )

    def answer(self, ask: Ask) -> Answer:
        """As that of `Told`; and a name that is to be corrected is, where it has one."""
        who, case = str(ask.email), ask.id.partition(".")[0]
        if ask.right is AskedRight.AMEND and self.how in ("done", "nothing"):
            new = next((str(new) for key, new in ask.changes.items() if key in ("name", NAME)), None)
            is_other = who in self.mailed and new is not None and self.mailed[who] != new
            if is_other:
                self.mailed[who] = str(new)
            self.answers[case] = Answer.did(amended=int(is_other))
            return Answer.did(amended=int(is_other))
        if ask.right in (AskedRight.VIEW, AskedRight.PORT) and self.how == "done" and case not in self.erased:
            found = Answer.found({"contact": [{"name": self.mailed[who]}]})
            self.answers.setdefault(case, found)
            return found
        if ask.right is AskedRight.ERASE and self.how == "done":
            self.mailed.pop(who, None)
        return super().answer(ask)


@pytest.fixture
def firm(office: Office, monkeypatch: pytest.MonkeyPatch) -> Firm:
    made = Firm(office, {})
    desk = "create table ticket (id integer primary key, email text, phone text)"
    join(made, monkeypatch, shop=SCHEMA, desk=desk)
    return made


@dataclasses.dataclass
class Known(Truth):
    """How it stands, of a `Company`. `before` is what the stores and the mailer held of each category at the start, by
    place."""

    told: Firm
    world: Company
    before: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    recipient: str = ""
    """To whom the message goes that is looked at; empty where it goes to the person."""
    text: str = ""
    """That message."""

    def named(self) -> str:
        """The system, the recipient, the category or the address that a line begins with."""
        begun = self.item.partition(":")[0].strip()
        known = {text: name for name, text in (TITLES | RECIPIENTS).items()}
        known |= {gettext(title(category)): category for category in (EMAIL, NAME, PHONE)} | {self.who: self.who}
        if key := re.match(rf".+: ({'|'.join(map(re.escape, (EMAIL, NAME, PHONE)))})\)", self.item):
            return key[1]
        return known.get(begun, "")

    def now(self) -> Mapping[str, str | None]:
        return held(self.told, self.who)

    def changed(self) -> dict[str, str | None]:
        """The columns that read otherwise than before, and how."""
        now = self.now()
        return {place: now.get(place) for place, was in self.before.items() if now.get(place) != was}

    def acted(self, system: str) -> bool:
        """Whether the system said that it did something, or a person that they did it there."""
        answer = self.told.answers.get(self.case.reference)
        return self.is_done_by_a_person(system) or (
            system == "mailer" and answer is not None and answer.state is AnswerState.DONE
        )

    @property
    def wanted(self) -> Mapping[str, str]:
        return WANTED[self.world.wanted] if self.world.right == "amend" else {}

    def reach(self, target: str) -> list[str]:
        """The places that hold what a correction names: a column, or all of a category but what a law keeps."""
        if target in COLUMNS:
            return [target] if target in self.before else []
        categories = {**COLUMNS, "mailer.name": NAME}
        return [place for place in self.before if categories[place] == target and place != "shop.bill.billed"]

    def is_corrected(self, target: str, table: str = "") -> bool:
        """Whether a value that it names, in *table* or anywhere, reads as asked for now and did not before, or a person
        corrected it."""
        changed = self.changed()
        places = [place for place in self.reach(target) if place.startswith(table)]
        is_here = any(changed.get(place) == self.wanted[target] for place in places)
        return is_here or (not table and self.is_done_by_a_person("archive"))

    def is_unclear(self, target: str) -> bool:
        """Whether the mailer alone may have corrected it, and does not say which of several values it changed."""
        places = [place for place in self.changed() if place in self.reach(target) and place != "mailer.name"]
        is_alone = not places and not self.is_done_by_a_person("archive")
        return is_alone and self.acted("mailer") and not self.world.holds_name and len(self.wanted) > 1

    def targets(self, category: str) -> list[str]:
        """What the correction names of one category."""
        return [target for target in self.wanted if COLUMNS.get(target, target) == category]

    def keeps_a_bill(self) -> bool:
        return any(place == "shop.bill.billed" for place in self.before)

    def sent(self, recipient: str) -> frozenset[str]:
        """The categories of the person that went to a recipient, by its feed or by the register."""
        if recipient == "post":
            return frozenset({NAME, EMAIL, PHONE} if self.world.posted and self.world.in_shop else ())
        if recipient == "books":
            return frozenset({NAME} if self.keeps_a_bill() else ())
        return self.world.went_by_register


def held(told: Firm, who: str) -> dict[str, str | None]:
    """What is held of one person, by place."""
    found: dict[str, str | None] = {}
    for name, phone in told.office.rows(f"select name, phone from person where email = '{who}'"):
        found |= {"shop.person.name": name, "shop.person.phone": phone}
    number = who.partition("+")[2].partition("@")[0]
    for (billed,) in told.office.rows(f"select billed from bill where id = {number}"):
        found["shop.bill.billed"] = billed
    for (phone,) in told.read_desk(f"select phone from ticket where email = '{who}'"):
        found["desk.ticket.phone"] = phone
    return found | ({"mailer.name": told.mailed[who]} if who in told.mailed else {})


def answered(told: Firm, world: Company, read: tuple[str, ...]) -> tuple[Known, list[tuple[str, str]]]:
    """Go through *world* to its end: how it stands then, and the kind and text of each message to the person."""
    office, who = told.office, told.begin(world)
    changes = WANTED[world.wanted] if world.right == "amend" else {}
    content = CaseContent(address=who, identifiers=(("email", who),), changes=dict(changes))
    intake = receive.Intake(
        CaseKind.REQUEST, content, Channel.CENTRE, right=world.right, language=world.language, tier=1
    )
    before = held(told, who)
    case = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    end_tasks(office, case, well=world.ends_well, silent="mailer" if world.mailer == "down" else "")
    case.refresh_from_db()
    truth = Known(told, world, case, who, before=before)
    return truth, list(unread(told, case, set(), read))


def notices(told: Firm, case: Case) -> Iterator[tuple[str, str]]:
    """Each recipient that a message about *case* went to, and the message."""
    for notice in (
        RecipientNotification.objects.filter(case=case.reference).exclude(letter=None).select_related("letter")
    ):
        assert notice.letter is not None
        yield notice.recipient, text_of(told, notice.letter)


def shuffled(first: Sequence[Company], worlds: Iterable[Company], count: int, *, of: int, seed: int) -> list[Company]:
    """So many companies: those that are always looked at, then a sample of the first *of* (or *count*) *worlds*."""
    others = list(itertools.islice(worlds, max(count, of)))
    random.Random(seed).shuffle(others)
    return [*first, *others][:count]
