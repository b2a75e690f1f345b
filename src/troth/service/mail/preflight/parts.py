"""A message taken apart for preflight: untrusted, bounded, and never followed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses

from selectolax.lexbor import LexborHTMLParser

from troth.policy import PolicyError
from troth.policy.parse.html import refuse_traps
from troth.service.configuration import ServiceError
from troth.service.mail.inbox.parsing import BAD_MAIL, BoundedPolicy
from troth.text import same_words

READ_MAX = 5 * 1024 * 1024
_TEXT_MAX = 300_000
"""Characters of each text that are read: three times what Gmail shows."""
_PARTS_MAX, _FIELDS_MAX, _FIELD_MAX, _LINKS_MAX = 200, 500, 10_000, 500
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_URL = re.compile(r"(?:https?://|mailto:)[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]", re.I)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])", re.I
)


class MailUnreadable(ServiceError):
    """This is not an e-mail, or it is too large or malformed to be taken apart."""


@dataclass(frozen=True, slots=True, repr=False)
class MailLink:
    """A link of the HTML: its address, and the words that are clicked."""

    url: str
    words: str


@dataclass(frozen=True, slots=True, repr=False)
class MailParts:
    """The headers in order, by names in lower case and unfolded; the text and the HTML, None if there is none; the
    words that the HTML shows, its links, those of them that are shown, and the attributes of its images."""

    fields: Sequence[tuple[str, str]]
    text: str | None
    html: str | None
    shown: str
    links: Sequence[MailLink]
    shown_links: Sequence[MailLink]
    images: Sequence[Mapping[str, str | None]]
    has_active: bool
    undecodable: Collection[str]

    def all(self, name: str) -> list[str]:
        """The values of every header *name*."""
        return [value for known, value in self.fields if known == name.lower()]

    def first(self, name: str) -> str:
        """The value of the first header *name*; empty if there is none."""
        return next(iter(self.all(name)), "")

    def addresses(self, *names: str) -> list[str]:
        """E-mail addresses in the headers *names*."""
        return [address for _, address in getaddresses([v for name in names for v in self.all(name)]) if address]

    @property
    def words(self) -> str:
        """What a reader sees."""
        return self.shown or self.text or ""

    @property
    def urls(self) -> list[str]:
        """The addresses to which HTML and text lead."""
        return [*(link.url for link in self.links), *_URL.findall(self.text or "")]


def take_apart(raw: bytes) -> MailParts:
    """The parts of a message. Raises `MailUnreadable`."""
    if len(raw) > READ_MAX or raw.count(b"\n--") > _PARTS_MAX:
        raise MailUnreadable(f"an e-mail of at most {READ_MAX:,} bytes and {_PARTS_MAX} parts can be checked")
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].decode("utf-8", "replace")
    fields = [line[:_FIELD_MAX].partition(":")[::2] for line in _FOLD.sub("", head).splitlines()[:_FIELDS_MAX]]
    if not any(name.lower() == "from" for name, _ in fields):
        raise MailUnreadable("this is not an e-mail: it has no From; save the message with its headers (.eml)")
    try:
        message = BytesParser(policy=BoundedPolicy()).parsebytes(raw)
        assert isinstance(message, EmailMessage), "that is what the policy makes"
        (text, text_fault), (html, html_fault) = _decoded(message, "plain"), _decoded(message, "html")
    except BAD_MAIL:
        raise MailUnreadable("the parts of this e-mail cannot be told apart") from None
    try:
        refuse_traps(html or "")
    except PolicyError:
        raise MailUnreadable("the HTML of this e-mail is nested to stop programs that read it") from None
    tree = LexborHTMLParser(html or "")
    links, images = _links(tree), [dict(node.attributes) for node in tree.css("img")[:_LINKS_MAX]]
    has_active = bool(tree.css("script, form, iframe, object, embed"))
    tree.strip_tags(["script", "style", "head", "title"], recursive=True)
    for node in tree.css("[style], [hidden]"):
        if is_hidden(node.attributes):
            node.decompose()
    return MailParts(
        fields=[(name.strip().lower(), " ".join(value.split())) for name, value in fields],
        text=text,
        html=html,
        shown=same_words(tree.body.text(separator=" ") if tree.body else ""),
        links=links,
        shown_links=_links(tree),
        images=images,
        has_active=has_active,
        undecodable=[*text_fault, *html_fault],
    )


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element with these attributes is not shown."""
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _links(tree: LexborHTMLParser) -> list[MailLink]:
    nodes = tree.css("a[href], area[href]")[:_LINKS_MAX]
    return [MailLink((node.attributes.get("href") or "").strip(), same_words(node.text())) for node in nodes]


def _decoded(message: EmailMessage, kind: str) -> tuple[str | None, Iterator[str]]:
    """The text of the part of a *kind*, and its name if it does not decode."""
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None, iter(())
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset("us-ascii")
    try:
        return data.decode(charset)[:_TEXT_MAX], iter([f"text/{kind}"] if part.defects else ())
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")[:_TEXT_MAX], iter([f"text/{kind}"])
