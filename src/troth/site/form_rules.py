"""What the forms of a page ask for, beyond what collection points declare.

A form with a free field asks for data, so each of its fields is declared or a fault. Searches and sign-ins do not, and
choices alone (a language, a filter, a quantity) do so only if their words are about a person; what cannot be decided is
said to be so. A form is that of a collection point on the point's own page; or if it is sent to the same address, and
most pages have it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from troth.declaration import CollectedField, CollectionPoint
from troth.site.page import Form, FormField, SitePage

_CHOICES = frozenset({"select", "checkbox", "radio", "number", "range", "color"})
_SEARCH = re.compile(
    r"q|s|qs|k|kw|query|search\w*|keywords?|terms?|text|suche?n?|suchbegriff|recherche|busca\w*|find", re.I
)
_NEUTRAL = re.compile(
    r"qty|quantit\w*|amount|count|menge|lang(?:uage)?|sprache|locale|currency|sort\w*|order(?:_?by)?|filter\w*|page|size|"
    r"colou?r|variant\w*|theme|rating|consent\w*|cookies?|statisti\w*|analytics|marketing|functional|necessary|accept\w*|"
    r"agree\w*|terms|agb|remember(?:[_-]?me)?|min|max|from|to|price\w*",
    re.I,
)
_CODES = re.compile(
    r"(?:coupon|voucher|promo\w*|discount|gutschein|rabatt)(?:[_-]?code)?|captcha\w*|qty|quantity|menge|sku|price\w*",
    re.I,
)
_PERSONAL = re.compile(
    r"birth|geburt|naissance|nacimiento|\bdob\b|\bb-?day\b|\bage\b|\balter\b|gender|\bsex\b|geschlecht|\bsexe\b|sexo|"
    r"religi|confession|konfession|ethnic|\brace\b|nationalit|pregnan|schwanger|health|gesundheit|santé|salud|disab|"
    r"diagnos|illness|politic|trade.?union|gewerkschaft|marital|sexual|income|salary|einkommen|passport|"
    r"(?:first|last|full|sur|given|family|maiden|vor|nach)[ _-]?name|e-?mail|phone|mobile|telefon|\btel\b|"
    r"social.security|\bssn\b|\biban\b",
    re.I,
)
_PLAIN = (
    r"birth|\bborn\b|geburt|geboren|naissance|\bnée?\b|nacimiento|\bnaci(?:ó|ste|d[oa])\b|\bd\.? ?o\.? ?b\b|"
    r"\bb-?day\b|how old|wie alt|quel âge|qué edad|cuántos años|(?:your|ihr|votre|su|tu) (?:age|alter|âge|edad)\b|"
    r"gender|geschlecht|\bsexe?\b|\bsexo\b|\b(?:fe)?male\b|männlich|weiblich|masculin|f[ée]m[ie]nin|"
    r"pass ?port|pasaporte|passeport|reisepass|identity (?:card|document|paper)|proof of identity|"
    r"\b(?:your|ihre|copy of an|scan of an|photo of an) id\b|\bid (?:card|number|document|scan)|ausweis|"
    r"identitätsnachweis|(?:carte|pièce) d.identité|documento de identidad|\bdni\b|driv(?:er|ing).{0,3}licen[cs]e|"
    r"führerschein|permis de conduire"
)
"""What is asked for in plain words: when somebody was born, a gender, or papers."""
_EITHER = r"(?:mr|mrs|ms|miss|an? (?:wo)?man|herr|frau|mann|monsieur|madame|homme|femme|señora?|hombre|mujer)\b\.?"
_ASKING = re.compile(rf"{_PLAIN}|\b{_EITHER}.{{1,9}}\b{_EITHER}", re.I)
_REVEALING = re.compile(
    rf"{_ASKING.pattern}|religi|confession|konfession|ethnic|"
    r"nationalit|pregnan|schwanger|health|gesundheit|santé|salud|disab|diagnos|illness|trade.?union|gewerkschaft|"
    r"marital|salary|einkommen|social.security|national insurance|\bssn\b|\biban\b|card number|kartennummer",
    re.I,
)
_SAME = re.compile(
    rf"{_REVEALING.pattern}|\bid\b|\bage\b|demographic|government|salutation|anrede|civilit|\btitle\b", re.I
)
"""What the name or category of a field says that asks for such a thing."""
_SIDE = re.compile(
    rf"(?:I am |ich bin )?(?:(?:fe)?male|männlich|weiblich|(?:mascul|f[ée]m[ie]n)in[oa]?|{_EITHER})", re.I
)
"""An answer that says a gender."""
_YOU = re.compile(r"\b(?:you|your|sie|ihre?|du|deine?|vous|votre|vos|usted|su|tu)\b", re.I)
_NOT = re.compile(
    r"\b(?:not(?! forget| only)|\w+n['’]t|never|no|without|leave out|kein\w*|nicht|nie|ohne|pas|jamais|sans|nunca|"
    r"sin)\b",
    re.I,
)
_ASKED = re.compile(
    r"\b(?:(?:tell|send|give|e-?mail) us|reply with|send (?=an? (?:copy|scan|photo)\b)|"
    r"(?:schicken|senden|nennen|sagen|geben) sie uns|(?:envoyez|dites|donnez|indiquez)-nous|"
    r"(?:envíe|díga|de|indíque)nos)\b"
    r".{0,60}?\b(?:how old|wie alt|quel âge|qué edad|"
    rf"(?:you were|your|ihr\w*|votre|vos|sus?|(?:copy|scan|photo) of an?) (?:[\w-]+ ){{0,3}}(?:{_PLAIN}))",
    re.I,
)
_KINDS = {
    "file": r"file|attach|upload|document|\bcv\b|r[eé]sum[eé]|photo|picture|image|avatar|content|datei|foto|bild",
    "date": r"date|day|datum|birth|\bdob\b|geburt|naissance|nacimiento|fecha|\bjour|termin|arriv|depart|expir",
}
_KINDS |= dict.fromkeys(("datetime-local", "month", "week"), _KINDS["date"])
"""What the name or category of a field says that is of this kind."""
_SENTENCE = re.compile(r"(?<=[\w)][\w)])[.!?]\s|\n")
_BETWEEN_WORDS = re.compile(r"[_.\-\[\]]+|(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Beyond:
    """A field of the *form* (its number on the page) that is not as declared. *is_certain* is False where the words do
    not show whether it is about a person, or about something else than declared. *is_declared* is True if the point of
    this form declares it, and *is_elsewhere* if a point of another page does."""

    form: int
    field: FormField
    is_certain: bool
    is_declared: bool = False
    is_elsewhere: bool = False


def beyond_declared(
    path: str,
    page: SitePage,
    points: Mapping[str, CollectionPoint],
    own: Collection[str] | None = None,
    *,
    sent_to: Mapping[str, Collection[str]],
    common: Collection[Form] = (),
) -> Iterator[Beyond]:
    """The fields of the forms on *page* at *path* that no collection point declares, or not as required. *own* are the
    fields of the forms on pages of another program, for such a page. *sent_to* are the addresses to which the forms of
    each point are sent (`addresses_of`).

    The form of a collection point on this page is compared with that point. Other forms are compared with the point
    that fits best among those that may be here: of this page, of none, or with the form's address. With that alone it
    may be another form, unless it is in *common* (`common_forms`).
    """
    misfit = _misfits(path, page, points)
    for number, form in enumerate(page.forms, 1):
        here = {
            name: point
            for name, point in points.items()
            if point.page is None or _is_on(point, path, page) or _without_query(form.action) in sent_to[name]
        }
        own_here = [point for point in here.values() if point.page is None or _is_on(point, path, page)]
        is_sure = form in common or any(_fits(form, point) for point in own_here)
        if number in misfit:
            yield from _against(number, form, misfit[number])
        elif own is not None:
            yield from (Beyond(number, item, is_certain=True) for item in form.fields if item.name not in own)
        elif form.fields:
            beyond = [*_of_any(number, form, here, {name for point in points.values() for name in point.fields})]
            yield from beyond
            if here and not beyond and not is_sure and not _is_search(form) and not _is_sign_in(form):
                yield Beyond(number, form.fields[0], is_certain=False, is_elsewhere=True)


def addresses_of(
    points: Mapping[str, CollectionPoint], pages: Mapping[str, SitePage], home: str
) -> dict[str, frozenset[str]]:
    """For each point the address of its page, and those to which the forms on that page send what it requires."""
    addresses = dict[str, frozenset[str]]()
    for name, point in points.items():
        own = [page for path, page in pages.items() if _is_on(point, path, page)]
        forms = [form for page in own for form in page.forms if form.fields and serves(form, point)]
        named = [urljoin(home, point.page)] if point.page is not None else []
        sent = [*named, *(page.url for page in own), *(form.action for form in forms)]
        addresses[name] = frozenset(map(_without_query, sent))
    return addresses


def common_forms(pages: Collection[SitePage]) -> list[Form]:
    """Forms that most *pages* have, such as that of a newsletter in the foot of each."""
    counted = Counter(form for page in pages for form in {*page.forms} if form.fields)
    return [form for form, times in counted.items() if times > max(1, len(pages) / 2)]


def asked_in_text(pages: Mapping[str, SitePage]) -> Iterator[str]:
    """The paths of *pages* whose text asks for a date of birth, a gender or papers, as in an e-mail."""
    for path, page in pages.items():
        if any(_ASKED.search(said) for piece in (page.text, *page.beside) for said in _said(piece)):
            yield path


def _without_query(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]


def _is_on(point: CollectionPoint, path: str, page: SitePage) -> bool:
    """True if *page* is the point's own."""
    return point.page is not None and point.page in {path, urlsplit(page.url).path, page.url}


def serves(form: Form, point: CollectionPoint) -> bool:
    """True if the form asks for all that *point* requires."""
    needed = {name for name, use in point.fields.items() if use.need == "required"}
    return needed <= {item.name for item in form.fields}


def _misfits(path: str, page: SitePage, points: Mapping[str, CollectionPoint]) -> dict[int, CollectionPoint]:
    """Forms that are those of a collection point on this page, where none on the page asks for no more than that."""
    misfits = dict[int, CollectionPoint]()
    for point in points.values():
        if not _is_on(point, path, page):
            continue
        serving = [(number, form) for number, form in enumerate(page.forms, 1) if form.fields and serves(form, point)]
        if serving and not any(_fits(form, other) for _, form in serving for other in (point, *_elsewhere(points))):
            number, _ = min(serving, key=lambda item: len(_names(item[1]) - point.fields.keys()))
            misfits[number] = point
    return misfits


def _elsewhere(points: Mapping[str, CollectionPoint]) -> list[CollectionPoint]:
    return [point for point in points.values() if point.page is None]


def _of_any(
    number: int, form: Form, points: Mapping[str, CollectionPoint], declared: Collection[str]
) -> Iterator[Beyond]:
    """*declared* are the fields of all points, also of those that are not in *points* because they are elsewhere."""
    best = min(points.values(), key=lambda point: len(_names(form) - point.fields.keys()), default=None)
    if best is not None and _fits(form, best):
        yield from _against(number, form, best)
        return
    known = best.fields.keys() if best is not None else set()
    beyond = [item for item in form.fields if item.name not in known and not _is_neutral(item)]
    if not beyond or _is_search(form) or _is_sign_in(form):
        return
    is_asking = any(it.kind not in _CHOICES and (form.method == "post" or _is_personal(it)) for it in form.fields)
    for item in beyond:
        is_certain = is_asking or _is_personal(item)
        yield Beyond(number, item, is_certain=is_certain, is_elsewhere=item.name in declared)


def _against(number: int, form: Form, point: CollectionPoint) -> Iterator[Beyond]:
    # Words between two fields may be about either.
    is_hinted = not any(_SAME.search(_named(name, use)) for name, use in point.fields.items())
    for item in form.fields:
        declared = point.fields.get(item.name)
        if declared is None:
            yield Beyond(number, item, is_certain=True)
        elif item.required and declared.need == "optional":
            yield Beyond(number, item, is_certain=True, is_declared=True)
        elif _asks_otherwise(item, declared, is_hinted=is_hinted):
            yield Beyond(number, item, is_certain=False, is_declared=True)


def _named(name: str, use: CollectedField) -> str:
    return _BETWEEN_WORDS.sub(" ", f"{name} {use.category or ''}")


def _asks_otherwise(item: FormField, declared: CollectedField, *, is_hinted: bool) -> bool:
    """True if the kind of the field, or the words beside it, are about something that its name and category are not."""
    named = _named(item.name, declared)
    if item.kind in _KINDS and not re.search(_KINDS[item.kind], named, re.I):
        return True
    if is_hinted and any(map(_ASKING.search, _said(item.hint))):
        return True
    return _is_revealing(item) and not _SAME.search(named)


def _is_revealing(item: FormField) -> bool:
    """True if the field's words or answers are about something that is nobody's business by default."""
    return any(map(_REVEALING.search, _said(item.words))) or any(map(_SIDE.fullmatch, item.choices))


def _said(words: str) -> list[str]:
    """The sentences of *words* that do not say no."""
    return [said for said in _SENTENCE.split(words) if not _NOT.search(said)]


def _fits(form: Form, point: CollectionPoint) -> bool:
    return _names(form) <= point.fields.keys()


def _names(form: Form) -> set[str]:
    return {item.name for item in form.fields}


def _is_search(form: Form) -> bool:
    """One field to search by, beside choices that say nothing of a person."""
    words = [item for item in form.fields if item.kind not in _CHOICES]
    is_one = len(words) == 1 and words[0].kind in {"search", "text"}
    if not is_one or (words[0].kind == "text" and not _SEARCH.fullmatch(words[0].name)):
        return False
    rest = [item for item in form.fields if item is not words[0]]
    return not _is_personal(words[0]) and all(_is_neutral(item) for item in rest)


def _is_sign_in(form: Form) -> bool:
    """A name and a password, which the site knows already; a new password is for an account that is being made."""
    passwords = [item for item in form.fields if item.kind == "password"]
    rest = [item for item in form.fields if item.kind not in {"password", "checkbox"}]
    is_new = any("new-password" in item.words for item in passwords)
    return (
        len(passwords) == 1 and not is_new and len(rest) <= 1 and all(item.kind in {"text", "email"} for item in rest)
    )


def _is_neutral(item: FormField) -> bool:
    """True if the field is for the site to work, by its name, and its words say nothing else."""
    is_named = _NEUTRAL if item.kind in _CHOICES else _CODES
    is_plain = is_named.fullmatch(item.name) is not None and not _is_personal(item) and not _is_revealing(item)
    return is_plain and not any(_ASKING.search(said) and _YOU.search(said) for said in _said(item.hint))


def _is_personal(item: FormField) -> bool:
    if item.kind in {"email", "tel"}:
        return True
    return _PERSONAL.search(f"{_BETWEEN_WORDS.sub(' ', item.name)} {item.words}") is not None
