"""The outcome of a rehearsal: for each promise, which breaches its controls noticed, and which they did not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RehearsalVerdict(StrEnum):
    """What a rehearsal shows about one promise."""

    NOTICES = "notices"  # every breach made it lose its status
    PARTLY = "partly"  # every one that was planted did, and there are some that were not planted
    MISSES = "misses"  # at least one breach left it as it was
    STATED = "stated"  # it rests on a person's word alone
    UNBOUND = "unbound"  # it rests on nothing: no control is bound to it, and nobody attests it
    NOT_REHEARSED = "not_rehearsed"  # it was not kept to begin with, or there was nothing to break


@dataclass(frozen=True, slots=True)
class Planted:
    """One breach, planted against one promise. *status* is the promise's status afterwards; *reason* says why."""

    breach: str
    text: str
    control: str
    noticed: bool
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotPlanted:
    """One breach that *control* is known not to see, with the reason; a rehearsal does not plant it."""

    text: str
    control: str
    why: str


@dataclass(frozen=True, slots=True)
class Unplanted(NotPlanted):
    """One breach that could not be planted, with the reason: one of the company's own, or an error of Troth
    (*is_error*)."""

    is_error: bool


@dataclass(frozen=True, slots=True)
class RehearsedPromise:
    """One promise of the policy, its status in the rehearsal before anything was planted, what was planted, what was
    *not_planted* because a control of it is known not to see that, and what could not be (*unplanted*). *why* says why
    nothing was planted."""

    name: str
    quote: str
    before: str
    planted: tuple[Planted, ...] = ()
    why: str = ""
    is_bound: bool = True
    not_planted: tuple[NotPlanted, ...] = ()
    is_attested: bool = False
    unplanted: tuple[Unplanted, ...] = ()

    @property
    def verdict(self) -> RehearsalVerdict:
        if not self.is_bound:
            return RehearsalVerdict.STATED if self.is_attested else RehearsalVerdict.UNBOUND
        if not self.planted:
            return RehearsalVerdict.NOT_REHEARSED
        if self.unseen:
            return RehearsalVerdict.MISSES
        return RehearsalVerdict.PARTLY if self.not_planted or self.unplanted else RehearsalVerdict.NOTICES

    @property
    def noticed(self) -> int:
        return sum(it.noticed for it in self.planted)

    @property
    def unseen(self) -> tuple[Planted, ...]:
        """The breaches that were not noticed."""
        return tuple(it for it in self.planted if not it.noticed)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All promises, in the order of the declaration."""

    promises: tuple[RehearsedPromise, ...]
    declaration: str
    """The hash of the company's declaration, promises and all."""
    seconds: float = 0.0

    def of(self, verdict: RehearsalVerdict) -> tuple[RehearsedPromise, ...]:
        return tuple(it for it in self.promises if it.verdict == verdict)

    @property
    def planted(self) -> int:
        return sum(len(it.planted) for it in self.promises)

    @property
    def different(self) -> int:
        """How many different breaches were planted: most are planted against several promises."""
        return len({planted.breach for it in self.promises for planted in it.planted})

    @property
    def not_planted(self) -> int:
        """How many different breaches were not planted, because the controls are known not to see them."""
        return len({breach for it in self.promises for breach in it.not_planted})

    @property
    def errors(self) -> tuple[Unplanted, ...]:
        """The breaches that could not be planted because of an error of Troth."""
        return tuple({breach: None for it in self.promises for breach in it.unplanted if breach.is_error})

    @property
    def noticed(self) -> int:
        return sum(it.noticed for it in self.promises)

    @property
    def score(self) -> float:
        """The share of planted breaches that were noticed; 0 if none was planted."""
        return self.noticed / self.planted if self.planted else 0.0
