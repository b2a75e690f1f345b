"""Text of e-mails: values in, text out. Sends and stores nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings
from django.template import Context, Engine
from django.utils.translation import gettext, gettext_lazy, override

from troth.declaration import Organisation
from troth.service.configuration import ServiceError
from troth.service.mail.message_kinds import kinds, links_in, shown

ATTACHED_BYTES_MAX = 5 * 1024 * 1024
_TEMPLATES = Path(__file__).parents[1] / "templates"
_REFERENCE = re.compile(r"[a-z]+:[A-Za-z0-9._/-]{1,70}")
_ONCE = re.compile(r"[A-Za-z0-9:._/-]{1,160}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")

RIGHT_WORDS: Mapping[str, object] = {
    "view": gettext_lazy("access to your data"),
    "amend": gettext_lazy("correction of your data"),
    "erase": gettext_lazy("deletion of your data"),
    "restrict": gettext_lazy("restriction of the use of your data"),
    "unrestrict": gettext_lazy("end of the restriction"),
    "port": gettext_lazy("a copy of your data in a machine-readable form"),
    "object": gettext_lazy("objection to the use of your data"),
    "withdraw": gettext_lazy("withdrawal of your consent"),
    "appeal": gettext_lazy("an appeal against our answer"),
    "complaint": gettext_lazy("a complaint"),
    "question": gettext_lazy("a question about our privacy policy"),
    "resume": gettext_lazy("to open the page of your request"),
}


class LetterRefused(ServiceError):
    """The e-mail cannot be written like this; the message names the fact or part, and shows no value."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an e-mail."""

    name: str
    type: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.name) or not _TYPE.fullmatch(self.type):
            raise LetterRefused("an attachment needs a plain file name and a type such as application/pdf")


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """An e-mail to write: its *kind* (see `message_kinds.kinds`), recipient, *language*, reference *about* (such as
    ``case:R-2026-0187``) and *facts*.

    *once* is its key: a known key is never queued again. Raises `LetterRefused`.
    """

    kind: str
    to: str
    language: str
    about: str
    facts: Mapping[str, object]
    once: str
    attachments: Sequence[Attachment] = ()

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.about):
            raise LetterRefused("about is a reference such as case:R-2026-0187, without personal data")
        if not _ONCE.fullmatch(self.once):
            raise LetterRefused("once is a key such as case:R-2026-0187/acknowledged, without personal data")
        if sum(len(attached.content) for attached in self.attachments) > ATTACHED_BYTES_MAX:
            raise LetterRefused(f"the attachments are larger than {ATTACHED_BYTES_MAX:,} bytes; send a link instead")
        try:
            shown(self.kind, self.facts)
        except ValueError as error:
            raise LetterRefused(str(error)) from None

    def __repr__(self) -> str:
        return f"Letter({self.kind}, about {self.about})"


@dataclass(frozen=True, slots=True, repr=False)
class MessageText:
    """Text of an e-mail, in two formats."""

    subject: str
    plain: str
    html: str


def language_of(wanted: str) -> str:
    """Supported language closest to *wanted*, such as ``de-AT``; else English."""
    known = [code for code, _ in settings.LANGUAGES]
    code = wanted.lower().replace("_", "-")
    return next((each for each in (code, code.partition("-")[0]) if each in known), known[0])


def write(letter: Letter, organisation: Organisation) -> MessageText:
    """Text of *letter* from *organisation*, in its language."""
    facts = shown(letter.kind, letter.facts)
    with override(language_of(letter.language)):
        context = {
            **facts,
            "organisation": organisation,
            "reference": letter.about.partition(":")[2] if letter.about.startswith("case:") else "",
            "right_words": RIGHT_WORDS.get(str(facts.get("right") or facts.get("what"))),
            "to_person": kinds()[letter.kind].to_person,
        }
        rendered = _engine(autoescape=False).get_template(f"mail/{letter.kind}.txt").render(Context(context, False))
        subject, _, body = rendered.strip().partition("\n")
        subject = " ".join(subject.split())
        plain = _tidy(body)
        links = links_in(letter.kind, facts)
        page = {"subject": subject, "blocks": _blocks(plain, links), "organisation": organisation, "label": gettext}
        html = _engine(autoescape=True).get_template("mail/letter.html").render(Context(page))
    return MessageText(subject, plain, html)


def _tidy(body: str) -> str:
    """*body* without template whitespace; paragraphs and lists one blank line apart."""
    lines = "\n".join(line.strip() for line in body.splitlines()).strip()
    return re.sub(r"(?m)^(- .*)\n\n+(?=- )", r"\1\n", re.sub(r"\n{3,}", "\n\n", lines)) + "\n"


def _blocks(plain: str, links: frozenset[str]) -> list[tuple[bool, list[tuple[str, bool]]]]:
    """Paragraphs: whether each is a list, and its lines, each with whether it is one of *links*. Nothing else becomes a
    link, whatever somebody wrote into a reason."""
    blocks = []
    for block in plain.strip().split("\n\n"):
        lines = block.split("\n")
        is_list = all(line.startswith("- ") for line in lines)
        blocks.append((is_list, [(line.removeprefix("- ") if is_list else line, line in links) for line in lines]))
    return blocks


@cache
def _engine(*, autoescape: bool) -> Engine:
    return Engine(
        dirs=[str(_TEMPLATES)],
        app_dirs=True,
        autoescape=autoescape,
        builtins=["troth.service.labels", "django.templatetags.i18n"],
    )
