"""Texts for terms of the law and of the declaration, in the active language."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from troth import declaration as declared
from troth.law.rule_sets import places
from troth.service.labels import clock, listed

BASES: Mapping[declared.Basis, object] = {
    declared.Basis.CONSENT: gettext_lazy("you agreed to it (GDPR Art. 6(1)(a)); you may withdraw that at any time"),
    declared.Basis.CONTRACT: gettext_lazy(
        "we need it for our contract with you, or to prepare one as you asked (Art. 6(1)(b))"
    ),
    declared.Basis.LEGAL_OBLIGATION: gettext_lazy("the law obliges us (Art. 6(1)(c))"),
    declared.Basis.VITAL_INTERESTS: gettext_lazy("it protects somebody’s life (Art. 6(1)(d))"),
    declared.Basis.PUBLIC_TASK: gettext_lazy("it is part of a task in the public interest (Art. 6(1)(e))"),
    declared.Basis.LEGITIMATE_INTERESTS: gettext_lazy(
        "we have a legitimate interest in it (Art. 6(1)(f)); you may object"
    ),
    declared.Basis.RECOGNISED_LEGITIMATE_INTERESTS: gettext_lazy(
        "it serves an interest that the law recognises (UK GDPR Art. 6(1)(ea)); you may object"
    ),
}
_STOPPED_CONSENT = gettext_lazy("it rested on your consent (GDPR Art. 6(1)(a)), and a stop is recorded")
_STOPPED = gettext_lazy("%(basis)s; a stop is recorded")


def basis_words(basis: declared.Basis, *, is_stopped: bool) -> str:
    """Text for the legal basis of a use, and whether a stop is recorded."""
    if not is_stopped:
        return str(BASES[basis])
    return str(_STOPPED_CONSENT) if basis is declared.Basis.CONSENT else _STOPPED % {"basis": BASES[basis]}


KINDS: Mapping[str, object] = {
    declared.IdentityKind.EMAIL: gettext_lazy("E-mail address"),
    declared.IdentityKind.PHONE: gettext_lazy("Telephone number"),
    declared.IdentityKind.ACCOUNT: gettext_lazy("Account"),
    declared.IdentityKind.NAME: gettext_lazy("Name"),
    declared.IdentityKind.POSTAL: gettext_lazy("Postal address"),
}
ROLES: Mapping[declared.Sharing, object] = {
    declared.Sharing.PROCESSOR: gettext_lazy("works for us, by contract and on our instructions"),
    declared.Sharing.CONTROLLER: gettext_lazy("decides for itself what it does with the data"),
    declared.Sharing.JOINT: gettext_lazy("decides together with us"),
    declared.Sharing.SALE: gettext_lazy("buys the data from us"),
    declared.Sharing.SHARE: gettext_lazy("receives the data for advertising across websites"),
}
SOURCES: Mapping[str, object] = {
    "given": gettext_lazy("Forms of ours ask for it"),
    "named": gettext_lazy("By our records, from here"),
    "observed": gettext_lazy("It arose when you used our service"),
    "derived": gettext_lazy("We worked it out from other data"),
    "unnamed": gettext_lazy("Our records name no source: you, others who dealt with us, or we ourselves"),
}
WHY_LEFT_OUT: Mapping[str, object] = {
    "basis": gettext_lazy("we use it neither with your consent nor for a contract with you"),
    "source": gettext_lazy("you did not provide it: we worked it out ourselves"),
}
_SAFEGUARDS: Mapping[str, object] = {
    "adequacy": gettext_lazy("the protection there was found adequate (Art. 45)"),
    "scc": gettext_lazy("standard contractual clauses of the European Commission (Art. 46(2)(c))"),
    "idta": gettext_lazy("the United Kingdom’s international data transfer agreement (Art. 46)"),
    "dpf": gettext_lazy("the EU–US Data Privacy Framework (Art. 45)"),
    "uk_bridge": gettext_lazy("the UK–US data bridge (Art. 45)"),
    "bcr": gettext_lazy("binding corporate rules (Art. 47)"),
}
_UNANSWERED: Mapping[str, object] = {
    "unreachable": gettext_lazy("it could not be reached"),
    "refused": gettext_lazy("it refused to answer"),
    "busy": gettext_lazy("it was too busy to answer"),
    "waiting": gettext_lazy("the answer is still being prepared"),
    "accepted": gettext_lazy("the answer is still being prepared"),
    "running": gettext_lazy("the answer is still being prepared"),
    "failed": gettext_lazy("looking there failed"),
    "no_answer": gettext_lazy("it has not answered in time"),
    "secret_missing": gettext_lazy("we cannot ask it at the moment, because of a mistake of ours"),
    "not_declared": gettext_lazy("we cannot ask it any more"),
    "not_possible": gettext_lazy("it cannot be searched for you"),
    "cannot_find": gettext_lazy("you could not be found there by what we know of you"),
    "must_keep": gettext_lazy("the law does not let us show it"),
    "right_not_answered": gettext_lazy("it does not answer such requests by itself; write to us about it"),
    "other": gettext_lazy("for a reason that we tell you when you ask"),
}
_COUNTRIES: Mapping[str, object] = {"IN": gettext_lazy("India"), "JP": gettext_lazy("Japan")}
"""Those without a rule set."""
_REGULATORS: Mapping[str, str] = {
    "ICO": "https://ico.org.uk/make-a-complaint/",
    "CNIL": "https://www.cnil.fr/",
    "BfDI": "https://www.bfdi.bund.de/",
    "AEPD": "https://www.aepd.es/",
    "DPC": "https://www.dataprotection.ie/",
}


def human(name: str) -> str:
    """``payment_method`` and ``paymentMethod`` as ``Payment method``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"[_\W]+", " ", name)).strip()
    return words[:1].upper() + words[1:] if words else name


def category_words(key: str) -> str:
    """Title of a data category, with a note if it is a special category (Art. 9)."""
    if not declared.is_category(key):
        return human(key.rpartition(".")[2])
    words = gettext(declared.title(key))
    return (
        gettext("%(category)s (specially protected, Art. 9)") % {"category": words}
        if declared.is_special(key)
        else words
    )


def declared_words(text: str) -> str:
    """A declared text in the active language if available, else in its original language."""
    return declared.in_language(text, get_language() or "en") or str(text)


def _own(declaration: declared.Declaration, text: str | None) -> str:
    """*text* in the active language; empty if it is declared only in other languages."""
    if text is None:
        return ""
    language = get_language() or "en"
    return declared.in_language(text, language) or (str(text) if language == declaration.policy.language else "")


def purpose_words(declaration: declared.Declaration, name: str) -> str:
    """Title of a purpose; if it is not declared, its name in readable form."""
    purpose = declaration.purposes.get(name)
    if purpose is None:
        return human(name)
    general = gettext(declared.title(purpose.use)) if declared.is_use(purpose.use) else human(name)
    return declared_words(purpose.title) if purpose.title else general


def recipient_words(declaration: declared.Declaration, name: str) -> str:
    recipient = declaration.recipients.get(name)
    return declared_words(recipient.title) if recipient and recipient.title else human(name)


def system_words(declaration: declared.Declaration, name: str) -> str:
    system = declaration.systems.get(name)
    return declared_words(system.title) if system and system.title else human(name)


def form_words(declaration: declared.Declaration, name: str) -> str:
    """Title of a collection point."""
    point = declaration.collection_points.get(name)
    return declared_words(point.title) if point and point.title else human(name)


_WORD = re.compile(r"[A-Za-z]{3,}")
_KINDS_MAX = 3


def table_words(declaration: declared.Declaration, place: str) -> str:
    """Title of the rows of ``system.table``: the declared title, a name that is a plain word, or their data categories.
    Empty if none of these is readable."""
    table, name = declaration.table_at(place), place.partition(".")[2]
    titles = [table.title] if table else []
    titles += [rule.title for rule in declaration.retention.values() if rule.table == place]
    word = human(name) if _WORD.fullmatch(name) else ""
    own = next(filter(None, (_own(declaration, text) for text in (*titles, word))), "")
    if own:
        return own
    kinds = list(dict.fromkeys(category_words(use.category) for use in table.fields.values())) if table else []
    if kinds:
        more = ["…"] if len(kinds) > _KINDS_MAX else []
        return ", ".join([*kinds[:_KINDS_MAX], *more])
    if table is None and not word:  # external systems name their tables themselves
        return human(name) if re.fullmatch(r"[^\W\d]+", name) else ""
    return next((str(text) for text in titles if text), word)


def place_words(declaration: declared.Declaration, place: str) -> str:
    """Title of a table with its system: ``The shop: Orders``."""
    system, table = system_words(declaration, place.partition(".")[0]), table_words(declaration, place)
    return f"{system}: {table}" if table else system


def column_words(declaration: declared.Declaration, place: str, column: str, category: str | None = None) -> str:
    """Title of a column of ``system.table``: the declared title, or its data category."""
    table = declaration.table_at(place)
    title = table.titles.get(column) if table else None
    if own := _own(declaration, title):
        return own
    if category is None and table and column in table.fields:
        category = table.fields[column].category
    if category is not None:
        return category_words(category)
    if title:
        return str(title)
    if table and column in {*(table.key or ()), *_referring(table)}:
        return gettext("Record number")
    is_words = re.fullmatch(r"[^\W\d_]+" if table else r"[^\W\d]+", column)
    return human(column) if is_words else gettext("Detail")


def target_words(declaration: declared.Declaration, target: str) -> str:
    """Title of the target of a correction: a category, or a column as ``system.table.column``."""
    if declared.is_category(target):
        return category_words(target)
    place, _, column = target.rpartition(".")
    return column_words(declaration, place, column)


def _referring(table: declared.Table) -> set[str]:
    return {column for to in (*table.belongs_to.values(), *table.refers_to.values()) for column in to.columns}


_MADE = {"created", "created_at", "created_on", "inserted_at", "recorded_at"}


def lasting_words(declaration: declared.Declaration, place: str, period: declared.Period, column: str | None) -> str:
    """Retention period of ``system.table`` and its start. A start without text in the active language is left out."""
    said = {"period": period_words(period)}
    if column is None:
        return said["period"]
    table = declaration.table_at(place)
    starts = [r.starts for r in declaration.retention.values() if r.table == place and r.from_ == column]
    words = [*starts, table.titles.get(column) if table else None]
    start = next(filter(None, (_own(declaration, text) for text in words)), "")
    if start:
        return gettext("%(period)s (counted from: %(start)s)") % {**said, "start": start}
    if column.lower() in _MADE:
        return gettext("%(period)s, from the day on which the record was made") % said
    return said["period"]


def money(value: object, unit: str) -> str:
    """An amount with its currency: ``1234`` in ``GBP/100`` is ``12.34 GBP``; empty if *value* is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return ""
    amount = Decimal(str(value))
    if not amount.is_finite():
        return ""
    currency, _, hundredths = unit.partition("/")
    places = 2 if hundredths else max(0, -int(amount.as_tuple().exponent))
    return f"{number_format(amount / 100 if hundredths else amount, places, force_grouping=True)} {currency}"


_COOKIE_USES: Mapping[str, object] = {
    "necessary": gettext_lazy("necessary"),
    "preferences": gettext_lazy("preferences"),
    "statistics": gettext_lazy("statistics"),
    "marketing": gettext_lazy("marketing"),
}


def cookie_words(name: str, cookie: declared.Cookie) -> tuple[str, str, str]:
    """Name, purpose and lifetime of a cookie."""
    why = declared_words(cookie.why) if cookie.why else str(_COOKIE_USES[cookie.purpose])
    try:
        period = cookie.period
    except ValueError:
        return name, why, cookie.lifetime
    return name, why, period_words(period) if period else gettext("until you close the browser")


def period_words(period: declared.Period) -> str:
    """A period such as ``3 years``, in the active language."""
    many = period.count
    match period.unit:
        case "day":
            return ngettext("%(many)d day", "%(many)d days", many) % {"many": many}
        case "week":
            return ngettext("%(many)d week", "%(many)d weeks", many) % {"many": many}
        case "month":
            return ngettext("%(many)d month", "%(many)d months", many) % {"many": many}
        case _:
            return ngettext("%(many)d year", "%(many)d years", many) % {"many": many}


def country(code: str) -> str:
    """Name of a country; the code itself if unknown."""
    return str(_COUNTRIES[code]) if code in _COUNTRIES else gettext(places().name(code))


def safeguard_words(name: str) -> str:
    return str(_SAFEGUARDS[name]) if name in _SAFEGUARDS else human(name)


def unanswered_words(code: str) -> str:
    """Text for the code of the reason why a system did not answer."""
    return str(_UNANSWERED[code if code in _UNANSWERED else "other"]) if code else gettext("it has not answered")


def regulator_site(name: str) -> str:
    """URL of an authority's complaint page; empty if unknown."""
    return _REGULATORS.get(name, "")


def joined(names: Iterable[str]) -> str:
    """Join names without duplicates: ``newsletter, shop and tickets``."""
    return listed(dict.fromkeys(names))


def moment(at: dt.datetime) -> str:
    """A datetime as text, in UTC; ISO 8601 if it is out of range."""
    try:
        return clock(at)
    except OverflowError:
        return at.isoformat()
