"""The detector: finds personal data in one text or in many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeGuard

from troth.detect.addresses import AddressFinder
from troth.detect.chats import Chats
from troth.detect.finding import Finding, Unscanned, UnscannedReason
from troth.detect.ner import Names
from troth.detect.overlaps import resolved
from troth.detect.patterns import loader
from troth.detect.patterns.matching import Matcher
from troth.detect.patterns.recogniser import Recogniser
from troth.detect.requested_types import of_groups, refuse, refuse_one_text, refuse_string
from troth.detect.speech import Speech
from troth.detect.text import FoldedText

_TEXTS_MAX: Final = 1024
_CHARACTERS_MAX: Final = 500_000
_HOLDING: Final = frozenset({"ADDRESS", "LOCATION", "URL"})
"""Types that contain values of other types: if they are not requested, they do not hide requested ones."""


class Finder(Protocol):
    """A way of finding personal data in a text: ours (written, spoken, names), or an external one as a second opinion.

    A finder that is faster with many texts at once may also have ``find_each(texts)``, which gives findings for each.
    """

    def find(self, text: FoldedText) -> Iterable[Finding]:
        """Findings with offsets into ``text.written``; they may overlap. Raises `Unscanned` instead of stopping
        early."""


class Detector:
    """Finds personal data in texts. It is created once, stores no text, and may be shared between threads.

    *types* are the requested entity types, or groups of them (``contact``), and *countries* (``GB``) those whose
    numbers are searched for; by default all. *min_score* is the lowest score reported; *names* is whether people,
    places, addresses and organisations are searched for (the slower half); *listed* are the caller's own words, by
    type; *others* are additional finders. *seconds_max* limits the time per text. By default it is unlimited: time is
    linear in the text, so only the caller knows what is too long; longer texts than *characters_max* are not searched.
    Raises `Unknown` for types and countries that cannot be found, alone or in combination, and ``ValueError`` for an
    empty *types*, an invalid *min_score* and negative limits.

    Findings do not depend on the requested types: part of an account number is not a telephone number, even if accounts
    are not requested. But links and addresses do not hide what they contain.
    """

    def __init__(
        self,
        *,
        types: Collection[str] | None = None,
        countries: Collection[str] | None = None,
        min_score: float = 0.5,
        names: bool = True,
        listed: Mapping[str, Iterable[str]] | None = None,
        others: Iterable[Finder] = (),
        seconds_max: float | None = None,
        characters_max: int | None = None,
    ) -> None:
        refuse_string(types=types, countries=countries)
        if not 0 <= min_score <= 1:  # also rejects NaN
            raise ValueError(f"min_score is {min_score}, but a score must be from 0 to 1")
        if seconds_max is not None and not seconds_max >= 0:
            raise ValueError(f"seconds_max is {seconds_max}, but it must not be negative")
        if characters_max is not None and characters_max < 0:
            raise ValueError(f"characters_max is {characters_max}, but it must not be negative")
        self._types = None if types is None else of_groups(types)
        theirs = None if countries is None else frozenset(countries)
        others = list(others)
        refuse(self._types, theirs, names=names, listed=(listed or {}).keys(), are_others_asked=bool(others))
        self._min_score = min_score
        self._seconds_max = seconds_max
        self._characters_max = characters_max
        wanted, rivals, foreign = _recognisers(self._types, theirs)
        self._rivals = Matcher(rivals)
        self._finders: list[Finder] = [Matcher(wanted), Chats(), Speech(foreign), *others]
        if listed:
            from troth.detect.custom_words import CustomWords

            self._finders.append(CustomWords(listed))
        if names:
            self._finders += [it() for it in (AddressFinder, Names) if self._types is None or self._types & it.TYPES]

    @property
    def names(self) -> bool:
        """True if people, places and organisations are searched for, which is done in Latin script only."""
        return any(isinstance(it, Names) for it in self._finders)

    def find(self, text: str) -> list[Finding]:
        """The personal data in *text*, by position, without overlaps. Raises `Unscanned` if it could not be read
        completely."""
        ready = FoldedText(text, seconds_max=self._seconds_max)
        if not self._is_accepted(text):
            raise self._refusal(text)
        (found,) = self._find_each([ready])
        ready.check_clock()
        return found

    def find_many(self, texts: Iterable[object]) -> Iterator[list[Finding] | Unscanned]:
        """The personal data in each of *texts*, in order; for a text that could not be scanned, the reason: it is too
        long, no string (such as None), or out of time, or a finder failed with any error.

        Faster than separate calls, because texts are read ahead, up to 1,024 of them or 500,000 characters, of which
        *texts* may be an endless stream.
        """
        refuse_one_text(texts)
        return self._find_many(texts)

    def _find_many(self, texts: Iterable[object]) -> Iterator[list[Finding] | Unscanned]:
        for some in self._together(texts):
            results = iter(self._find_some([it for it in some if isinstance(it, str)]))
            for it in some:
                yield next(results) if isinstance(it, str) else it

    def _find_some(self, texts: list[str]) -> Iterable[list[Finding] | Unscanned]:
        if self._seconds_max is None:  # otherwise each text has its own limit
            try:
                return self._find_each([*map(FoldedText, texts)])
            except Exception:  # noqa: BLE001, S110 - which of them failed, and why, is seen below
                pass
        return map(self._find_or_say, texts)

    def _find_or_say(self, text: str) -> list[Finding] | Unscanned:
        try:
            return self.find(text)
        except Unscanned as unscanned:
            return Unscanned(str(unscanned), unscanned.reason)  # a new one, whose traceback does not hold the text
        except Exception as error:  # noqa: BLE001 - finders of others can raise any, which may quote the text
            return Unscanned(f"a detector failed ({type(error).__name__})")

    def _is_accepted(self, text: object) -> TypeGuard[str]:
        return isinstance(text, str) and (self._characters_max is None or len(text) <= self._characters_max)

    def _refusal(self, text: object) -> Unscanned:
        if isinstance(text, str):
            return Unscanned(f"it is longer than {self._characters_max:,} characters", UnscannedReason.TOO_LONG)
        return Unscanned(f"it is not a string but {type(text).__name__}", UnscannedReason.NOT_TEXT)

    def _together(self, texts: Iterable[object]) -> Iterator[list[str | Unscanned]]:
        some: list[str | Unscanned] = []
        size = 0
        for text in texts:
            if self._is_accepted(text):
                some.append(text)
                size += len(text)
            else:
                some.append(self._refusal(text))
            if len(some) >= _TEXTS_MAX or size >= _CHARACTERS_MAX:
                yield some
                some, size = [], 0
        if some:
            yield some

    def find_batch(self, texts: Any) -> Any:
        """The personal data in each row of an Arrow array, and why a row was not searched, as a table; see
        `troth.detect.arrow`. Needs pyarrow."""
        from troth.detect.arrow import find_batch

        return find_batch(self.find_many, texts)

    def _find_each(self, texts: Sequence[FoldedText]) -> list[list[Finding]]:
        found: list[list[Finding]] = [[] for _ in texts]
        for finder in self._finders:
            self._ask(finder, texts, found)
        if self._types is not None:  # rivals of requested types are considered, but only in texts that contain one
            some = [at for at, its in enumerate(found) if not self._types.isdisjoint(it.type for it in its)]
            self._ask(self._rivals, [texts[at] for at in some], [found[at] for at in some])
        return [self._kept(its, text.written) for its, text in zip(found, texts, strict=True)]

    def _ask(self, finder: Finder, texts: Sequence[FoldedText], by_finder: Sequence[list[Finding]]) -> None:
        """Adds the finder's findings for each text to *by_finder*."""
        find_each = getattr(finder, "find_each", None)
        for its, these in zip(
            by_finder, map(finder.find, texts) if find_each is None else find_each(texts), strict=True
        ):
            its += [it for it in these if it.score >= self._min_score]

    def _kept(self, findings: list[Finding], text: str) -> list[Finding]:
        if self._types is None:
            return resolved(findings, text)
        rivals = (it for it in findings if it.type in self._types or it.type not in _HOLDING)
        return [it for it in resolved(rivals, text) if it.type in self._types]


def _recognisers(
    types: frozenset[str] | None, countries: frozenset[str] | None
) -> tuple[list[Recogniser], list[Recogniser], frozenset[str]]:
    """Recognisers of the requested types and all others, for the countries; and the types that only other countries
    have."""
    there = [it for it in loader.shipped() if countries is None or it.is_for(countries)]
    wanted = [it for it in there if types is None or it.type in types]
    rivals = [] if types is None else [it for it in there if it.type not in types]
    foreign = frozenset(it.type for it in loader.shipped()) - {it.type for it in there}
    return wanted, rivals, foreign
