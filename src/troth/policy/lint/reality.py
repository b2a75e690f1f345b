"""Rules that hold what the text says against what is declared, and against what was seen on the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from troth.counting import counted
from troth.policy.categories import names_category
from troth.policy.clauses.quantities import quantities_in
from troth.policy.facts import ContactKind, contacts
from troth.policy.lexicon import Passage
from troth.policy.lint.contradictions import is_taken_back
from troth.policy.lint.dates import own_date
from troth.policy.lint.facts import UNION
from troth.policy.lint.model import Hit
from troth.policy.lint.periods import DAYS, single_period
from troth.policy.lint.prose import phrase, table
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked
from troth.policy.phrases import plain
from troth.policy.text import Sentence
from troth.wording import same_words

if TYPE_CHECKING:
    from troth.declaration import Declaration, Period, Recipient

_NAMED_MAX = 5
"""How many declared things a message names before it only counts."""


def _declared(looked: Looked) -> Declaration | None:
    return looked.facts.declaration if looked.facts is not None else None


def _where(declaration: Declaration, path: str) -> str:
    """The place of a key as a person looks it up: ``troth.yaml:312``."""
    place = declaration.where(path)
    return f"{place.file.name}:{place.line}" if place else path


def _listed(things: Sequence[str]) -> str:
    more = len(things) - _NAMED_MAX
    return ", ".join(things[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _says(looked: Looked, phrases: Iterable[str]) -> bool:
    return any(phrase(text).found_in(looked.words) for text in phrases)


# --- who gets it ------------------------------------------------------------------------------------------------------


def _recipients(declaration: Declaration, keys: Iterable[str]) -> str:
    """Recipients by their names, each with its place."""
    named = [f"{_name(key, declaration.recipients[key])} ({_where(declaration, f'recipients.{key}')})" for key in keys]
    return _listed(named)


def _name(key: str, recipient: Recipient) -> str:
    return " ".join((recipient.title or key).split())


@fires_when("F.recipients")
def recipients(looked: Looked) -> Iterator[Hit]:
    """A denial of sharing that no exception follows, while recipients are declared."""
    declaration = _declared(looked)
    if declaration is None or not declaration.recipients:
        return
    count = counted(len(declaration.recipients), "recipient") + (" is" if len(declaration.recipients) == 1 else " are")
    for passage in looked.mentions.of("denial.sharing"):
        if not is_taken_back(passage, looked):
            yield Hit(
                passage.sentence, says=(("count", count), ("which", _recipients(declaration, declaration.recipients)))
            )


@fires_when("F.recipient-unnamed")
def unnamed_recipients(looked: Looked) -> Iterator[Hit]:
    """Declared recipients that are missing in a policy that names others."""
    declaration = _declared(looked)
    if declaration is None:
        return
    words = looked.words
    missing = [key for key, one in declaration.recipients.items() if not _is_named(_name(key, one), words)]
    if missing and len(missing) < len(declaration.recipients):
        yield Hit(says=(("which", _recipients(declaration, missing)),))


_LEGAL = re.compile(r" (?:ltd|limited|inc|llc|llp|plc|gmbh|ag|bv|b v|sarl|sa|s a|pty|co|corp|kg)\b.*$")


def _is_named(name: str, words: str) -> bool:
    """Whether the name stands there, with or without its legal form."""
    bare = _LEGAL.sub("", plain(name))
    return re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", words) is not None


@fires_when("F.sale")
def sale(looked: Looked) -> Iterator[Hit]:
    """A denial of sale beside recipients that are declared as buyers."""
    declaration = _declared(looked)
    keys = [key for key, one in declaration.recipients.items() if one.role in {"sale", "share"}] if declaration else []
    for passage in looked.mentions.of("denial.sale") if keys else ():
        if declaration is not None:
            yield Hit(passage.sentence, says=(("which", _recipients(declaration, keys)),))


@fires_when("F.transfer")
def transfer(looked: Looked) -> Iterator[Hit]:
    """A denial that data goes abroad beside recipients that are there."""
    declaration = _declared(looked)
    if declaration is None:
        return
    near = UNION | {"GB", declaration.organisation.country}
    keys = [key for key, one in declaration.recipients.items() if one.country not in near]
    for passage in looked.mentions.of("denial.abroad") if keys else ():
        yield Hit(passage.sentence, says=(("which", _recipients(declaration, keys)),))


# --- how long ---------------------------------------------------------------------------------------------------------

_SMALL = frozenset(
    {
        *("a", "an", "and", "as", "at", "by", "for", "from", "in", "it", "of", "on", "or", "our", "that", "the"),
        *("their", "to", "we", "which", "who", "with", "you", "your"),
    }
)


@fires_when("F.retention")
def retention(looked: Looked) -> Iterator[Hit]:
    """Sentences and rows that name a declared kind of rows, and another period."""
    declaration = _declared(looked)
    if declaration is None:
        return
    told = set[str]()
    for key, rule in declaration.retention.items():
        days = rule.for_.count * DAYS[rule.for_.unit]
        for passage in _about(looked, rule.title or key.replace("_", " ")):
            said = single_period(looked, passage)
            if said is None or abs(said.number * DAYS[said.unit] - days) <= 0.02 * days or passage.sentence.id in told:
                continue
            told.add(passage.sentence.id)
            declared = f"{rule.for_} ({_where(declaration, f'retention.{key}')})"
            yield Hit(passage.sentence, says=(("said", str(said)), ("declared", declared)))


def _about(looked: Looked, title: str) -> Iterator[Passage]:
    """Passages on periods that have all the words of a title, whatever their endings."""
    stems = [word[: max(4, len(word) - 2)] for word in plain(title).split() if word not in _SMALL]
    for passage in looked.mentions.of("retention.any"):
        words = _words_of(looked, passage)
        if stems and all(re.search(rf"\b{re.escape(stem)}", words) for stem in stems):
            yield passage


def _words_of(looked: Looked, passage: Passage) -> str:
    """The words of the passage, or of the whole row where it is a cell."""
    cell = passage.block.cell
    return looked.rows.get((cell.table, cell.row), "") if cell else plain(passage.sentence.text)


# --- cookies and hosts ------------------------------------------------------------------------------------------------


@fires_when("F.cookies")
def cookies(looked: Looked) -> Iterator[Hit]:
    """Cookies that are declared or were seen, and that the policy does not name: on its sentence about cookies."""
    declaration = _declared(looked)
    if declaration is None:
        return
    text = looked.policy.text
    seen = looked.facts.seen.cookies if looked.facts and looked.facts.seen else ()
    missing = [name for name in dict.fromkeys((*declaration.cookies, *seen)) if not _stands(name, text)]
    if missing:
        named = [f"{name} ({_place_of_cookie(declaration, name)})" for name in missing]
        places = looked.mentions.of("cookie.none") or looked.mentions.of("cookie.word")
        yield Hit(places[0].sentence if places else None, says=(("which", _listed(named)),))


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _place_of_cookie(declaration: Declaration, name: str) -> str:
    return _where(declaration, f"cookies.{name}") if name in declaration.cookies else "seen on the site"


@fires_when("F.cookie-lifetime")
def lifetimes(looked: Looked) -> Iterator[Hit]:
    """Rows, and sentences about cookies, that name one cookie with another lifetime than is declared."""
    declaration = _declared(looked)
    if declaration is None or not declaration.cookies:
        return
    for block in looked.policy.blocks:
        cell = block.cell
        text = looked.rows.get((cell.table, cell.row), "") if cell else block.text
        named = [name for name in declaration.cookies if _stands(name, block.text)]
        if len(named) == 1 and (cell or "cookie" in text.casefold()):
            yield from _lifetime(declaration, named[0], block.sentences[-1], text)


def _lifetime(declaration: Declaration, name: str, sentence: Sentence, text: str) -> Iterator[Hit]:
    said = [one for one in quantities_in(same_words(text)) if one.unit in DAYS]
    period = declaration.cookies[name].period
    if len(said) == 1 and (period is None or abs(said[0].number * DAYS[said[0].unit] - _days(period)) > 1):
        declared = f"{declaration.cookies[name].lifetime} ({_where(declaration, f'cookies.{name}')})"
        yield Hit(sentence, says=(("name", name), ("said", str(said[0])), ("declared", declared)))


def _days(period: Period) -> float:
    return float(period.count * DAYS[period.unit])


@fires_when("F.hosts")
def hosts(looked: Looked) -> Iterator[Hit]:
    """A denial that others are involved on the site, while something was loaded from them."""
    seen = looked.facts.seen.hosts if looked.facts and looked.facts.seen else ()
    for passage in looked.mentions.of("denial.hosts") if seen else ():
        yield Hit(passage.sentence, says=(("which", _listed(list(seen))),))


# --- why, what, on what ground ----------------------------------------------------------------------------------------


@fires_when("F.purpose")
def purposes(looked: Looked) -> Iterator[Hit]:
    """Declared purposes that no sentence names, neither in their own words nor in those for such a use."""
    declaration = _declared(looked)
    if declaration is None:
        return
    words = looked.words
    uses = table("reality.toml")["uses"]
    for key, purpose in declaration.purposes.items():
        title = " ".join((purpose.title or key.replace("_", " ")).split())
        nearest = max((use for use in uses if f"{purpose.use}.".startswith(f"{use}.")), key=len, default="")
        if plain(title) not in words and not (nearest and _says(looked, uses[nearest])):
            yield Hit(says=(("name", title), ("where", _where(declaration, f"purposes.{key}"))))


@fires_when("F.category")
def categories(looked: Looked) -> Iterator[Hit]:
    """Declared kinds of personal data that no sentence names, each once, with a field that holds it."""
    declaration = _declared(looked)
    if declaration is None:
        return
    from troth.declaration import covers, title

    held = dict[str, str]()
    for system_name, system in declaration.systems.items():
        for table_name, declared in system.tables.items():
            for column, use in declared.fields.items():
                held.setdefault(use.category, f"systems.{system_name}.tables.{table_name}.fields.{column}")
    texts = [sentence.text for sentence in looked.policy.sentences]
    for category, path in held.items():
        is_covered = any(other != category and covers(other, category) for other in held)
        if not is_covered and not _names(looked, texts, category):
            yield Hit(says=(("name", title(category)), ("where", _where(declaration, path))))


def _names(looked: Looked, texts: Sequence[str], category: str) -> bool:
    """Whether the policy names such data, or nobody expects it to: what a system notes of its own accord."""
    words = table("reality.toml")["categories"].get(category, [])
    is_technical = words == "technical" or category.startswith("system.")
    return is_technical or _says(looked, words) or any(names_category(text, category) for text in texts)


@fires_when("F.basis")
def bases(looked: Looked) -> Iterator[Hit]:
    """Declared legal bases that the policy never names, each once."""
    declaration = _declared(looked)
    if declaration is None:
        return
    phrases, told = table("reality.toml")["bases"], set[str]()
    for key, purpose in declaration.purposes.items():
        if purpose.basis not in told and not _says(looked, phrases[purpose.basis]):
            told.add(purpose.basis)
            where = _where(declaration, f"purposes.{key}")
            yield Hit(says=(("name", purpose.basis.replace("_", " ")), ("where", where)))


@fires_when("F.decisions")
def decisions(looked: Looked) -> Iterator[Hit]:
    """A denial of automated decisions, while there are such."""
    declaration = _declared(looked)
    declared = declaration.notice.decisions if declaration else None
    if declaration is None or not isinstance(declared, dict):
        return
    which = [f"{one.title} ({_where(declaration, f'notice.decisions.{key}')})" for key, one in declared.items()]
    for passage in looked.mentions.of("denial.decisions"):
        yield Hit(passage.sentence, says=(("which", _listed(which)),))


# --- who we are -------------------------------------------------------------------------------------------------------


@fires_when("F.contact")
def contact(looked: Looked) -> Iterator[Hit]:
    """The declared name and mailbox, where the policy has another or none."""
    declaration = _declared(looked)
    if declaration is None:
        return
    organisation = declaration.organisation
    if not _is_named(organisation.name, looked.words):
        yield Hit(says=(("what", "the name of the company"), ("where", _where(declaration, "organisation.name"))))
    if organisation.email.casefold() not in _mailboxes(looked):
        yield Hit(says=(("what", "the address for mail"), ("where", _where(declaration, "organisation.email"))))


def _mailboxes(looked: Looked) -> set[str]:
    return {one.value.casefold() for one in contacts(looked.policy) if one.kind is ContactKind.EMAIL}


@fires_when("F.officer")
def officer(looked: Looked) -> Iterator[Hit]:
    """The declared officer's address, where the policy does not have it; on its sentence about the officer."""
    declaration = _declared(looked)
    declared = declaration.organisation.officer if declaration else None
    if declaration is not None and declared is not None and declared.email.casefold() not in _mailboxes(looked):
        places = looked.mentions.of("officer.any")
        where = _where(declaration, "organisation.officer")
        yield Hit(places[0].sentence if places else None, says=(("where", where),))


@fires_when("F.regulator")
def regulator(looked: Looked) -> Iterator[Hit]:
    """The declared regulator, where the policy names another or none."""
    declaration = _declared(looked)
    name = declaration.organisation.regulator if declaration else None
    if declaration is None or not name:
        return
    phrases = table("reality.toml")["regulators"].get(plain(name), [plain(name)])
    if not _says(looked, phrases):
        where = _where(declaration, "organisation.regulator")
        yield Hit(says=(("name", name), ("where", where)))


@fires_when("F.effective")
def effective(looked: Looked) -> Iterator[Hit]:
    """The latest day that the policy gives for itself, where it is not the declared one."""
    declaration = _declared(looked)
    date = own_date(looked)
    if (
        declaration is None
        or date is None
        or date.day is None
        or date.wrong
        or not re.match(r"\D*\d{1,2}\D", date.text)
    ):
        return
    declared = declaration.policy.effective
    if date.day != declared:
        says = (
            ("said", f"{date.day:%-d %B %Y}"),
            ("declared", f"{declared:%-d %B %Y}"),
            ("where", _where(declaration, "policy.effective")),
        )
        yield Hit(date.sentence, date.text, at=date.start, says=says)
