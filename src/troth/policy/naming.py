"""What the company that speaks in a policy calls itself beside *we*: ``Example Voice Ltd``, ``Example``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.text import PolicyText
from troth.wording import same_words

__all__ = ["company_names"]

_CHARACTERS_MAX = 20_000
"""How far into the text the company introduces itself, at the latest."""
_NAMES_MAX = 12
_NAME = r"[A-Z0-9][\w&.'-]{0,40}(?:,? (?:of |and |the |& )?[A-Z0-9][\w&.'-]{0,40}){0,6}"
_DEFINED = re.compile(rf"({_NAME}),? ?\(([^()]{{0,250}})\)")
_QUOTED = re.compile(r"[\"']([^\"']{2,60})[\"']")
_US = re.compile(r"\b(?:we|us|our|ours)\b", re.I)
_LEGAL = (
    r"(?:Ltd|Limited|Inc|Incorporated|LLC|L\.L\.C|LLP|PLC|plc|Corp|Corporation|GmbH|AG|SE|S\.A|SA|B\.?V|SARL|Pty)\b\.?"
)
_SUFFIX = re.compile(rf"({_NAME}?),? {_LEGAL}")
_SPEAKS = "will|does|do|has|is|may|never|shall|collects|uses|can|keeps"
_NOT_US = frozenset(
    {"you", "your", "user", "users", "site", "website", "service", "services", "policy", "app", "notice"}
)
_GENERIC = ("the Company", "our company", "the Organisation", "the Organization")


def company_names(policy: PolicyText) -> tuple[str, ...]:
    """The names, as they are written. What a policy defines beside "we" counts, and so does a name with a legal form
    that stands again without it."""
    text = same_words("\n".join(block.text for block in policy.blocks)[:_CHARACTERS_MAX])
    found = [*_defined(text), *_with_legal_form(text)][:_NAMES_MAX]
    return tuple(dict.fromkeys([*_GENERIC, *found]))


def _defined(text: str) -> Iterator[str]:
    for found in _DEFINED.finditer(text):
        if not _US.search(found[2]):
            continue
        yield found[1]
        for quoted in _QUOTED.findall(found[2]):
            name = quoted.strip(" ,.;:")
            if not _US.fullmatch(name) and not _NOT_US & set(name.lower().split()):
                yield name


def _with_legal_form(text: str) -> Iterator[str]:
    """The first company that is named with its legal form, if it goes by its name alone too."""
    found = _SUFFIX.search(text)
    if found is None:
        return
    name = re.sub(rf",? {_LEGAL}$", "", found[1])
    first = name.split()[0]
    for short in dict.fromkeys((found[0], name, first)):
        alone = rf"(?<!\w){re.escape(short)}(?:,? {_LEGAL})? (?:{_SPEAKS})\b"
        if len(short) > 2 and re.search(alone, text):
            yield short
