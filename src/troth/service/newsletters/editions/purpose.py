"""Control of purpose: whether each newsletter went to people whose address may serve it, and what shows that."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

from pydantic import ValidationError

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, NewsletterAudience, covers
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk.kinds import OF_COMPANY
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.newsletters.editions.audience import consent_time
from troth.service.newsletters.editions.kind import audience_table
from troth.service.newsletters.editions.preflight import PERIOD
from troth.service.preferences import rules
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import Permission, Reason
from troth.stores import Scalar
from troth.text import counted

_CHUNK = 2_000
_AT_ONCE = dt.timedelta(seconds=1)
"""A stop within this time of the hand-over may have come after it."""
_CLOCK = dt.timedelta(days=1)
_ZONES = dt.timedelta(hours=14)
"""A time without its zone may be of any."""
_GONE_MAX, _GONE_PART = 5, 4
"""Readers of an edition that may have left its audience: so many, or one part of so many. None where other rows were
its audience then."""


class Ground(Enum):
    """What shows that a message was for its reader's purpose: a choice, the audience, nothing any more, or nothing."""

    CHOICE = auto()
    AUDIENCE = auto()
    GONE = auto()  # the audience does not show them now
    NONE = auto()


@dataclass(frozen=True, slots=True)
class AddressedMail:
    """The newsletters of the last 90 days: *messages* by purpose, and by list those without a ground (*groundless*).
    *grounds* counts all. *misplaced* says of lists why an audience is not for their purpose, *unseen* why it could not
    be looked at."""

    messages: Counter[str] = field(default_factory=Counter)
    groundless: Counter[str] = field(default_factory=Counter)
    grounds: Counter[Ground] = field(default_factory=Counter)
    misplaced: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


def addressed_mail(context: object, now: dt.datetime) -> Callable[[], AddressedMail]:
    """Whom newsletters went to until *now*, looked at when asked."""
    assert isinstance(context, Deployment), "inputs are made from a deployment"
    return partial(addressed, context, now)


def addressed(deployment: Deployment, now: dt.datetime) -> AddressedMail:
    """What is on record at *now*, compared with the audiences as they are. Raises the errors of the company's store."""
    look = _Look(deployment.without_own)
    handed = EditionDelivery.objects.filter(handed_at__gt=now - PERIOD).exclude(edition__purpose="")
    for edition in Edition.objects.filter(pk__in=handed.values("edition")).order_by("pk"):
        rows = handed.filter(edition=edition).values_list("fingerprint", "basis", "handed_at")
        look.at(edition, rows.iterator(chunk_size=_CHUNK))
    return look.seen


class _Look:
    """Goes through editions, and reads each audience once."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment, self._declaration = deployment, deployment.declaration
        self._audiences: dict[str, Mapping[str, Scalar]] = {}
        self._misplaced: dict[str, str] = {}
        self._unseen: dict[str, str] = {}
        self.seen = AddressedMail(misplaced=self._misplaced, unseen=self._unseen)

    def at(self, edition: Edition, rows: Iterator[tuple[str, str, dt.datetime | None]]) -> None:
        name, grounds = edition.about.partition(":")[2], Counter[Ground]()
        audience = self._audience(edition, name)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            choices = defaultdict[str, list[Choice]](list)
            for choice in Choice.objects.filter(fingerprint__in=[row[0] for row in chunk]):
                choices[choice.fingerprint].append(choice)
            for who, basis, at in chunk:
                assert at is not None, "it was handed over"
                permission = _permission(choices.get(who, ()), edition.purpose, self._declaration, at, basis)
                grounds[ground_of(permission, basis, at, audience, who)] += 1
        self.seen.messages[edition.purpose] += grounds.total()
        self.seen.grounds.update(grounds)
        self.seen.groundless.update({name: grounds[Ground.NONE]} if grounds[Ground.NONE] else {})
        declared = self._declaration.newsletters.get(name)
        is_alike = declared is not None and edition.audience.get("where") == declared.audience.where
        if grounds[Ground.GONE] > (max(_GONE_MAX, grounds.total() // _GONE_PART) if is_alike else 0):
            self._unseen.setdefault(name, "too many people who got an edition are not in its audience now")

    def _audience(self, edition: Edition, name: str) -> Mapping[str, Scalar]:
        """What the column of consent says for each person in the audience of *edition*."""
        try:
            recorded = NewsletterAudience.model_validate(edition.audience)
        except ValidationError:
            self._misplaced[name] = "it is not on record where the recipients of an edition were read"
            return {}
        if wrong := misplaced(recorded, edition.purpose, self._declaration):
            self._misplaced[name] = wrong
        newsletter = self._declaration.newsletters.get(name)
        if newsletter is None or newsletter.purpose != edition.purpose:
            self._unseen[name] = "it is not declared like this any more"
        elif (recorded.table, recorded.email) != (newsletter.audience.table, newsletter.audience.email):
            self._unseen[name] = f"an edition went to {recorded.table}, which is not its audience now"
        elif not self._declaration.systems[recorded.table.partition(".")[0]].purposes:
            self._unseen[name] = f"the system of {recorded.table} does not say which purposes it serves"
        else:
            if name not in self._audiences:
                with audience_table(newsletter, self._deployment) as table:
                    self._audiences[name] = table.consents()
            return self._audiences[name]
        return {}


def misplaced(audience: NewsletterAudience, purpose: str, declaration: Declaration) -> str:
    """Why the addresses of *audience* may not serve *purpose*, by the declaration; empty if they may."""
    system, table = declaration.systems.get(audience.table.partition(".")[0]), declaration.table_at(audience.table)
    declared = declaration.purposes.get(purpose)
    if system is not None and system.purposes and purpose not in system.purposes:
        return f"{audience.table} holds addresses for other purposes than {purpose}"
    use = table.fields.get(audience.email) if table is not None else None
    category = use.category if use is not None else "user.contact.email"
    if declared is not None and not any(covers(broad, category) for broad in declared.data):
        return f"{purpose} does not name e-mail addresses among its data"
    return ""


def _permission(
    choices: Sequence[Choice], purpose: str, declaration: Declaration, at: dt.datetime, basis: str
) -> Permission:
    """What the choices allowed at *at*. A clock may have been ahead when consent was recorded, which the *basis* says
    was there."""
    moments = [at, at - _AT_ONCE, *([at + _CLOCK] if basis == Reason.GIVEN else [])]
    several = [rules.may(choices, purpose, declaration, at=moment) for moment in moments]
    return min(several, key=lambda it: (not it.allowed, it.reason != Reason.NO_CONSENT))


def ground_of(permission: Permission, basis: str, at: dt.datetime, audience: Mapping[str, Scalar], who: str) -> Ground:
    """What shows that a message at *at* was for the purpose of *who*'s address. *basis* is what was recorded when it
    was handed over; *audience* has what the column of consent says for each person."""
    if not basis or not (permission.allowed or permission.reason == Reason.NO_CONSENT):
        return Ground.NONE
    if permission.reason == Reason.GIVEN:
        return Ground.CHOICE
    if permission.reason == Reason.NO_CONSENT and basis != OF_COMPANY:
        return Ground.NONE
    if who not in audience:
        return Ground.GONE
    consented = consent_time(audience[who])
    is_shown = permission.allowed or (consented is not None and consented - _ZONES <= at)
    return Ground.AUDIENCE if is_shown else Ground.NONE


@answers("mail.purpose")
def purpose(addressed_mail: Callable[[], AddressedMail], now: dt.datetime) -> ControlResult:
    """GDPR Art. 5(1)(b); PECR reg. 22: each newsletter went to addresses that serve its purpose, by a choice or consent
    of the person where it rests on consent."""
    mail = addressed_mail()
    total = mail.messages.total()
    fix = "stop the newsletter, and find out how these addresses got into it"
    findings = [ControlFinding(f"newsletter {name}", why, fix) for name, why in sorted(mail.misplaced.items())]
    findings += [
        ControlFinding(f"newsletter {name}", f"nothing shows that {counted(count, 'message')} may have been sent", fix)
        for name, count in sorted(mail.groundless.items())
    ]
    unseen = {f"newsletter {name} ({why})" for name, why in mail.unseen.items()}
    gone = mail.grounds[Ground.GONE]
    looked = frozenset({"editions"})
    evidence = Evidence(
        looked | unseen, looked, population=total, tested=total - gone, excluded=gone, period=(now - PERIOD, now)
    )
    shares = ", ".join(f"{count:,} for {name}" for name, count in sorted(mail.messages.items()))
    summary = f"{counted(total, 'message')} within {PERIOD.days} days ({shares}): {mail.grounds[Ground.CHOICE]:,} by a "
    summary += f"choice of the person, {mail.grounds[Ground.AUDIENCE]:,} by the audience, {gone:,} to people whom it "
    summary += f"does not show now, {mail.groundless.total():,} without a ground."
    figures = {"messages": total, **{f"for {name}": count for name, count in sorted(mail.messages.items())}}
    figures |= {"not in the audience now": gone, "without a ground": mail.groundless.total()}
    if not total:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No edition went out within 90 days.", evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
