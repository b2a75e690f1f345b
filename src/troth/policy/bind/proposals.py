"""Which controls or attestations could show that each promise is kept (``proposals.toml``, ``shows.toml``)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from troth.controls import Control, absolute_words, catalogue, looking_at_less
from troth.data_files import read_toml
from troth.declaration import Declaration
from troth.errors import TrothError
from troth.policy.bind.clocks import allowed, shortest
from troth.policy.bind.denials import against, held_anyway
from troth.policy.bind.quoting import Quoting
from troth.policy.bind.subject_matter import period_doubts, tables_holding, tables_kept
from troth.policy.bind.topics import Aside, Heard, hear
from troth.policy.binding import bind_promises
from troth.policy.classify import Clause, ClauseKind, Quantity, Understood, understand
from troth.policy.declared_contradictions import contradictions, is_of_places
from troth.policy.text import PolicyText

_ROWS_MAX = 3
_ATTEST = "I looked at how this is done on this day; it is done as the policy says, and what I looked at is on file."
_REST = "I looked at what the controls do not see on this day; it is as the policy says, and what I saw is on file."
_IN_TIME = "I looked at the last times on this day; each was within the period that the policy says, {}."
_OWN_TIMES = "an SQL figure: how often it took longer than the policy says, which must be 0"
_ABOUT = frozenset({"", "retention", "categories", "absent"})
_GRAVE = frozenset({"sell", "share", "delete", "protect", "keep"})


class ProposalsError(TrothError):
    """The table of proposals is malformed; the message names the row."""


@dataclass(frozen=True, slots=True)
class ControlProposal:
    """A control that could show the promise: what a pass means for it, and what the control cannot see."""

    control: str
    shows: str
    cannot_see: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A promise and what could show that it is kept: *proofs* (controls), *attest* (an attestation), or both if the
    controls cover only a part; *own* is what a custom control could measure. *warnings* say why a pass would not prove
    it; *conflicts* are those warnings where the declaration contradicts it."""

    quote: str
    line: int
    clauses: tuple[Clause, ...]
    proofs: tuple[ControlProposal, ...]
    about: tuple[str, ...] = ()
    attest: str = ""
    own: str = ""
    severity: Literal["low", "medium", "high"] = "medium"
    warnings: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def is_shown(self) -> bool:
        """True if a pass of the controls would prove the promise: they cover it completely and nothing contradicts
        it."""
        return bool(self.proofs) and not self.attest and not self.warnings


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    controls: tuple[str, ...]
    about: str
    attest: str
    own: str
    alone: bool
    last: bool
    aside: Aside
    kind: str
    part: str


def propose(
    understood: Understood, declaration: Declaration | None = None, known: Mapping[str, Control] | None = None
) -> list[Proposal]:
    """A proposal for each promise, in the policy's order. *known* are the controls to choose from; by default those of
    the catalogue. With a *declaration*, `about` is narrowed to its tables."""
    heard, quoting = _heard(understood.policy), Quoting(understood)
    controls = catalogue() if known is None else known
    return [
        _proposal(quote, clauses, heard, declaration, controls, quoting.times(quote))
        for quote, clauses in quoting.promises()
    ]


def controls_called_for(policy: PolicyText, declaration: Declaration) -> Mapping[int, tuple[tuple[str, ...], ...]]:
    """For each promise of the declaration, by its index: what its words call for, whatever it is bound to. Each thing
    that they call for is a group of controls, the most fitting one first."""
    understood = understand(policy)
    topics, by_sentence = _heard(policy), dict[str, list[tuple[str, ...]]]()
    for _, clauses in Quoting(understood).promises():
        groups = [row.controls for row in _rows_for(clauses, topics) if row.controls]
        for clause in clauses:
            by_sentence.setdefault(clause.sentence.id, []).extend(groups)
    return {
        bound.index: tuple(dict.fromkeys(group for it in bound.sentences for group in by_sentence.get(it.id, ())))
        for bound in bind_promises(policy, declaration.promises)
    }


def _proposal(
    quote: str,
    clauses: tuple[Clause, ...],
    topics: Heard,
    declaration: Declaration | None,
    known: Mapping[str, Control],
    times: int,
) -> Proposal:
    rows = list(_rows_for(clauses, topics))
    time = shortest(clauses)
    proofs = list(_proofs(rows, known, time))
    is_late = any(allowed(proof.control, time) for proof in proofs)
    about, warnings = _narrowed(quote, clauses, rows if proofs else [], declaration)
    conflicts = tuple(filter(None, _conflicts(quote, clauses, rows, declaration))) if declaration else ()
    warnings = (*warnings, *conflicts)
    if times > 1:
        warnings = (*warnings, "these words are in the policy more than once, but a promise must quote one place")
    attest = " ".join(filter(None, (_attest(rows, is_measured=bool(proofs)), _IN_TIME.format(time) if is_late else "")))
    if not attest and absolute_words(quote) and looking_at_less(quote, [known[proof.control] for proof in proofs]):
        attest = _REST
    return Proposal(
        quote,
        clauses[0].sentence.span.line,
        clauses,
        tuple(proofs),
        about,
        attest,
        next((row.own for row in rows if row.own), _OWN_TIMES if is_late else ""),
        _severity(clauses),
        warnings,
        conflicts,
    )


def _attest(rows: list[_Row], *, is_measured: bool) -> str:
    """The attestation for what no control measures, or for the rest of what controls cover only in part."""
    if is_measured:
        return " ".join(dict.fromkeys(row.attest for row in rows if row.part or not row.controls))
    return " ".join(dict.fromkeys(row.attest for row in rows if row.attest)) or _ATTEST


def _heard(policy: PolicyText) -> Heard:
    return hear(policy, {row.name: row.aside for row in _rows()})


def _rows_for(clauses: tuple[Clause, ...], topics: Heard) -> Iterator[_Row]:
    """The rows that match the clauses. Only the first few are used, because incidental matches would blur the rest."""
    found = [row for row in _rows() if any(_is_about(clause, row, topics) for clause in clauses)]
    found = [row for row in found if not row.last] or found[:1]
    told = dict[tuple[str, ...], _Row]()
    for row in found[:1] if found and found[0].alone else found:
        told.setdefault(row.controls or (row.name,), row)
    yield from list(told.values())[:_ROWS_MAX]


def _is_about(clause: Clause, row: _Row, topics: Heard) -> bool:
    return clause.sentence.id in topics[row.name] and (not row.kind or row.kind in clause.kinds)


def _proofs(rows: list[_Row], known: Mapping[str, Control], time: Quantity | None) -> Iterator[ControlProposal]:
    """The controls of the rows, each with what it does not cover of this promise; *time* is the shortest period
    promised."""
    seen = set[str]()
    for row in rows:
        part = row.part  # is stated only once
        for id_ in row.controls:
            if id_ in known and id_ not in seen:
                seen.add(id_)
                allows = allowed(id_, time)
                late = f"Whether it took longer than {time}, as green allows {allows}." if allows else ""
                yield ControlProposal(id_, _shows()[id_], " ".join(filter(None, (part, late, known[id_].cannot_see))))
                part = ""


def _narrowed(
    quote: str, clauses: tuple[Clause, ...], rows: list[_Row], declaration: Declaration | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that the promise is about, and why their retention rules would not prove it."""
    by = next((row.about for row in rows if row.about in {"categories", "retention"}), "")
    if declaration is None or not by:
        return (), ()
    if by == "categories":
        return tables_holding([category for clause in clauses for category in clause.categories], declaration), ()
    return tables_kept(quote, declaration), period_doubts(quote, declaration)


def _conflicts(quote: str, clauses: tuple[Clause, ...], rows: list[_Row], declaration: Declaration) -> Iterator[str]:
    """How the declaration contradicts the promise."""
    if any(row.about == "absent" for row in rows):
        yield held_anyway(clauses, declaration)
    yield from contradictions(quote, declaration)
    if not is_of_places(quote):
        yield against(clauses, declaration)


def _severity(clauses: tuple[Clause, ...]) -> Literal["low", "medium", "high"]:
    parts = [clause.promise for clause in clauses if clause.promise is not None]
    grave = any(part.action in _GRAVE and (part.negative or part.action in {"delete", "protect"}) for part in parts)
    return "high" if grave else "medium"


@functools.cache
def _rows() -> tuple[_Row, ...]:
    return tuple(_row(name, row) for name, row in read_toml(__package__, "proposals.toml").items())


def _shows() -> Mapping[str, str]:
    """What a pass of each control shows."""
    return read_toml(__package__, "shows.toml")


def _row(name: str, row: Mapping[str, Any]) -> _Row:
    unknown = row.keys() - {"controls", "about", "attest", "own", "alone", "last", "kind", "part", "aside"}
    if unknown or not (row.get("controls") or row.get("attest")):
        raise ProposalsError(f"{name}: a row has controls, or what somebody attests")
    if untold := set(row.get("controls", ())) - _shows().keys():
        raise ProposalsError(f"{name}: shows.toml does not say what {', '.join(sorted(untold))} shows")
    if row.get("part") and not (row.get("controls") and row.get("attest")):
        raise ProposalsError(f"{name}: where controls show a part, somebody attests the rest")
    if row.get("about", "") not in _ABOUT:
        raise ProposalsError(f"{name}: about is {', '.join(sorted(_ABOUT - {''}))}")
    if row.get("aside", "") not in {"", "counts", "ignored"}:
        raise ProposalsError(f"{name}: what stands aside counts or is ignored")
    if row.get("kind", "") not in {"", *ClauseKind}:
        raise ProposalsError(f"{name}: kind is one of {', '.join(ClauseKind)}")
    return _Row(
        name,
        controls=tuple(row.get("controls", ())),
        about=row.get("about", ""),
        attest=row.get("attest", ""),
        own=row.get("own", ""),
        alone=row.get("alone", False),
        last=row.get("last", False),
        aside=row.get("aside", ""),
        kind=row.get("kind", ""),
        part=row.get("part", ""),
    )
