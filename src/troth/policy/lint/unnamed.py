"""Rules about declared facts that no sentence names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from troth.policy.categories import names_category
from troth.policy.extraction import ContactKind, contacts
from troth.policy.lint.context import LintContext
from troth.policy.lint.dates import own_date
from troth.policy.lint.declaration_rules import fires_when_against, is_named, place_of, says_one_of
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import table
from troth.policy.phrases import plain
from troth.text import first_few

if TYPE_CHECKING:
    from troth.declaration import Declaration

# --- purposes, categories, legal bases --------------------------------------------------------------------------------


@fires_when_against("F.purpose")
def purposes(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Declared purposes that no sentence names, by their title or by the words for their use."""
    words = looked.words
    uses = table("reality.toml")["uses"]
    for key, purpose in declaration.purposes.items():
        title = " ".join((purpose.title or key.replace("_", " ")).split())
        nearest = max((use for use in uses if f"{purpose.use}.".startswith(f"{use}.")), key=len, default="")
        if plain(title) not in words and not (nearest and says_one_of(looked, uses[nearest])):
            yield Hit(says=(("name", title), ("where", place_of(declaration, f"purposes.{key}"))))


@fires_when_against("F.category")
def categories(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Declared categories that no sentence names, each once, with a field that holds it."""
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
            yield Hit(says=(("name", title(category)), ("where", place_of(declaration, path))))


def _names(looked: LintContext, texts: Sequence[str], category: str) -> bool:
    """True if the policy names such data, or need not: data that a system records by itself."""
    known = table("reality.toml")["categories"]
    nearest = max((one for one in known if f"{category}.".startswith(f"{one}.")), key=len, default="")
    words = known.get(nearest, [])
    is_technical = words == "technical" or category.startswith("system.")
    return is_technical or says_one_of(looked, words) or any(names_category(text, category) for text in texts)


@fires_when_against("F.basis")
def bases(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Declared legal bases that the policy never names, each once."""
    phrases, told = table("reality.toml")["bases"], set[str]()
    for key, purpose in declaration.purposes.items():
        if purpose.basis not in told and not says_one_of(looked, phrases[purpose.basis]):
            told.add(purpose.basis)
            where = place_of(declaration, f"purposes.{key}")
            yield Hit(says=(("name", purpose.basis.replace("_", " ")), ("where", where)))


@fires_when_against("F.decisions")
def decisions(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """A denial of automated decisions, although some are declared."""
    declared = declaration.notice.decisions
    if not isinstance(declared, dict):
        return
    which = [f"{one.title} ({place_of(declaration, f'notice.decisions.{key}')})" for key, one in declared.items()]
    for passage in looked.mentions.of("denial.decisions"):
        yield Hit(passage.sentence, says=(("which", first_few(which)),))


# --- the company ------------------------------------------------------------------------------------------------------


@fires_when_against("F.contact")
def contact(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """The declared name and e-mail address, if the policy does not have them."""
    organisation = declaration.organisation
    if not is_named(organisation.name, looked.words):
        yield Hit(says=(("what", "the name of the company"), ("where", place_of(declaration, "organisation.name"))))
    if organisation.email.casefold() not in _mailboxes(looked):
        yield Hit(says=(("what", "the address for mail"), ("where", place_of(declaration, "organisation.email"))))


def _mailboxes(looked: LintContext) -> set[str]:
    return {one.value.casefold() for one in contacts(looked.policy) if one.kind is ContactKind.EMAIL}


@fires_when_against("F.officer")
def officer(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """The declared officer's e-mail address, if it is missing; reported on the policy's sentence about the officer."""
    declared = declaration.organisation.officer
    if declared is not None and declared.email.casefold() not in _mailboxes(looked):
        places = looked.mentions.of("officer.any")
        where = place_of(declaration, "organisation.officer")
        yield Hit(places[0].sentence if places else None, says=(("where", where),))


@fires_when_against("F.regulator")
def regulator(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """The declared regulator, if the policy does not name it."""
    name = declaration.organisation.regulator
    if not name:
        return
    phrases = table("reality.toml")["regulators"].get(plain(name), [plain(name)])
    if not says_one_of(looked, phrases):
        where = place_of(declaration, "organisation.regulator")
        yield Hit(says=(("name", name), ("where", where)))


@fires_when_against("F.effective")
def effective(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """The latest date that the policy gives for itself, if it differs from the declared one."""
    date = own_date(looked)
    if date is None or date.day is None or date.wrong or not re.match(r"\D*\d{1,2}\D", date.text):
        return
    declared = declaration.policy.effective
    if date.day != declared:
        says = (
            ("said", f"{date.day:%-d %B %Y}"),
            ("declared", f"{declared:%-d %B %Y}"),
            ("where", place_of(declaration, "policy.effective")),
        )
        yield Hit(date.sentence, date.text, at=date.start, says=says)
