"""Composes the content of a notice into a document of sections and sentences. The words are in ``en.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from troth.law import obligation
from troth.policy.render.content import KINDS, CookieFact, NoticeContent, PointFact, PurposeFact, RecipientFact
from troth.policy.render.words import NOTHING, NoticeWords, days, listed, plain

_GDPR = ("gdpr", "uk")


@dataclass(frozen=True, slots=True)
class NoticeParagraph:
    """A paragraph of sentences, in a subset of Markdown: links and strong text."""

    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeTable:
    """Rows of facts below their column heads. Cells are plain text."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block: TypeAlias = NoticeParagraph | NoticeTable


@dataclass(frozen=True, slots=True)
class NoticeSection:
    """The content under one heading, which links can point to."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """The anchor of this section."""
        return anchor(self.title)


@dataclass(frozen=True, slots=True)
class NoticeDocument:
    """A complete notice, ready for output."""

    title: str
    language: str
    lead: tuple[Block, ...]
    sections: tuple[NoticeSection, ...]


def anchor(title: str) -> str:
    """The anchor of a heading, in the same form as on the policy page."""
    return "-".join("".join(each if each.isalnum() else " " for each in title.lower()).split())


def compose(content: NoticeContent, words: NoticeWords) -> NoticeDocument:
    """The full notice."""
    composer = _Composer(content, words)
    page = words.data["page"]
    sections = (
        NoticeSection(heading, blocks)
        for name, heading in words.data["headings"].items()
        if (blocks := tuple(composer.blocks(name)))
    )
    return NoticeDocument(page["title"], page["lang"], tuple(composer.blocks("intro")), tuple(sections))


def short(content: NoticeContent, words: NoticeWords, at: int) -> NoticeDocument:
    """The short notice of the collection point in row *at*, with links to the full one."""
    composer, point = _Composer(content, words), content.rows["points"][at]
    assert isinstance(point, PointFact), "a row of the points is one"
    said = _said(composer.short(point, content.given[at]))
    return NoticeDocument("", words.data["page"]["lang"], tuple(said), ())


def contacts(content: NoticeContent) -> Iterator[tuple[str, str]]:
    """The rows of the first table: controller and contacts."""
    it = content.controller
    for key in ("name", "address", "country", "email", "phone", "number", "officer", "authority", "effective"):
        if value := getattr(it, key):
            yield key, value


def _said(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks that are not empty."""
    return (block for block in blocks if not isinstance(block, NoticeParagraph) or block.sentences)


class _Composer:
    """Composes the content: one method per section."""

    def __init__(self, content: NoticeContent, words: NoticeWords) -> None:
        self.content = content
        self.words = words
        self.slots = {
            "name": content.controller.name,
            "email": content.controller.email,
            "officer": content.controller.officer,
            "effective": words.day(content.controller.effective),
            **content.pages,
        }

    def blocks(self, section: str) -> Iterator[Block]:
        """The blocks of that section; none if there is nothing to say."""
        yield from _said(getattr(self, f"_{section}")())

    def _text(self, *sentences: str | None, **slots: str) -> NoticeParagraph:
        """A paragraph of the sentences that are not None."""
        return NoticeParagraph(tuple(self.words.say(each, **self.slots, **slots) for each in sentences if each))

    def _table(self, kind: str, rows: tuple[object, ...] | None = None) -> NoticeTable:
        """The table of that kind, without empty columns."""
        heads = self.words.heads(kind)
        rows = self.content.rows[kind] if rows is None else rows
        cells = [self.words.cells(row) for row in rows if isinstance(row, KINDS[kind])]
        kept = [at for at in range(len(heads)) if at == 0 or any(row[at] != NOTHING for row in cells)]
        names = tuple(heads.values())
        return NoticeTable(tuple(names[at] for at in kept), tuple(tuple(row[at] for at in kept) for row in cells))

    # --- sections, in the order of the headings -----------------------------------------------------------------------

    def _intro(self) -> Iterator[Block]:
        yield self._text("intro.what", "intro.since")

    def _controller(self) -> Iterator[Block]:
        yield self._text("controller.lead")
        yield NoticeTable(
            tuple(self.words.heads("controller").values()),
            tuple(
                (self.words.word("what", key), self.words.contact(key, value)) for key, value in contacts(self.content)
            ),
        )
        yield self._text("controller.officer" if self.content.controller.officer else None)
        for name, email in self.content.joint:
            yield NoticeParagraph(
                (self.words.say("controller.joint", **(self.slots | {"name": name, "email": email})),)
            )
        if one := self.content.representative:
            slots = self.slots | {"name": one.name, "address": one.address, "email": one.email}
            yield NoticeParagraph((self.words.say("controller.representative", **slots),))

    def _points(self) -> Iterator[Block]:
        if self.content.rows["points"]:
            bases = {row.basis for row in self.content.rows["purposes"] if isinstance(row, PurposeFact)}
            yield self._text("points.lead")
            yield self._table("points")
            optional = any(isinstance(row, PointFact) and row.optional for row in self.content.rows["points"])
            yield self._text(
                "points.optional" if optional else None,
                "points.statutory" if "legal_obligation" in bases else None,
                "points.contract" if "contract" in bases else None,
            )
        if self.content.rows["sources"]:
            yield self._text("points.sources")
            yield self._table("sources")
        if self.content.rows["sources"] or self.content.acts_for_others:
            yield self._text("points.indirect")

    def _purposes(self) -> Iterator[Block]:
        bases = {row.basis for row in self.content.rows["purposes"] if isinstance(row, PurposeFact)}
        yield self._text("purposes.lead")
        yield self._table("purposes")
        yield self._text("purposes.consent" if "consent" in bases else None, "purposes.nothing_else", "purposes.new")

    def _special(self) -> Iterator[Block]:
        if self.content.rows["special"]:
            yield self._text("special.lead")
            yield self._table("special")

    def _others(self) -> Iterator[Block]:
        if what := self.content.acts_for_others:
            yield self._text("others.lead", what="; ".join(each.rstrip(".") for each in what))

    def _recipients(self) -> Iterator[Block]:
        rows = self.content.rows["recipients"]
        yield self._text("recipients.lead" if rows else "recipients.none")
        if rows:
            abroad = any(isinstance(row, RecipientFact) and row.safeguard for row in rows)
            yield self._table("recipients")
            yield self._text("recipients.transfer" if abroad else None, "recipients.demand")

    def _periods(self) -> Iterator[Block]:
        yield self._text("periods.lead")
        yield self._table("periods")

    def _security(self) -> Iterator[Block]:
        if self.content.security:
            yield NoticeParagraph(tuple(plain(each) for each in self.content.security))

    def _cookies(self) -> Iterator[Block]:
        rows = self.content.rows["cookies"]
        if self.content.has_site:
            yield self._text("cookies.lead" if rows else "cookies.none")
        if rows:
            yield self._table("cookies")
            chosen = any(isinstance(row, CookieFact) and row.use != "necessary" for row in rows)
            asked = chosen and self.content.has("pecr", "eprivacy")
            yield self._text("cookies.consent" if asked else None, "cookies.choices" if chosen else None)

    def _tracking(self) -> Iterator[Block]:
        signals, who = self.content.signals, self.content.elsewhere
        yield self._text(
            None if signals is None else f"tracking.gpc_{signals.gpc}",
            None if signals is None else f"tracking.dnt_{signals.dnt}",
            None if who is None else "tracking.elsewhere" if who else "tracking.elsewhere_none",
            who=listed(who or ()),
        )

    def _decisions(self) -> Iterator[Block]:
        if self.content.rows["decisions"]:
            yield self._text("decisions.lead")
            yield self._table("decisions")
            yield self._text("decisions.human")
        elif self.content.decides is False:
            yield self._text("decisions.none")

    def _rights(self) -> Iterator[Block]:
        if self.content.has(*_GDPR):
            yield self._text("rights.lead")
            yield self._table("rights", self._rights_of(*_GDPR))
            yield self._text("rights.how", "rights.extension", "rights.erase", "rights.refusal")

    def _marketing(self) -> Iterator[Block]:
        yield self._text("marketing.object")
        if self.content.mails:
            stops = self._clock("canspam.opt_out") if self.content.has("canspam") else None
            yield self._text(
                "marketing.consent" if self.content.mails == {"consent"} else None,
                "marketing.mail",
                "marketing.label" if stops else None,
                "marketing.stops" if stops else None,
                days=stops or "",
            )

    def _complaints(self) -> Iterator[Block]:
        yield self._text("complaints.own")
        if self.content.has("uk"):
            yield self._text("complaints.uk", days=self._clock("uk.acknowledge_complaint"))
        if self.content.has(*_GDPR):
            who = self.content.controller.authority
            href = self.words.data["links"]["authority"].get(who, "")
            yield self._text(
                "complaints.authority_online" if href else "complaints.authority",
                "complaints.elsewhere",
                "complaints.court",
                authority=self.words.word("authority", who),
                href=href,
            )

    def _breaches(self) -> Iterator[Block]:
        if self.content.has(*_GDPR):
            law = "uk" if self.content.has("uk") else "gdpr"
            yield self._text("breaches.authority", "breaches.people", hours=self._clock(f"{law}.notify_authority"))

    def _children(self) -> Iterator[Block]:
        if self.content.children:
            said = "none" if self.content.children == "none" else "age"
            yield self._text(f"children.{said}", age=self.content.children)

    def _california(self) -> Iterator[Block]:
        if not self.content.has("ccpa"):
            return
        sells = listed(self.content.sells)
        yield self._text("california.lead")
        yield self._table("california")
        said = ("california.sold",) if sells else ("california.not_sold",)
        past = ("california.not_sold_before",) if self.content.sold_nothing_before and not sells else ()
        yield self._text("california.purposes", *said, *past, who=sells)
        yield self._text("california.rights")
        yield self._table("rights", self._rights_of("ccpa"))
        yield self._text("california.how", "california.verify", "california.fair", confirm=self._clock("ccpa.confirm"))

    def _changes(self) -> Iterator[Block]:
        changes, how = self.content.changes, self.words.data["how"]
        yearly = self._clock("ccpa.refresh_policy") if self.content.has("ccpa") else None
        yield self._text("changes.effective", "changes.yearly" if yearly else None, months=yearly or "")
        if changes is not None:
            said = " and ".join(how[each] for each in changes.how)
            yield self._text("changes.how", how=said, days=days(changes.days_before))
        yield self._text("changes.old" if self.content.keeps_old else None)
        yield self._text("changes.review" if self.content.has("caloppa") else None)

    # --- the short notice ---------------------------------------------------------------------------------------------

    def short(self, point: PointFact, who: tuple[str, ...]) -> Iterator[Block]:
        """The short notice for a form; *who* receives the data asked for there."""
        said, heads = self.words, self.words.data["headings"]
        purposes = [
            row for row in self.content.rows["purposes"] if isinstance(row, PurposeFact) and row.purpose in point.why
        ]
        bases = dict.fromkeys(said.word("basis", row.basis) for row in purposes)
        yield self._text("short.lead", where=point.where)
        yield self._text("short.required" if point.required else None, data=said.list_of(point.required))
        yield self._text("short.optional" if point.optional else None, data=said.list_of(point.optional))
        yield self._text("short.without" if point.without else None, without=point.without)
        yield self._text("short.why", why="; ".join(each.rstrip(".") for each in point.why))
        yield self._text("short.basis" if bases else None, basis=", ".join(bases))
        yield self._text("short.recipients" if who else None, recipients=listed(who))
        consent = any(row.basis == "consent" for row in purposes)
        where = "rights" if self.content.has(*_GDPR) else "california" if self.content.has("ccpa") else ""
        yield self._text(
            "short.withdraw" if consent else None,
            "short.rights" if where else None,
            rights=anchor(heads.get(where, "")),
        )
        yield self._text("short.more", points=anchor(heads["points"]))

    # --- words for facts ----------------------------------------------------------------------------------------------

    def _rights_of(self, *laws: str) -> tuple[object, ...]:
        return tuple(row for row in self.content.rows["rights"] if set(getattr(row, "laws", ())) & set(laws))

    def _clock(self, duty: str) -> str:
        """The statutory time limit in words."""
        clock = obligation(duty, self.content.on).clock
        assert clock is not None, "only duties with a clock are asked for"
        return str(clock).replace("calendar ", "").replace("clock ", "")
