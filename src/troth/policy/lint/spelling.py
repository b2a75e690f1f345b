"""Rules about spelling: misspelt laws and names, missing words and commas, impossible telephone numbers and
postcodes."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from troth.policy.company_names import company_names
from troth.policy.lint.context import LintContext
from troth.policy.lint.date_formats import dates_of
from troth.policy.lint.law_names import misnamed_laws
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import Occurrence, any_word, hit_at, occurrences, phrase, straight, table
from troth.policy.lint.rules import fires_when
from troth.policy.phrases import plain
from troth.policy.text import Sentence

# --- laws -------------------------------------------------------------------------------------------------------------

_ARTICLE = re.compile(r"\bArt(?:icle|\.)? ?(?P<number>\d{1,2})\b(?! ?(?:\(1\)|para\.? ?1) ?(?:lit|\())")


@fires_when("S.typo.regime")
def misspelt_law(looked: LintContext) -> Iterator[Hit]:
    """Misspelt names of laws, rights with the wrong article, and wrong dates of entry into force."""
    wanted = table("laws.toml")["misspelt"]
    for sentence, found in occurrences(looked, _misspelt()):
        right = wanted[found[0]]
        yield hit_at(
            sentence, found.start(), found.end(), replacement=right, why=f"“{found[0]}” is misspelt", right=right
        )
    yield from misnamed_laws(looked)
    for sentence in looked.policy.sentences:
        yield from _wrong_article(sentence)
        yield from _wrong_day(sentence, looked.as_of)


@functools.cache
def _misspelt() -> re.Pattern[str]:
    names = sorted(table("laws.toml")["misspelt"], key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w'-])")


def _wrong_article(sentence: Sentence) -> Iterator[Hit]:
    """A single right with a single article of the GDPR that is about another right."""
    text = straight(sentence.text)
    found = list(_ARTICLE.finditer(text))
    if len(found) != 1 or found[0]["number"] not in {"13", "14", "19", *table("laws.toml")["articles"]}:
        return
    before = text[max(0, found[0].start() - 60) : found[0].start()].lower()
    rights = table("laws.toml")["articles"].items()
    meant = [number for number, words in rights if any(word in before for word in words)]
    if len(meant) == 1 and meant[0] != found[0]["number"] and "GDPR" in text:
        start, end = found[0].span("number")
        why = f"Art. {found[0]['number']} of the GDPR is about something else"
        yield hit_at(sentence, start, end, replacement=meant[0], why=why, right=f"Art. {meant[0]}")


def _wrong_day(sentence: Sentence, as_of: dt.date) -> Iterator[Hit]:
    words = plain(sentence.text)
    for law in table("laws.toml")["in-force"]:
        if not any(phrase(text).found_in(words) for text in law["phrases"]):
            continue
        for date in dates_of(sentence, as_of):
            if date.day is not None and date.day not in law["days"] and not date.wrong:
                why = f"The {law['law']} did not come into force on that day"
                yield hit_at(sentence, date.start, date.end, why=why, right=law["right"])


# --- words ------------------------------------------------------------------------------------------------------------


@fires_when("S.typo.its")
def its(looked: LintContext) -> Iterator[Hit]:
    """“It’s” as a possessive, and “its” for “it is”."""
    words = table("grammar.toml")["its"]
    owner = re.compile(rf"\b(?P<wrong>it's)(?= (?:{words['owned']})\b(?! (?:own )?(?:to|that|not|up)\b))", re.I)
    being = re.compile(rf"(?<![\w'-])(?P<wrong>its)(?= (?:{words['is']})\b(?! [\w-]+ly\b))", re.I)
    for pattern, right in ((owner, "its"), (being, "it is")):
        for sentence, found in occurrences(looked, pattern):
            fixed = right.capitalize() if found[0][0].isupper() else right
            yield hit_at(sentence, found.start(), found.end(), replacement=fixed, right=fixed)


@fires_when("S.grammar.missing-word")
def missing_word(looked: LintContext) -> Iterator[Hit]:
    """Sentences with a missing word, where only one word fits."""
    for pattern, word in _gaps():
        for sentence, found in occurrences(looked, pattern, headings=False):
            has_sides = word and "a" in found.re.groupindex
            start, end = found.span()
            replacement = None
            if has_sides:
                replacement = (
                    f"{sentence.text[found.start('a') : found.end('a')]} {word} {sentence.text[found.start('b') : end]}"
                )
            yield hit_at(sentence, start, end, replacement=replacement, which=f": “{word}”" if word else "")


@functools.cache
def _gaps() -> tuple[tuple[re.Pattern[str], str], ...]:
    data = table("grammar.toml")
    return tuple(
        (re.compile(row["pattern"].replace("%(verbs)s", data["verbs"]), re.I), row["word"]) for row in data["missing"]
    )


@fires_when("S.grammar.list")
def list_without_comma(looked: LintContext) -> Iterator[Hit]:
    """Lists with a missing comma."""
    for row in table("grammar.toml")["list"]:
        for sentence, found in occurrences(looked, _pattern(row["pattern"]), headings=False):
            at = found.end("gap") - found.start()
            quote = sentence.text[found.start() : found.end()]
            replacement = "," if not found["gap"].strip() else f"{quote[:at]},{quote[at:]}"
            yield hit_at(sentence, found.start(), found.end(), replacement=replacement)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.I)


# --- names ------------------------------------------------------------------------------------------------------------

_NAME_MIN = 4
_ADDRESS = r"(?<![\w@./-])"
_NO_NAME = re.compile(
    r"[\[{<(]+(?:insert |your |the |enter )?(?:company|business|organi[sz]ation|firm|legal entity)(?:'s)?"
    r"(?:[ _](?:legal[ _])?name)?[\]}>)]+(?!\w)",
    re.I,
)
"""Template placeholders for the company's name."""
_WITH_FORM = re.compile(r"((?:[A-Z][\w&'-]{1,30} ){1,4}(?:Ltd|Limited|Inc|LLC|LLP|PLC|plc|GmbH|CLG|Pty)\b)")
_INNER_CAPITAL = re.compile(r"(?<![\w@./-])[A-Z][a-z]+[A-Z][a-z]+(?:[A-Z][a-z]+)?(?![\w@/-]|\.\w)")
"""Always a name: “BrightLeaf”."""
_LEGAL = re.compile(r",? ?(?:Ltd|Limited|Inc|LLC|LLP|PLC|plc|GmbH|AG|B\.?V|S\.L|CLG|Pty)\b\.?.*$")


@fires_when("S.name-variants")
def name_variants(looked: LintContext) -> Iterator[Hit]:
    """Every sentence that spells a name differently from most others."""
    ours = next((found[1] for _, found in occurrences(looked, _WITH_FORM)), "")
    for sentence, one in occurrences(looked, _NO_NAME) if ours else ():
        yield hit_at(sentence, one.start(), one.end(), replacement=ours, spellings=f"“{ours}”, “{one[0]}”", right=ours)
    for pattern in _names(looked):
        found = [(sentence, one) for sentence, one in occurrences(looked, pattern) if not one[0].isupper()]
        spellings = Counter(one[0] for _, one in found)
        if len(spellings) < 2:
            continue
        right = _best(spellings, found)
        said = ", ".join(f"“{spelling}”" for spelling in spellings)
        for sentence, one in found:
            if one[0] != right:
                yield hit_at(sentence, one.start(), one.end(), replacement=right, spellings=said, right=right)


def _best(spellings: Counter[str], occurrences: list[Occurrence]) -> str:
    """The manufacturer's spelling if known, else one with capitals, else the most frequent, else the first."""
    known = set(table("laws.toml")["products"]["names"])
    first = list(dict.fromkeys(one[0] for _, one in occurrences))
    return max(first, key=lambda name: (name in known, not name.islower(), spellings[name], -first.index(name)))


def _names(looked: LintContext) -> Iterator[re.Pattern[str]]:
    """Patterns for a product's or the company's name in any spelling; not in addresses."""
    text = straight("\n".join(sentence.text for sentence in looked.policy.sentences)).casefold()
    squeezed = re.sub(r"[^a-z0-9]", "", plain(looked.policy.text))
    for name in table("laws.toml")["products"]["names"]:
        if re.sub(r"[^a-z0-9]", "", name.casefold()) in squeezed:
            yield re.compile(rf"{_ADDRESS}{_loosely(name)}(?![\w@/-]|\.\w)", re.I)
    formal = (found[1] for _, found in occurrences(looked, _WITH_FORM))
    products = {name.casefold() for name in table("laws.toml")["products"]["names"]}
    inner = (found[0] for _, found in occurrences(looked, _INNER_CAPITAL) if found[0].casefold() not in products)
    for name in dict.fromkeys([*company_names(looked.policy), *formal, *inner]):
        bare = _LEGAL.sub("", name).strip()
        if len(bare) >= _NAME_MIN and not bare.casefold().startswith(("the ", "our ")) and text:
            yield re.compile(rf"{_ADDRESS}{_with_capital(bare)}(?![\w@/-]|\.\w)")


def _loosely(name: str) -> str:
    """Any case; between parts of the name a space or hyphen is optional."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)
    return "[ -]?".join(map(re.escape, parts))


def _with_capital(name: str) -> str:
    """The same for a company, whose name may also be an ordinary word: the first letter must be a capital."""
    parts = re.findall(r"[A-Z]?[^\WA-Z]+|[A-Z]+(?![a-z])|\d+|&", name)
    first, *others = parts or [name]
    loose = "".join(f"[ -]?(?i:{'(?:&|and)' if part.lower() in {'&', 'and'} else re.escape(part)})" for part in others)
    return rf"{re.escape(first[0])}(?i:{re.escape(first[1:])}){loose}"


# --- numbers ----------------------------------------------------------------------------------------------------------

_POSTCODE_LIKE = re.compile(r"(?<![\w-])(?P<out>[A-Z]{1,2}\d[A-Z\d]?) ?(?P<in>[A-Z\d]{2,4})(?![\w-])")
_POSTCODE = re.compile(r"(?:[A-Z]\d[\dA-HJKPSTUW]?|[A-Z][A-HJ-Y]\d[\dABEHMNPRVWXY]?) ?\d[ABD-HJLNP-UW-Z]{2}")
_CITY = re.compile(
    r"(?<![\d-])(?:\d{4}|\d{6}) (?:Paris|Lyon|Marseille|Bordeaux|Berlin|Hamburg|Munich|München|Cologne|Köln|Frankfurt"
    r"|Madrid|Barcelona|Valencia|Rome|Roma|Milano?|Helsinki|Warsaw)\b"
    r"|(?<![\d-])(?:\d{3}|\d{5}) (?:Vienna|Wien|Zurich|Zürich|Bern|Geneva|Brussels|Copenhagen|Oslo|Budapest)\b"
)
"""Cities with a postcode that has too few or too many digits."""
_ZIP = any_word("spelling.states", before=", ", after=r" (?P<zip>\d{3,9})\b(?!-\d{4}\b)")
_NOWHERE = re.compile(r"(?<![\d-])(?:0000 ?[A-Z]{2}|00000)(?= [A-Z][a-z])")
_PHONE = re.compile(
    r"\b(?:tel(?:ephone)?|phone|fax|call(?: us)?(?: on| at)?|ring|mobile|toll[ -]free|freephone|hotline|desk)\b"
    r"[.:]?(?: us)?(?: on| at| no\.?| number)?:? ?"
    r"(?P<number>\+?\(?\d[\d ()./-]{4,24}\d)",
    re.I,
)
_INTERNATIONAL = re.compile(r"(?<![\w+])(?P<number>\+\d[\d ()./-]{3,24}\d)(?!\w)")
_PLACEHOLDER = re.compile(
    r"(?<![\w+])(?P<number>\+?\d{0,3}[ -]?(?:\(?\d{0,4}\)?[ -]?)?[Xx]{3,5}[ -]?[Xx]{3,8}(?:[ -]?[Xx]{2,6})?)(?!\w)"
    r"|(?:\b(?:no|nr|number|ABN|ACN|tel|telephone|phone|box|reg|registration|VAT|company|fax|mobile"
    r"|(?:call|ring)(?: us)?(?: on| at)?)\b[.:]? ?(?:no\.? )?"
    r"|(?<!\w)(?=\+\d{1,3} ?0))(?P<noughts>(?:\+\d{1,3} ?)?0[0 -]{1,20}0|[Xx]{4,12})(?![\w-])",
    re.I,
)
"""A placeholder for a number: zeros or the letter X."""
_NORTH_AMERICAN = re.compile(r"1[-. ]\(?\d{2,4}\)?[-. ]\d{2,4}[-. ]\d")
_UK_TRUNK = re.compile(r"\+44 ?0")


@fires_when("S.contact.postcode")
def contact_number(looked: LintContext) -> Iterator[Hit]:
    """Impossible postcodes and telephone numbers."""
    told = defaultdict[str, set[int]](set)
    if looked.home.region in {"uk", ""}:
        for sentence, found in occurrences(looked, _POSTCODE_LIKE):
            has_letter = any(letter.isalpha() for letter in found["in"]) and any(map(str.isdigit, found[0][3:]))
            if has_letter and not _POSTCODE.fullmatch(found[0]) and _is_address(sentence, found):
                yield hit_at(sentence, found.start(), found.end(), why="This is no postcode of the United Kingdom")
    for sentence, found in occurrences(looked, _NOWHERE):
        yield hit_at(sentence, found.start(), found.end(), why="No postcode is made of noughts")
    for sentence, found in occurrences(looked, _CITY):
        yield hit_at(sentence, found.start(), found.end(), why="A postcode there has another number of digits")
    for sentence, found in occurrences(looked, _ZIP):
        if len(found["zip"]) != 5:
            yield hit_at(sentence, *found.span("zip"), why="A ZIP code has five digits")
    for sentence, found in occurrences(looked, _PLACEHOLDER):
        name = "number" if found["number"] else "noughts"
        told[sentence.id].add(found.start(name))
        yield hit_at(sentence, *found.span(name), why="This number is still to be filled in")
    for pattern in (_PHONE, _INTERNATIONAL):
        for sentence, found in occurrences(looked, pattern):
            why = _wrong_number(found["number"])
            if why and found.start("number") not in told[sentence.id]:
                told[sentence.id].add(found.start("number"))
                yield hit_at(sentence, *found.span("number"), why=why)


def _is_address(sentence: Sentence, match: re.Match[str]) -> bool:
    """True if it is where a postcode would be: after a comma or a place name."""
    before = straight(sentence.text)[: match.start()].rstrip()
    return before.endswith(",") or re.search(r"[a-z],? [A-Z][a-z]+$|, [A-Z][a-z]+$", before) is not None


def _wrong_number(number: str) -> str:
    """What is wrong with the number of digits of a telephone number; empty if nothing is."""
    digits = re.sub(r"\D", "", number)
    if _UK_TRUNK.match(number):
        return "Behind +44 the 0 is left out"
    if number.startswith("+"):
        which, lengths = "telephone number of another country", range(8, 16)
    elif _NORTH_AMERICAN.match(number):
        which, lengths = "number that begins with 1", range(11, 12)
    elif number.startswith(("020 7", "020 8", "020 3")):
        which, lengths = "number of London", range(11, 12)
    elif digits.startswith(("1800", "1888", "1877", "1866")):
        which, lengths = f"number that begins with 1-{digits[1:4]}", range(11, 12)
    else:
        which, lengths = "telephone number", range(6, 16)
    expected = " to ".join(str(length) for length in sorted({lengths[0], lengths[-1]}))
    return "" if len(digits) in lengths else f"A {which} has {expected} digits, this has {len(digits)}"
