"""The control on counting: nobody who did not consent gets an image or a link that counts how they read."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Basis, Declaration, Purpose
from troth.declaration.newsletters import Newsletter
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk.kinds import EditionRecipient
from troth.service.mail.message import Message
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight import Expected
from troth.service.mail.preflight.content import host_of, link_faults
from troth.service.mail.preflight.headers import is_aligned
from troth.service.mail.preflight.parts import take_apart
from troth.service.mail.rules import Letter, LetterRefused, write
from troth.service.mail.stops import tokens
from troth.service.newsletters.editions.kind import EDITIONS, KIND
from troth.service.newsletters.statistics.links import is_counted
from troth.service.preferences import rules
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import Reason
from troth.text import counted

_PERIOD = dt.timedelta(days=90)
_AT_ONCE = dt.timedelta(seconds=1)
"""A choice within this time of a hand-over may have come before it or after it."""
_EDITIONS_MAX = 100
"""Editions of each newsletter that are looked at, the newest first."""
_BATCH = 2_000
_PK = 2**47
"""The invented deliveries, of which there are no real ones."""
_FETCHED = re.compile(
    r"(?:\b(?:src|srcset|background|poster|data)\s*=\s*[\"']?|url\(\s*[\"']?|@import\s+[\"']?)\s*"
    r"((?:https?:)?//[^\s\"')>]+)",
    re.I,
)
"""What a mail program fetches by itself."""
_OTHER_MAIL = "other e-mails"
_RECEIPTS = ("disposition-notification-to", "return-receipt-to", "x-confirm-reading-to")
_SIGNATURE = re.compile(rb"^DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*", re.I | re.M)
State = EditionDelivery.State


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """How many *messages* went out within 90 days, how many of them count how they are read, and how many of these went
    to people who had not consented to it, by list. How many *lists* are declared; how many editions were *made* out now
    to invented people who did not consent, how many could not be (*unmade*), a text of our own or the newest of a list
    among them (*unseen*), and the faults, by list."""

    messages: int = 0
    counting: int = 0
    unconsented: Counter[str] = field(default_factory=Counter)
    lists: int = 0
    unseen: int = 0
    made: int = 0
    unmade: int = 0
    faults: Mapping[str, Collection[str]] = field(default_factory=dict)


def tracking(context: object, now: dt.datetime) -> TrackingFigures:
    """Figures at *now*."""
    assert isinstance(context, Deployment), "inputs are made from a deployment"
    handed = EditionDelivery.objects.filter(handed_at__gt=now - _PERIOD).filter(
        state__in=[State.SENT, State.IN_DOUBT, State.HANDING_OVER]
    )
    declaration, unconsented = context.declaration, Counter[str]()
    rows = handed.filter(is_counted=True).select_related("edition").iterator(chunk_size=_BATCH)
    while deliveries := list(islice(rows, _BATCH)):
        choices = dict[str, list[Choice]]()
        for choice in Choice.objects.filter(fingerprint__in={delivery.fingerprint for delivery in deliveries}):
            choices.setdefault(choice.fingerprint, []).append(choice)
        for it in deliveries:
            if not _had_consented(it, choices.get(it.fingerprint, []), declaration):
                unconsented[it.edition.about.partition(":")[2]] += 1
    made, unmade, unseen, faults = 0, 0, 0, dict[str, Collection[str]]()
    for name, newsletter in declaration.newsletters.items():
        found = dict[str, None]()
        for at, edition in enumerate(_editions(name, newsletter, now)):
            try:
                found |= dict.fromkeys(_faults(edition, name, newsletter, context))
                made += 1
            except LetterRefused:  # as those are that name a value which is declared no more
                unmade, unseen = unmade + 1, unseen + (at < 2)
        faults[f"newsletter {name}"] = tuple(found)
    letter = Letter("newsletter_test", "ann@example.org", "en", "edition:0", {"subject": "-"}, once="-")
    if _FETCHED.search(write(letter, declaration.organisation).html):
        faults[_OTHER_MAIL] = ("an image or another file is fetched when it is opened",)
    return TrackingFigures(
        handed.count(),
        handed.filter(is_counted=True).count(),
        unconsented,
        len(declaration.newsletters),
        unseen,
        made,
        unmade,
        {name: several for name, several in faults.items() if several},
    )


def _had_consented(delivery: EditionDelivery, choices: Sequence[Choice], declaration: Declaration) -> bool:
    """Whether its person had consented to be counted when it was handed over, also if that is declared no more."""
    purpose, at = str(delivery.edition.content.get("tracking", "")), delivery.handed_at
    if not purpose or at is None:
        return False
    if purpose not in declaration.purposes:
        gone = Purpose(basis=Basis.CONSENT, use="analytics.reporting", data=())
        declaration = declaration.model_copy(update={"purposes": {**declaration.purposes, purpose: gone}})
    moments = (at, at - _AT_ONCE, at + _AT_ONCE)
    return any(rules.may(choices, purpose, declaration, at=it).reason == Reason.GIVEN for it in moments)


def _editions(name: str, newsletter: Newsletter, now: dt.datetime) -> Iterator[Edition]:
    """A text of our own, which shows what the template adds, and the latest editions."""
    about, purpose = f"newsletter:{name}", newsletter.purpose
    content = {"subject": "News", "markdown": "See [our news](https://example.org/news)."}
    if newsletter.statistics == "aggregate":
        content["tracking"] = newsletter.tracking_purpose or ""
    yield Edition(kind=KIND, about=about, purpose=purpose, content=content, made_at=now)
    known = Edition.objects.filter(kind=KIND, about=about, purpose=purpose, made_at__gt=now - _PERIOD)
    yield from islice(known.order_by("-pk"), _EDITIONS_MAX)


def _faults(edition: Edition, name: str, newsletter: Newsletter, deployment: Deployment) -> Iterator[str]:
    """What is wrong with the messages of *edition* for two invented people who did not consent. Raises
    `LetterRefused`."""
    template = EDITIONS.template(edition, deployment)
    values, others = (dict.fromkeys(newsletter.audience.values, word) for word in ("Ann", "Ben"))
    ann = EditionRecipient("ann@example.org", f"ps1:{'a' * 32}", values=values)
    ben = EditionRecipient("ben@example.org", f"ps1:{'b' * 32}", values=values)
    people = (ann, ben, replace(ben, values=others))
    own = [tokens.make(name, recipient.fingerprint, deployment.keyring) for recipient in people]
    stop = tokens.stop_addresses(own[0], deployment.site, "")[0]
    messages = [template.message(who, EditionDelivery(pk=_PK + at)).message for at, who in enumerate(people)]
    first, second, other = map(_without_own, messages, people, own)
    if first != second:
        yield "two people’s messages differ in more than their address, ids, way to stop and signature"
    mail = take_apart(messages[0].content)
    page = binascii.a2b_qp(messages[0].content).decode("utf-8", "replace").partition("Content-Type: text/html")[2]
    fetched = [*_FETCHED.findall(page), *(str(image.get("src") or "") for image in mail.images)]
    named = own[0], ann.fingerprint.partition(":")[2], messages[0].id.strip("<>").partition("@")[0]
    web = [url for url in (*mail.urls, *fetched) if url != stop and not url.lower().startswith("mailto:")]
    if set(_urls(other)) != set(_urls(second)) or any(it in url for it in named for url in web):
        yield "an address in it tells who reads"
    if is_counted(messages[0].content):
        yield "an image or a link counts how it is read"
    if any(mail.all(header) for header in _RECEIPTS):
        yield "it asks for a receipt when it is opened"
    sender = newsletter.sender or deployment.declaration.organisation.email
    known = [sender.rpartition("@")[2], host_of(deployment.declaration.organisation.site or "")]
    for url in fetched:
        is_remote = url.lower().startswith(("http:", "https:", "//"))
        if is_remote and not any(is_aligned(host_of(url), host) for host in known if host):
            yield "an image or another file is fetched from somebody else’s server when it is opened"
    expected = Expected(to=ann.address, may_track=False)
    yield from (it.wrong for it in link_faults(mail, expected) if it.blocks and it.id != "link_unsafe")


def _without_own(message: Message, recipient: EditionRecipient, token: str) -> bytes:
    """*message* without what may differ between two people's."""
    plain = _SIGNATURE.sub(b"", message.content).replace(b"=\r\n", b"")
    for own in (recipient.address, token, message.id):
        plain = plain.replace(own.encode(), b"-")
    return plain


def _urls(content: bytes) -> list[bytes]:
    return re.findall(rb"(?i)\bhttps?:[^\s\"<>]+", content)


@answers("mail.tracking_consented")
def tracking_consented(tracking: TrackingFigures, now: dt.datetime) -> ControlResult:
    """PECR reg 6; ePrivacy Art. 5(3); GDPR Art. 7: no edition counts how it is read by people who did not consent."""
    findings = [
        ControlFinding(
            f"newsletter {name}",
            f"{counted(number, 'message')} counted how somebody reads who had not consented to that",
            "find out which program sent them, and delete what was counted of that edition",
        )
        for name, number in sorted(tracking.unconsented.items())
    ]
    findings += [
        ControlFinding(
            name,
            what,
            "take it out of the text or the template, and tell the people who got it",
        )
        for name, several in sorted(tracking.faults.items())
        for what in several
    ]
    looked = frozenset({"tracking"})
    population, tested = tracking.messages + tracking.made + tracking.unmade, tracking.messages + tracking.made
    evidence = Evidence(
        looked,
        looked,
        population=population,
        tested=tested,
        excluded=tracking.unmade,
        period=(now - _PERIOD, now),
    )
    summary = f"{counted(tracking.messages, 'message')} within {_PERIOD.days} days, {tracking.counting:,} of them "
    summary += f"counted, {tracking.unconsented.total():,} of these without consent; "
    summary += f"{counted(tracking.made, 'edition')} made for people without consent, "
    summary += f"{counted(len(tracking.faults.keys() - {_OTHER_MAIL}), 'newsletter')} with a trace in it"
    summary += "; other e-mails have one, too." if _OTHER_MAIL in tracking.faults else "."
    figures = {
        "messages": tracking.messages,
        "counted": tracking.counting,
        "without consent": tracking.unconsented.total(),
        "editions looked at": tracking.made,
        "not looked at": tracking.unmade,
    }
    if not tracking.lists and not tracking.messages and not findings:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No newsletter is declared.", evidence, figures)
    if tracking.unseen and not findings:
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
