"""Personal content of a case, as values, and sealed with the case's own key.

The key is one of `core.subject_keys`: destroying it makes the content unreadable in backups, too. It is not the
subject's key, because the answer must reach the subject after all their data was erased.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import IdentityKind
from troth.protect import Keyring, SealingContext
from troth.service.cases.models import Case
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.core.models import Subject
from troth.service.core.subject_keys import SubjectKeys
from troth.subjects import Identity


class ContentGone(ServiceError):
    """The content of the case was destroyed at the end of its period and can no longer be read."""


@dataclass(frozen=True, slots=True)
class CaseContent:
    """Requester, subject and text of a case. Its `repr` shows nothing."""

    address: str = ""
    """Address for e-mails."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """Identifiers of the subject: kind and value."""
    rows: tuple[str, ...] = ()
    """Rows that a handler identified as the subject's, as ``system.table=key``; used instead of identifiers."""
    name: str = ""
    message: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    """For an amendment: category or column → new value."""
    purposes: tuple[str, ...] = ()
    """For an objection or a withdrawal."""
    agent_name: str = ""
    agent_address: str = ""
    question: str = ""
    """Our question to the person while the case is paused."""
    answer: str = ""
    """Our answer, or the reasons for a refusal."""

    def __repr__(self) -> str:
        return "CaseContent(…)"

    @property
    def identity(self) -> Identity | None:
        """Identity of the subject; None if there are no identifiers. Raises `IdentityRefused`."""
        if self.rows:
            return Identity.of(ids=self.rows)
        named = tuple((IdentityKind(kind), value) for kind, value in self.identifiers)
        return Identity(identifiers=named) if named else None

    def encoded(self) -> bytes:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, stored: bytes) -> CaseContent:
        known = json.loads(stored)
        known["identifiers"] = tuple((kind, value) for kind, value in known["identifiers"])
        known |= {name: tuple(known[name]) for name in ("rows", "purposes")}
        return cls(**known)


_KEEP = {"\n", "\t", "\u200c", "\u200d"}
"""Line feeds and tabs, and the two joiners that some scripts need."""


def readable(text: str) -> str:
    """*text* without invisible characters: control characters and direction marks."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(
        letter for letter in plain if letter in _KEEP or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )


class SealedContent:
    """Seals and opens the contents of cases."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring, self._keys = keyring, SubjectKeys(keyring)

    def key_names(self, references: Sequence[str]) -> list[str]:
        """Key names of cases, in order."""
        return [str(name) for name in self._keyring.pseudonyms("case", references)]

    def put(self, case: Case, content: CaseContent, *, now: dt.datetime) -> None:
        """Seal *content* into *case*, in the caller's transaction; the caller saves the row."""
        [name] = self.key_names([case.reference])
        row, key = self._keys.each([name], now=now)[name]
        case.key = row
        case.content = key.seal(content.encoded(), _context(case))

    def put_all(self, cases: Sequence[tuple[Case, CaseContent]], *, now: dt.datetime) -> None:
        """`put` for many new cases at once."""
        names = self.key_names([case.reference for case, _ in cases])
        keys = self._keys.each(names, now=now)
        for (case, content), name in zip(cases, names, strict=True):
            case.key, key = keys[name]
            case.content = key.seal(content.encoded(), _context(case))

    def content(self, case: Case) -> CaseContent:
        """Open the content of the case. Raises `ContentGone`."""
        if case.content is None:
            raise ContentGone(f"{case.reference} holds no content any more")
        return CaseContent.decode(self._key(case).unseal(bytes(case.content), _context(case)))

    def seal_note(self, case: Case, note: str) -> bytes:
        """Seal a note about a case, for storage in one of its events. Raises `ContentGone`."""
        return self._key(case).seal(note.encode(), _context(case, "note"))

    def note(self, case: Case, sealed: bytes) -> str:
        return self._key(case).unseal(bytes(sealed), _context(case, "note")).decode()

    def seal_file(self, case: Case, data: bytes) -> bytes:
        return self._key(case).seal(data, _context(case, "file"))

    def file(self, case: Case, sealed: bytes) -> bytes:
        return self._key(case).unseal(bytes(sealed), _context(case, "file"))

    def destroy(self, cases: Sequence[Case], *, now: dt.datetime) -> None:
        """Destroy the contents of *cases* permanently, in the caller's transaction."""
        self._keys.erase([case.key.pseudonym for case in cases if case.key is not None], now=now)

    def _key(self, case: Case) -> Keyring:
        key: Subject | None = case.key
        if key is None or key.wrapped_key is None:
            raise ContentGone(f"the content of {case.reference} was destroyed at the end of its period")
        return self._keyring.open_key(bytes(key.wrapped_key), key.pseudonym)


def content_of(case: Case, deployment: Deployment) -> CaseContent | None:
    """The content of the case; None after it was destroyed."""
    try:
        return SealedContent(deployment.keyring).content(case)
    except ContentGone:
        return None


def _context(case: Case, field_name: str = "content") -> SealingContext:
    return SealingContext(domain="requests", table="case", field=field_name, subject=case.reference)


# --- which identifiers a proof of identity covers, and who vouches for the others -----------------------------------
# A link proves who reads the e-mails of one address. It proves nothing about a phone number, an account or another
# address in the same request: for these, the submitter must have verified them, or a handler must.

_ANSWERED_FROM = {"staff": 1}
"""Minimum tier at which an actor vouches for all identifiers; the default is 2. Staff vouch for what they record. At
tier 2 an application has compared details or signed the person in, also for people it hands over to the centre."""


def answers_for_names(actor: str, tier: int) -> bool:
    """True if the submitter of a request with a proof of *tier* has verified all its identifiers."""
    return tier >= _ANSWERED_FROM.get(actor, 2)


def goes_astray(content: CaseContent) -> bool:
    """True if e-mails go to none of the e-mail addresses that identify the person."""
    named = [_plain(value) for kind, value in content.identifiers if kind == IdentityKind.EMAIL]
    return bool(named and content.address) and _plain(content.address) not in named


def link_shows(content: CaseContent) -> bool:
    """True if the only identifier of the person is the address to which links are sent."""
    mine = (IdentityKind.EMAIL, _plain(content.address))
    return all((kind, _plain(value)) == mine for kind, value in content.identifiers)


def tier_at_intake(case: Case) -> int:
    """The tier of identity proof at the intake of *case*; later proofs do not count."""
    facts = case.events.filter(what="received").values_list("facts", flat=True).first()
    return int((facts or {}).get("tier", 0))


def _plain(value: str) -> str:
    return value.strip().lower()
