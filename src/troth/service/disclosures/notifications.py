"""Notifies recipients of corrections, erasures and restrictions (GDPR Art. 19, clauses C49 and C50).

An e-mail goes only to recipients with evidence that they have the person's data, and names only what they received and
what changed. If they may have it without evidence, staff must find out; if the declaration has no address, staff must
tell them, or state why that is impossible or takes disproportionate effort.
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
"""Identifiers by which a recipient can find the person, with their categories."""


class NotificationEnded(ServiceError):
    """The notice is already done, by its e-mail or by somebody else."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Changes of a case, as reported to recipients. Its `repr` shows no person."""

    case: str
    right: str
    identity: Identity | None
    named: Sequence[tuple[str, str]]
    """Kind and value of each identifier that the person gave."""
    on: dt.date
    changes: Mapping[str, Sequence[str]] | None = None
    """For an amendment: category to new value; to several if its columns got different ones, and to none if it is not
    known to be changed. None if everything of the person is affected."""
    evidence: DisclosureEvidence = field(default_factory=DisclosureEvidence)
    """Evidence from the company's own rows before the change; the register is read as well."""
    is_done: bool = True
    """True if anything was changed. Otherwise no e-mail claims a change, and staff must check."""

    def addresses(self, has: Sequence[str]) -> dict[str, str]:
        """Identifiers by which a recipient that *has* such data finds the person, with their categories: none of a kind
        that it never got from us."""
        known = {value: _NAMES[IdentityKind(kind)] for kind, value in self.named if kind in _NAMES}
        return {value: what for value, what in known.items() if any(covers(broad, what) for broad in has)}

    def names(self, keyring: Keyring) -> tuple[str, ...]:
        """References under which the register may know the person."""
        given = [Identity(tuple((IdentityKind(kind), value) for kind, value in self.named))] if self.named else []
        asked = [self.identity, *given] if self.identity is not None else given
        return tuple(dict.fromkeys(name for one in asked for name in names_of(one, keyring)))

    def __repr__(self) -> str:
        return f"Changed({self.case}, {self.right})"


@dataclass(frozen=True, slots=True)
class NotifiedRecipients:
    """Recipients told by e-mail, those that staff must tell or find out about, and those not told because a law keeps
    everything that went there."""

    told: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class NotificationState(enum.StrEnum):
    """State of a notice: *owed* while its e-mail is being sent, *untold* while it waits for staff, *unshown* while
    staff must find out whether data of the person went there, *nothing_sent* once they found that none did."""

    OWED = "owed"
    SENT = "sent"
    UNTOLD = "untold"
    UNSHOWN = "unshown"
    TOLD = "told"
    EXCUSED = "excused"
    NOTHING_SENT = "nothing_sent"


@dataclass(frozen=True, slots=True)
class NotificationStatus:
    """One recipient of one case, and the state of their notice."""

    id: int
    case: str
    recipient: str
    right: str
    why: str
    state: NotificationState
    since: dt.datetime


def tell(changed: Changed, declaration: Declaration, keyring: Keyring, *, now: dt.datetime) -> NotifiedRecipients:
    """Queue an e-mail to each recipient that is owed one, record it as a disclosure, and leave the others to staff: in
    the open transaction, and only once per case. An e-mail names the person by identifiers that the recipient had from
    us; if there are none, or no e-mail can state the change, staff must tell them."""
    subject = changed.names(keyring)
    if changed.right not in TELLING or not subject:
        return NotifiedRecipients()
    if not (owed_now := _owed(changed, subject, declaration)):
        return NotifiedRecipients()
    known = set(RecipientNotification.objects.filter(case=changed.case).values_list("recipient", flat=True))
    concerned = [one for one in owed_now if one.recipient not in known]
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
    # An authority that demanded data for an inquiry is not a recipient by law (GDPR Art. 4(9)).
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
    """E-mail to a recipient; None if only staff can tell them. A failing notice never undoes the answer that it follows
    from."""
    contact = declaration.recipients[owed.recipient].contact
    addresses = changed.addresses(_had(owed, declaration))
    changes = _values(owed, changed)
    is_unclear = any(len(values) != 1 for values in changes.values())  # unknown which one this recipient needs
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
            language=declaration.policy.language,  # the company's language, not the person's
            about=f"case:{changed.case}",
            facts=facts,
            once=f"{changed.case}:recipient_notice:{owed.recipient}",
        )
        return post(letter, keyring=keyring, organisation=declaration.organisation, now=now)
    except LetterRefused:
        return None


def _has_own(owed: Owed, declaration: Declaration) -> bool:
    """True if there is no proof that the data came from us: rows that a controller feeds may have come from it."""
    return owed.why is not EvidenceBasis.REGISTER and declaration.recipients[owed.recipient].role is Sharing.CONTROLLER


def _had(owed: Owed, declaration: Declaration) -> tuple[str, ...]:
    """Categories by which a recipient with the person's data knows people."""
    return (*owed.sent, *declaration.recipients[owed.recipient].receives)


def _words(category: str) -> str:
    """Title of a category with its key, which the recipient's own declaration may use."""
    if not is_category(category):
        return category
    return gettext("%(title)s (key: %(key)s)") % {"title": gettext(title(category)), "key": category}


def _values(owed: Owed, changed: Changed) -> dict[str, Sequence[str]]:
    """Corrected values for a recipient, by category."""
    return {what: values for what, values in (changed.changes or {}).items() if what in owed.categories}


def _release(owed: Owed, changed: Changed, subject: Sequence[str], declaration: Declaration) -> PlannedDisclosure:
    """Disclosure that a notice makes: the person it is about, and the corrected values."""
    sent = {*changed.addresses(_had(owed, declaration)).values(), *_values(owed, changed)}
    return PlannedDisclosure(owed.recipient, [subject], sorted(sent), ANSWERING, DisclosureKind.NOTICE, changed.case)


# --- status ----------------------------------------------------------------------------------------------------------


def notices(case: str) -> list[NotificationStatus]:
    """Status of each recipient that is owed a notice for this case."""
    rows = RecipientNotification.objects.filter(case=case).select_related("letter").order_by("id")
    return [_state(row) for row in rows]


def untold() -> list[NotificationStatus]:
    """Notices waiting for staff, oldest first: recipients without an address, failed e-mails, and recipients without
    evidence that they have the person's data."""
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
        row.ended_at or (row.letter and row.letter.ended_at) or row.made_at,
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


def end(notice: int, how: RecipientNotification.Ended, *, by: str, now: dt.datetime) -> None:
    """Close a notice: a member of staff told the recipient in another way, found that nothing went there, or states why
    nobody can tell. *by* is their pseudonym.

    Raises `NotificationEnded` if there is nothing left to do.
    """
    with transaction.atomic():
        row = RecipientNotification.objects.select_for_update(of=("self",)).filter(pk=notice).first()
        if row is None or not _untold().filter(pk=notice).exists():
            raise NotificationEnded("that recipient was told already, or the notice was settled; reload the list")
        row.ended, row.ended_at, row.by = how, now, by
        row.save(update_fields=["ended", "ended_at", "by"])


def all_since(moment: dt.datetime) -> Iterable[NotificationStatus]:
    """Notices created since *moment*."""
    rows = RecipientNotification.objects.filter(made_at__gte=moment).select_related("letter").order_by("id")
    return (_state(row) for row in rows.iterator(chunk_size=_CHUNK))


_CHUNK = 1_000
