"""Recipients are told of corrections, erasures and restrictions (GDPR Art. 19, clauses C49 and C50).

A message goes only to whom the person's data is shown to have gone, and names only what went and was changed. Where
nothing shows it, and it may have, it is a task for the staff, who find out; where the declaration has no address, too,
until somebody has told them or has said why that is impossible or takes disproportionate effort.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from troth.declaration import Declaration, IdentityKind, Sharing, covers, is_category, title
from troth.protect import Keyring
from troth.service.configuration import ServiceError
from troth.service.disclosures.actions import names_of, record_disclosures
from troth.service.disclosures.models import Disclosure, DisclosureKind, DisclosureSubject, RecipientNotification
from troth.service.disclosures.rules import (
    ANSWERING,
    TELLING,
    DisclosureEvidence,
    EvidenceBasis,
    Owed,
    PlannedDisclosure,
    owed,
)
from troth.service.mail.actions import post
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter, LetterRefused
from troth.subjects import Identity

_NAMES = {IdentityKind.EMAIL: "user.contact.email", IdentityKind.PHONE: "user.contact.phone_number"}
"""By what a recipient finds the person again, and the category that it is."""


class NotificationEnded(ServiceError):
    """The notice is settled already: by its letter, or by somebody else."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done for a case, as recipients are told of it. Its `repr` shows no person."""

    case: str
    right: str
    identity: Identity | None
    named: Sequence[tuple[str, str]]
    """Kind and value of each identifier that the person gave."""
    on: dt.date
    changes: Mapping[str, Sequence[str]] | None = None
    """For an amendment: category to new value; to several where columns of it got different ones, and to none where
    it is not known to be changed. None where everything of the person is concerned."""
    evidence: DisclosureEvidence = field(default_factory=DisclosureEvidence)
    """What the company's own rows showed before anything was changed; the register is asked besides."""
    is_done: bool = True
    """Whether anything was changed. Where nothing was, no message says that it was, and staff have to look."""

    def addresses(self, has: Sequence[str]) -> dict[str, str]:
        """By what a recipient that *has* such data finds the person again, each with its category: no identifier of a
        kind that it never had from us."""
        known = {value: _NAMES[IdentityKind(kind)] for kind, value in self.named if kind in _NAMES}
        return {value: what for value, what in known.items() if any(covers(broad, what) for broad in has)}

    def names(self, keyring: Keyring) -> tuple[str, ...]:
        """The references that the register may know the person by."""
        given = [Identity(tuple((IdentityKind(kind), value) for kind, value in self.named))] if self.named else []
        asked = [self.identity, *given] if self.identity is not None else given
        return tuple(dict.fromkeys(name for one in asked for name in names_of(one, keyring)))

    def __repr__(self) -> str:
        return f"Changed({self.case}, {self.right})"


@dataclass(frozen=True, slots=True)
class NotifiedRecipients:
    """The recipients that letters go to, those that staff have to tell or to find out about, and those that are not
    told because a law keeps everything that went there."""

    told: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class NotificationState(enum.StrEnum):
    """How a notice stands: *owed* while its letter is on its way, *untold* while it waits for staff, *unshown* while
    staff have to find out whether data of the person went there, *nothing_sent* once they found that none did."""

    OWED = "owed"
    SENT = "sent"
    UNTOLD = "untold"
    UNSHOWN = "unshown"
    TOLD = "told"
    EXCUSED = "excused"
    NOTHING_SENT = "nothing_sent"


@dataclass(frozen=True, slots=True)
class NotificationStatus:
    """One recipient of one case, and how far it is with telling them."""

    id: int
    case: str
    recipient: str
    right: str
    why: str
    state: NotificationState
    since: dt.datetime


def tell(changed: Changed, declaration: Declaration, keyring: Keyring, *, now: dt.datetime) -> NotifiedRecipients:
    """Queue a letter to each recipient that is owed one, put that on record as the disclosure that it is, and leave
    the others to staff: in the transaction that is open, and once only for each case. A letter names the person by
    addresses that the recipient had from us; where there is none, and of what no letter can say, staff have to tell."""
    subject = changed.names(keyring)
    if changed.right not in TELLING or not subject:
        return NotifiedRecipients()
    known = set(RecipientNotification.objects.filter(case=changed.case).values_list("recipient", flat=True))
    concerned = [one for one in _owed(changed, subject, declaration) if one.recipient not in known]
    to_tell = [one for one in concerned if one.categories or one.why is EvidenceBasis.UNSHOWN]
    letters = {
        one.recipient: letter
        for one in to_tell
        if one.why is not EvidenceBasis.UNSHOWN
        and (letter := _letter(one, changed, declaration, keyring, now)) is not None
    }
    RecipientNotification.objects.bulk_create(
        RecipientNotification(
            case=changed.case,
            recipient=one.recipient,
            right=changed.right,
            why=one.why,
            letter=letters.get(one.recipient),
            made_at=now,
        )
        for one in to_tell
    )
    releases = [_release(one, changed, subject, declaration) for one in to_tell if one.recipient in letters]
    record_disclosures(releases, declaration=declaration, keyring=keyring, now=now)
    return NotifiedRecipients(
        told=tuple(letters),
        untold=tuple(one.recipient for one in to_tell if one.recipient not in letters),
        kept=tuple(one.recipient for one in concerned if one not in to_tell),
    )


def _owed(changed: Changed, subject: Sequence[str], declaration: Declaration) -> list[Owed]:
    # An authority that demanded data for an inquiry is no recipient in the sense of the law (GDPR Art. 4(9)).
    counted = Disclosure.objects.exclude(kind__in=[DisclosureKind.NOTICE, DisclosureKind.LEGAL_DEMAND])
    about = DisclosureSubject.objects.filter(subject__in=list(subject)).values("disclosure")
    received: dict[str, set[str]] = {}
    for recipient, categories in counted.filter(pk__in=about).values_list("recipient", "categories"):
        received.setdefault(recipient, set()).update(categories)
    registered = {name for name in declaration.recipients if counted.filter(recipient=name).exists()}
    return owed(declaration, replace(changed.evidence, received=received, registered=registered), changed.changes)


def _letter(
    owed: Owed, changed: Changed, declaration: Declaration, keyring: Keyring, now: dt.datetime
) -> LetterRow | None:
    """The letter to a recipient; None where only staff can tell. No notice undoes the answer that it follows from."""
    contact = declaration.recipients[owed.recipient].contact
    addresses = changed.addresses(_had(owed, declaration))
    changes = _values(owed, changed)
    is_unclear = any(len(values) != 1 for values in changes.values())  # nobody knows which this recipient should have
    if contact is None or not addresses or not changed.is_done or is_unclear:
        return None
    facts: dict[str, object] = {"right": changed.right, "people": tuple(addresses), "on": changed.on}
    with translation.override(declaration.policy.language):
        facts["what"] = tuple(map(_words, owed.categories))
        if changes:
            facts["changed"] = tuple(f"{_words(what)}: {value}" for what, (value,) in changes.items())
    if _has_own(owed, declaration):
        facts["own"] = "yes"
    try:
        letter = Letter(
            kind="recipient_notice",
            to=contact,
            language=declaration.policy.language,  # they are told in the company's language, not in the person's
            about=f"case:{changed.case}",
            facts=facts,
            once=f"{changed.case}:recipient_notice:{owed.recipient}",
        )
        return post(letter, keyring=keyring, organisation=declaration.organisation, now=now)
    except LetterRefused:
        return None


def _has_own(owed: Owed, declaration: Declaration) -> bool:
    """Whether nothing shows that the data went there from us: rows that a controller feeds may have come from it."""
    return owed.why is not EvidenceBasis.REGISTER and declaration.recipients[owed.recipient].role is Sharing.CONTROLLER


def _had(owed: Owed, declaration: Declaration) -> tuple[str, ...]:
    """What a recipient that is shown to have had the person's data knows people by."""
    return (*owed.sent, *declaration.recipients[owed.recipient].receives)


def _words(category: str) -> str:
    """A category as people read it, with its key, by which the recipient's own declaration may know it."""
    if not is_category(category):
        return category
    return gettext("%(title)s (key: %(key)s)") % {"title": gettext(title(category)), "key": category}


def _values(owed: Owed, changed: Changed) -> dict[str, Sequence[str]]:
    """The corrected values that a recipient is told, by category."""
    return {what: values for what, values in (changed.changes or {}).items() if what in owed.categories}


def _release(owed: Owed, changed: Changed, subject: Sequence[str], declaration: Declaration) -> PlannedDisclosure:
    """A notice says whom it is about, and what is correct now, and so discloses that."""
    sent = {*changed.addresses(_had(owed, declaration)).values(), *_values(owed, changed)}
    return PlannedDisclosure(owed.recipient, [subject], sorted(sent), ANSWERING, DisclosureKind.NOTICE, changed.case)


# --- how it stands ---------------------------------------------------------------------------------------------------


def notices(case: str) -> list[NotificationStatus]:
    """Every recipient that is owed a notice for this case, and how that stands."""
    rows = RecipientNotification.objects.filter(case=case).select_related("letter").order_by("id")
    return [_state(row) for row in rows]


def untold() -> list[NotificationStatus]:
    """What waits for staff, the oldest first: recipients without an address, those whose letter failed, and those of
    whom nothing shows whether they have the person's data."""
    return [_state(row) for row in _untold().select_related("letter").order_by("made_at", "id")]


def _untold() -> QuerySet[RecipientNotification]:
    failed = Q(letter__state=LetterRow.State.FAILED)
    return RecipientNotification.objects.filter(Q(letter=None) | failed, ended="")


def _state(row: RecipientNotification) -> NotificationStatus:
    return NotificationStatus(
        row.pk,
        row.case,
        row.recipient,
        row.right,
        row.why,
        _how(row),
        row.ended_at or _moment(row.letter) or row.made_at,
    )


def _how(row: RecipientNotification) -> NotificationState:
    if row.ended:
        return _ENDED.get(row.ended, NotificationState.EXCUSED)
    if row.letter is None or row.letter.state == LetterRow.State.FAILED:
        return (
            NotificationState.UNTOLD
            if row.why in (EvidenceBasis.REGISTER, EvidenceBasis.FEED)
            else NotificationState.UNSHOWN
        )
    return NotificationState.SENT if row.letter.state == LetterRow.State.SENT else NotificationState.OWED


_ENDED: Mapping[str, NotificationState] = {
    RecipientNotification.Ended.TOLD: NotificationState.TOLD,
    RecipientNotification.Ended.NOTHING_SENT: NotificationState.NOTHING_SENT,
}


def _moment(letter: LetterRow | None) -> dt.datetime | None:
    return letter.ended_at if letter is not None else None


def end(notice: int, how: RecipientNotification.Ended, *, by: str, now: dt.datetime) -> None:
    """Somebody of the staff has told the recipient in another way, found that nothing went there, or says why nobody
    can tell. *by* is their pseudonym.

    Raises `NotificationEnded` where there is nothing left to do.
    """
    with transaction.atomic():
        row = RecipientNotification.objects.select_for_update(of=("self",)).filter(pk=notice).first()
        if row is None or not _untold().filter(pk=notice).exists():
            raise NotificationEnded(
                "that recipient was told already, or somebody has settled it; look at the list again"
            )
        row.ended, row.ended_at, row.by = how, now, by
        row.save(update_fields=["ended", "ended_at", "by"])


def all_since(moment: dt.datetime) -> Iterable[NotificationStatus]:
    """Every notice that came up since *moment*."""
    rows = RecipientNotification.objects.filter(made_at__gte=moment).select_related("letter").order_by("id")
    return (_state(row) for row in rows.iterator(chunk_size=_CHUNK))


_CHUNK = 1_000
