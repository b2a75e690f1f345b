"""Extracts the facts of a notice from a declaration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from troth.data_files import read_toml
from troth.declaration import Declaration, Purpose, Sharing, System, Table, covers, is_special, title
from troth.law import RegulatedActivity, obligation, regimes_for
from troth.policy.render.content import (
    CaliforniaFact,
    CookieFact,
    DecisionFact,
    NoticeContact,
    NoticeContent,
    NoticeRow,
    PeriodFact,
    PointFact,
    PurposeFact,
    RecipientFact,
    RightFact,
    SourceFact,
    SpecialFact,
)
from troth.policy.render.words import NOTHING
from troth.reports import receive


def law_of_notices() -> dict[str, Any]:
    """The data of ``law.toml``."""
    return read_toml(__package__, "law.toml")


def content_of(declaration: Declaration) -> NoticeContent:
    """The content as of the first day of the policy: according to the law of that day, independent of today's date."""
    on, notice = declaration.policy.effective, declaration.notice
    laws = _laws(declaration, on)
    elsewhere = notice.elsewhere if isinstance(notice.elsewhere, tuple) or notice.elsewhere is None else ()
    return NoticeContent(
        controller=_controller(declaration),
        representative=declaration.organisation.representative,
        laws=laws,
        on=on,
        rows={
            "points": tuple(_points(declaration)),
            "sources": tuple(
                SourceFact(_one_line(s.title), s.data, _yes(s.is_public)) for s in notice.sources.values()
            ),
            "purposes": tuple(_purposes(declaration)),
            "special": tuple(_special(declaration)),
            "recipients": tuple(_recipients(declaration)),
            "periods": tuple(_periods(declaration)),
            "cookies": tuple(_cookies(declaration)),
            "rights": tuple(_rights(declaration, laws, on)),
            "california": tuple(_california(declaration)) if "ccpa" in laws else (),
            "decisions": tuple(_decisions(declaration)),
        },
        given=tuple(_given(declaration)),
        acts_for_others=tuple(_named(p.title, k) for k, p in declaration.purposes.items() if p.role == "processor"),
        security=tuple(map(_one_line, declaration.security)),
        joint=tuple((_one_line(it.name), it.email) for it in declaration.organisation.joint_controllers.values()),
        decides=None if notice.decisions is None else notice.decisions != "none",
        has_site=declaration.organisation.site is not None or bool(declaration.cookies),
        keeps_old=any(it.notice for system in declaration.systems.values() for it in system.tables.values()),
        children="" if notice.children is None else str(notice.children),
        signals=notice.signals,
        elsewhere=None if elsewhere is None else tuple(_recipient(declaration, each) for each in elsewhere),
        changes=notice.changes,
        mails=frozenset(purpose.basis.value for purpose in _mailing(declaration)),
        sold_nothing_before=notice.sold_before == "none",
        sells=tuple(
            _recipient(declaration, name)
            for name, one in declaration.recipients.items()
            if one.role in {Sharing.SALE, Sharing.SHARE}
        ),
        pages={
            "policy": declaration.policy.url,
            "requests": notice.requests,
            "complaints": notice.complaints,
            "choices": notice.choices,
        },
    )


def stored(declaration: Declaration) -> tuple[str, ...]:
    """Every category that the declared systems hold, without duplicates."""
    return _each(chain.from_iterable(_held(system) for system in declaration.systems.values()))


def condensed(keys: Iterable[str]) -> tuple[str, ...]:
    """The categories without duplicates and without those that another one covers."""
    once = _each(keys)
    return tuple(key for key in once if not any(other != key and covers(other, key) for other in once))


def _each(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))


def _laws(declaration: Declaration, on: dt.date) -> frozenset[str]:
    """All regimes that apply, or may apply, to somebody whom the organisation serves."""
    organisation, serves = declaration.organisation, declaration.requests.serves
    activities = [RegulatedActivity.DEVICES] if declaration.cookies else []
    if any(_mailing(declaration)):
        activities.append(RegulatedActivity.COMMERCIAL_MAIL)
    return frozenset(
        applies.regime.id
        for market in serves or (organisation.country,)
        for applies in regimes_for(
            residence=market,
            established=organisation.country,
            serves=serves or (organisation.country,),
            activities=activities,
            on=on,
        )
    )


def _mailing(declaration: Declaration) -> Iterator[Purpose]:
    return (it for it in declaration.purposes.values() if covers("marketing.communications", it.use))


def _controller(declaration: Declaration) -> NoticeContact:
    it = declaration.organisation
    return NoticeContact(
        name=_one_line(it.name),
        address=_one_line(it.address),
        email=it.email,
        country=it.country,
        phone=_one_line(it.phone or ""),
        number=_one_line(it.number or ""),
        officer=it.officer.email if it.officer else "",
        authority=_one_line(it.regulator or ""),
        effective=declaration.policy.effective.isoformat(),
    )


def _points(declaration: Declaration) -> Iterator[NoticeRow]:
    for name, point in declaration.collection_points.items():
        wanted = {
            need: condensed(each.category for each in point.fields.values() if each.need == need and each.category)
            for need in ("required", "optional")
        }
        why = tuple(_purpose(declaration, key) for key in point.purposes)
        without = _one_line(point.without or "").rstrip(".")
        yield PointFact(_named(point.title, name), wanted["required"], wanted["optional"], without, why)


def _given(declaration: Declaration) -> Iterator[tuple[str, ...]]:
    for point in declaration.collection_points.values():
        asked = [each.category for each in point.fields.values() if each.category]
        yield tuple(_recipient(declaration, name) for name in receive(declaration, asked, point.purposes))


def _purposes(declaration: Declaration) -> Iterator[NoticeRow]:
    for name, purpose in declaration.purposes.items():
        if purpose.role == "controller":
            interests = _one_line(purpose.interests or "").rstrip(".")
            yield PurposeFact(_purpose(declaration, name), condensed(purpose.data), purpose.basis.value, interests)


def _special(declaration: Declaration) -> Iterator[NoticeRow]:
    held = stored(declaration)
    for name, purpose in declaration.purposes.items():
        used = condensed(key for key in held if is_special(key) and any(covers(broad, key) for broad in purpose.data))
        if used and purpose.role == "controller":
            yield SpecialFact(used, _purpose(declaration, name), purpose.condition or "")


def _recipients(declaration: Declaration) -> Iterator[NoticeRow]:
    for name, one in declaration.recipients.items():
        safeguard = _one_line(one.safeguard or "")
        yield RecipientFact(
            _recipient(declaration, name), one.role.value, condensed(one.receives), one.country, safeguard
        )


def _periods(declaration: Declaration) -> Iterator[NoticeRow]:
    """Every retention rule, then periods that only ``keep`` or an external system defines."""
    ruled = {rule.table for rule in declaration.retention.values()}
    for name, rule in declaration.retention.items():
        starts = rule.starts or _unstamped(rule.from_)
        data = _each(_below(declaration, rule.table, ruled))
        yield PeriodFact(
            _named(rule.title, name), data, str(rule.for_), _one_line(starts), _one_line(rule.because or "")
        )
    for name, system in declaration.systems.items():
        for table_name, table in system.tables.items():
            if table.keep and table.keep.for_ and f"{name}.{table_name}" not in ruled:
                data = _each(use.category for use in table.fields.values())
                column = table.keep.from_ or ""
                starts, why = _one_line(table.titles.get(column) or _unstamped(column)), _one_line(table.keep.because)
                yield PeriodFact(_named(table.title, table_name), data, str(table.keep.for_), starts, why)
        if system.asked and system.asked.retain:
            data = _each(system.asked.holds.values())
            yield PeriodFact(_named(system.title, name), data, str(system.asked.retain), "", "")


def _below(declaration: Declaration, place: str, ruled: set[str]) -> Iterator[str]:
    """The categories in a table, and in tables whose rows are deleted with its rows."""
    for system_name, system in declaration.systems.items():
        for name, table in system.tables.items():
            here = f"{system_name}.{name}"
            if here == place or (here not in ruled and place in _owners(system_name, table)):
                yield from (use.category for use in table.fields.values())


def _owners(system: str, table: Table) -> set[str]:
    return {f"{link.system or system}.{link.table}" for link in table.belongs_to.values()}


def _cookies(declaration: Declaration) -> Iterator[NoticeRow]:
    for name, cookie in declaration.cookies.items():
        yield CookieFact(name, cookie.purpose, _one_line(cookie.why or ""), cookie.lifetime, cookie.host)


def _rights(declaration: Declaration, laws: frozenset[str], on: dt.date) -> Iterator[NoticeRow]:
    """Each right under the applicable laws; laws with the same deadline share a row."""
    sells = any(one.role in {Sharing.SALE, Sharing.SHARE} for one in declaration.recipients.values())
    sensitive = any(is_special(key) or _letter(key) == "sensitive" for key in stored(declaration))
    for right, rule in law_of_notices()["rights"].items():
        if (right == "opt_out" and not sells) or (right == "limit" and not sensitive):
            continue
        deadlines: dict[str, list[str]] = {}
        for law in rule["laws"]:
            if law in laws:
                deadlines.setdefault(_deadline(law, rule["deadline"], on), []).append(law)
        for deadline, several in deadlines.items():
            yield RightFact(right, tuple(several), deadline)


def _deadline(law: str, duty: str, on: dt.date) -> str:
    if duty == "now":
        return duty
    clock = obligation(f"{law}.{duty}", on).clock
    return str(clock).replace("calendar ", "") if clock else "now"


def _california(declaration: Declaration) -> Iterator[NoticeRow]:
    """Held data by CCPA category; data that is held is taken to have been collected within the relevant period."""
    held = stored(declaration)
    for category in law_of_notices()["california"]:
        data = condensed(key for key in held if _letter(key) == category)
        if data:
            yield CaliforniaFact(
                category, data, _sources(declaration, data, category), _receiving(declaration, data, category)
            )


def _letter(key: str) -> str:
    """The CCPA category whose narrowest entry covers *key*."""
    wanted: dict[str, Sequence[str]] = law_of_notices()["california"]
    fits = [(len(broad), category) for category, several in wanted.items() for broad in several if covers(broad, key)]
    return max(fits, default=(0, ""))[1]


def _sources(declaration: Declaration, data: tuple[str, ...], category: str) -> tuple[str, ...]:
    points = {
        _named(point.title, name): tuple(each.category or "" for each in point.fields.values())
        for name, point in declaration.collection_points.items()
    }
    others = {_one_line(source.title): source.data for source in declaration.notice.sources.values()}
    return tuple(name for name, keys in (points | others).items() if _touch(keys, data, category))


def _receiving(declaration: Declaration, data: tuple[str, ...], category: str) -> tuple[str, ...]:
    return tuple(
        _recipient(declaration, name)
        for name, one in declaration.recipients.items()
        if _touch(one.receives, data, category)
    )


def _touch(some: Iterable[str], data: Sequence[str], category: str) -> bool:
    """True if one of *some* covers some of *data*, or is a part of it in the same CCPA category."""
    return any(
        covers(one, key) or (covers(key, one) and _letter(one) == category) for one in some if one for key in data
    )


def _decisions(declaration: Declaration) -> Iterator[NoticeRow]:
    decided = declaration.notice.decisions
    for each in decided.values() if isinstance(decided, dict) else ():
        yield DecisionFact(*(_one_line(text).rstrip(".") for text in (each.title, each.logic, each.effect)))


def _held(system: System) -> Iterator[str]:
    for table in system.tables.values():
        yield from (use.category for use in table.fields.values())
    yield from system.asked.holds.values() if system.asked else ()


# --- words for names -------------------------------------------------------------------------------------------------


def _purpose(declaration: Declaration, name: str) -> str:
    purpose = declaration.purposes.get(name)
    return _named(purpose.title or title(purpose.use) if purpose else None, name)


def _recipient(declaration: Declaration, name: str) -> str:
    one = declaration.recipients.get(name)
    return _named(one.title if one else None, name)


def _named(given: str | None, key: str) -> str:
    words = key.replace("_", " ").strip()
    return _one_line(given or "") or words[:1].upper() + words[1:]


def _unstamped(column: str) -> str:
    """The event of a date column: ``issued_at`` gives *issued*, and ``at`` nothing."""
    return " ".join(word for word in column.split("_") if word not in {"at", "on", "date", "time"})


def _one_line(text: str) -> str:
    """*text* on one line of printable characters, without the separator of list entries."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text.replace(";", ",")).split())
    return "" if line == NOTHING else line


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
