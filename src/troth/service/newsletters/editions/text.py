"""The text of an edition: Markdown in, one message for many people out. Pure but for templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape

from django.utils.translation import gettext, override
from markdown_it import MarkdownIt
from markdown_it.token import Token

from troth.declaration import Basis, Declaration, covers, in_language
from troth.declaration.newsletters import Newsletter
from troth.service.mail.rules import LetterRefused, MessageText
from troth.service.newsletters.statistics.links import CountedEdition, links_of

STOP_LINK = "troth_stop_link"
"""The placeholder of the link by which a recipient stops."""
TRACKING_LINK = "troth_tracking_link"
"""The placeholder of the link by which a recipient withdraws the consent to be counted."""
TEXT_MAX = 200_000
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class EditionText:
    """What a company wrote: a subject and Markdown, without HTML."""

    subject: str
    markdown: str

    @classmethod
    def read(cls, source: str) -> EditionText:
        """Read a file whose first line is ``# Subject``. Raises `LetterRefused`."""
        first, _, rest = source.lstrip("\ufeff\r\n").partition("\n")
        subject = " ".join(first.removeprefix("#").split())
        if not first.startswith("# ") or not subject:
            raise LetterRefused("the first line of an edition is its subject: # Subject")
        if not rest.strip():
            raise LetterRefused("the edition has a subject and no text")
        if len(source) > TEXT_MAX:
            raise LetterRefused(f"an edition has at most {TEXT_MAX:,} characters")
        if "\0" in source:
            raise LetterRefused("the edition has the character NUL, which no text needs; delete it")
        return cls(subject, rest.strip())


def placeholders(text: EditionText) -> set[str]:
    """The names in double braces."""
    return set(_PLACEHOLDER.findall(f"{text.subject}\n{text.markdown}"))


def is_marketing(newsletter: Newsletter, declaration: Declaration) -> bool:
    """Whether the newsletter is commercial, rather than only asked for."""
    purpose = declaration.purposes.get(newsletter.purpose)
    return purpose is not None and covers("marketing", purpose.use)


def links_in(text: EditionText) -> list[str]:
    """The pages to which *text* leads, in order."""
    return links_of(_reader().parse(text.markdown))


def compose(
    text: EditionText,
    newsletter: Newsletter,
    declaration: Declaration,
    language: str,
    counted: CountedEdition | None = None,
) -> MessageText:
    """The message of *text*, with who sends it, why, and how to stop it (CAN-SPAM (a)(5); UK GDPR Art. 21(4)); with
    *counted* as those get it whose reading may be counted. Raises `LetterRefused` for a placeholder that the
    declaration does not name."""
    if unknown := sorted(placeholders(text) - set(newsletter.audience.values)):
        raise LetterRefused(f"newsletters.….audience.values does not name {', '.join(unknown)}")
    body = _PLACEHOLDER.sub(r"{{\1}}", text.markdown)
    subject = _PLACEHOLDER.sub(r"{{\1}}", text.subject)
    organisation = declaration.organisation
    with override(language):
        footer = _footer(in_language(newsletter.title, language) or str(newsletter.title), newsletter, declaration)
        stop = gettext("Stop these e-mails:")
        count = gettext("You allowed us to count how often this is opened and its links are followed. Withdraw that:")
    tokens, image = _reader().parse(body), ""
    endings = [(stop, f"{{{{{STOP_LINK}}}}}")]
    if counted is not None:
        links_of(tokens, counted.link)
        image = f'<img src="{escape(counted.image)}" width="1" height="1" alt="">\n'
        endings.append((count, f"{{{{{TRACKING_LINK}}}}}"))
    page = _reader().renderer.render(tokens, _reader().options, {})
    plain = f"{_plain(tokens)}\n\n-- \n" + "\n".join([*footer, *map(" ".join, endings)]) + "\n"
    shown = (f'{escape(words)} <a href="{link}">{link}</a>' for words, link in endings)
    small = "<br>\n".join([*map(escape, footer), *shown])
    html = (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(subject)}</title></head>\n'
        "<body style=\"margin:0;padding:24px;font:16px/1.5 system-ui,'Segoe UI',Roboto,sans-serif\">\n"
        f'<div style="max-width:36em;margin:0 auto">\n<p style="font-weight:600">{escape(organisation.name)}</p>\n'
        f'{page}<hr>\n<p style="font-size:14px">{small}</p>\n{image}</div>\n'
        "</body>\n</html>\n"
    )
    return MessageText(subject, plain, html)


def _footer(title: str, newsletter: Newsletter, declaration: Declaration) -> list[str]:
    organisation = declaration.organisation
    purpose = declaration.purposes.get(newsletter.purpose)
    lines = [f"{organisation.name}, {' '.join(organisation.address.split())}"]
    if purpose is not None and purpose.basis is Basis.CONSENT:
        lines.append(gettext("You get “%(title)s” because you asked for it.") % {"title": title})
    elif not is_marketing(newsletter, declaration):
        lines.append(gettext("You get “%(title)s” from us.") % {"title": title})
    else:
        lines.append(gettext("This is “%(title)s”, an advertisement.") % {"title": title})
    return lines


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _plain(tokens: list[Token]) -> str:
    """The text of Markdown *tokens*: links as their words and address, lists with dashes or numbers."""
    blocks, marker, numbers = list[str](), "", list[int]()
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                numbers.append(0)
            case "ordered_list_open":
                numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
            case "list_item_open":
                marker = "- "
                if numbers[-1]:
                    marker, numbers[-1] = f"{numbers[-1]}. ", numbers[-1] + 1
            case "inline":
                blocks.append(marker + _inline(token.children or []))
                marker = ""
            case "fence" | "code_block":
                blocks.append(token.content.rstrip())
    return "\n\n".join(blocks)


def _inline(tokens: list[Token]) -> str:
    parts, links = list[str](), list[tuple[str, int]]()
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(token.content)
            case "link_open":
                links.append((str(token.attrGet("href")), len(parts)))
            case "link_close":
                href, at = links.pop()
                if "".join(parts[at:]) != href.removeprefix("mailto:"):
                    parts.append(f" ({href})")
    return "".join(parts)
