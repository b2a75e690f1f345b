"""What a policy calls its own company other than *we*: ``Example Voice Ltd``, ``Example``, ``I``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from troth.policy.text import PolicyText
from troth.text import same_words

_CHARACTERS_MAX = 20_000
"""Only this much of the text is searched for the company's names."""
_NAMES_MAX = 12
_NAME = r"[A-Z0-9][\w&.'-]{0,40}(?:,? (?:of |and |the |& )?[A-Z0-9][\w&.'-]{0,40}){0,6}"
_DEFINED = re.compile(rf"(?:({_NAME}),? ?)?\(([^()]{{2,250}})\)")
_QUOTED = re.compile(r"[\"']([^\"']{2,60})[\"']")
_US = re.compile(r"\b(?:we|us|our|ours)\b", re.I)
_BRIEF = re.compile(
    r"^(?:here(?:in)?after|in short|short|referred to as)?,? ?(?:called|named)?[: ]*(?:the )?"
    r"[\"']?([A-Z][\w&.-]{1,30})[\"']?$"
)
_LEGAL = (
    r"(?:Ltd|Limited|Inc|Incorporated|LLC|L\.L\.C|LLP|PLC|plc|Corp|Corporation|GmbH|AG|SE|S\.A|SA|B\.?V|SARL|Pty)\b\.?"
)
_SUFFIX = re.compile(rf"({_NAME}?),? {_LEGAL}")
_SPEAKS = "will|does|do|has|is|may|never|shall|collects|uses|can|keeps|processes|applies|takes|does|asks|carries|treats"
ACTS = (
    r"will|shall|would|does|do|did|has|have|had|is|are|was|may|might|can|cannot|must|never|only|also|always|not|"
    r"(?:collect|use|keep|process|appl[yi]e|take|ask|carrie|treat|share|sell|store|hold|receive|provide|protect|respect|"
    r"complie|adhere|offer|send|give|delete|erase|retain|limit|require|ensure|maintain|encrypt|allow|make|publishe|post|"
    r"answer|respond|conclude|observe|prefer|explain|consider|reserve|tell|inform|notifie|review|train|work|act|follow|"
    r"strive|believe|disclose|transfer|employ|record|show|run|need|want|rely|relie|gather|obtain|request|contact|monitor|"
    r"track|anonymi[sz]e|destroy|destroye|remove|restrict|verifie|acknowledge|confirm|undertake|commit|promise|honou?r|"
    r"let|put|see|get|pass|passe|log|rent|trade|combine|host|operate|appoint|check|test|audit|update)s?"
)
"""Verbs that may follow the company's name where it is read as *we*."""
_SUBJECT = re.compile(rf"(?:^|[.;:,(|] |\b(?:the|The|that|and|with|if|If) )({_NAME}) (?:{_SPEAKS})\b", re.M)
_INTRODUCTION = 1_500
_SPEAKING_MIN = 2
_OTHERS = """
    you your user users site website service services policy app notice we they it this these cookies our if the
    google facebook data personal information who what gdpr ccpa coppa regulation act law directive commission
    authority union eea dpo party parties processor
    please nobody nothing everybody everyone anybody anyone people persons each every all no some
    teachers staff employees children parents pupils patients customers members visitors guests volunteers
    client clients customer member visitor guest subscriber subscribers buyer buyers seller sellers applicant patient
    pupil tenant tenants student students employee volunteer contract
"""
_NOT_US = frozenset(_OTHERS.split())
_GENERIC = ("the Company", "our company", "the Organisation", "the Organization")
_KINDS = re.compile(
    r"\b(?:Company|(?:[Tt]he|[Oo]ur) (?:University|College|School|Academy|Bank|Credit Union|Charity|Council|Practice|"
    r"Clinic|Hospital|Trust|Association|Society|Club|Firm|Foundation|Publisher|Museum|Library|Institute|Church))"
    rf"(?= (?:{ACTS})\b)"
)
"""Generic nouns used instead of the company's name."""


def company_names(policy: PolicyText) -> tuple[str, ...]:
    """The company's names as written. They include terms defined next to "we", and a name with a legal form that also
    occurs without it."""
    text = " | ".join(same_words(block.text) for block in policy.blocks)[:_CHARACTERS_MAX]
    found = [*_defined(text), *_with_legal_form(text), *_speaking(text), *_by_kind(text)][:_NAMES_MAX]
    return tuple(dict.fromkeys([*_GENERIC, *found]))


def _defined(text: str) -> Iterator[str]:
    for found in _DEFINED.finditer(text):
        brief = _BRIEF.match(found[2])
        if brief is not None and re.search(rf"(?<!\w){re.escape(brief[1])} (?:{_SPEAKS})\b", text):
            yield from (
                name for name in (found[1], brief[1]) if name and not _is_of_others(f"{found[1] or ''} {brief[1]}")
            )
        if _US.search(found[2]):
            yield from filter(None, (found[1],))
            quoted = (name.strip(" ,.;:") for name in _QUOTED.findall(found[2]))
            yield from (name for name in quoted if not _US.fullmatch(name) and not _is_of_others(name))


def _is_of_others(name: str) -> bool:
    return bool(_NOT_US & set(name.lower().split()))


def _with_legal_form(text: str) -> Iterator[str]:
    """The first company named with a legal form, if it is also used as a subject by its name alone."""
    found = _SUFFIX.search(text)
    if found is None:
        return
    name = re.sub(rf",? {_LEGAL}$", "", found[1])
    first = name.split()[0]
    for short in dict.fromkeys((found[0], name, first)):
        alone = rf"(?<!\w){re.escape(short)}(?:,? {_LEGAL})? (?:{_SPEAKS})\b"
        if len(short) > 2 and re.search(alone, text):
            yield short


def _by_kind(text: str) -> Iterator[str]:
    """“University”, if it is the subject of several sentences."""
    counted = Counter(found[0] for found in _KINDS.finditer(text))
    yield from (name for name, times in counted.items() if times >= _SPEAKING_MIN)


def _speaking(text: str) -> Iterator[str]:
    """A name from the introduction that is often the subject: some policies speak of their company in the third
    person."""
    counted = Counter(found[1] for found in _SUBJECT.finditer(text))
    for name, times in counted.most_common(_NAMES_MAX):
        if (
            times >= _SPEAKING_MIN
            and not _is_of_others(name)
            and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text[:_INTRODUCTION])
        ):
            yield name
            return


# --- reading names as "we" -------------------------------------------------------------------------------------------

_I = re.compile(r"\b(?:I|my|me)\b")
_WE = re.compile(r"\b(?:we|us|our)\b", re.I)
_ALONE_MIN = 5
_ALONE_CHARACTERS_MAX = 400_000
_ALONE = (
    (re.compile(r"\bI(?:'m| am)\b"), "we are"),
    (re.compile(r"\bI was\b"), "we were"),
    (re.compile(r"\bI\b"), "we"),
    (re.compile(r"\bmy\b"), "our"),
    (re.compile(r"\bMy\b"), "Our"),
    (re.compile(r"\bme\b"), "us"),
    (re.compile(r"\bmine\b"), "ours"),
)


class Us:
    """Reads the company's name as *we* where it is a subject or owner, not in an address. If the author is a sole
    trader, *I* is read as *we* too."""

    def __init__(self, policy: PolicyText) -> None:
        text = "\n".join(block.text for block in policy.blocks)[:_ALONE_CHARACTERS_MAX]
        alone = len(_I.findall(text))
        self._is_alone = alone >= _ALONE_MIN and alone > 2 * len(_WE.findall(text))
        names = "|".join(re.escape(name) for name in sorted(company_names(policy), key=len, reverse=True))
        self._acts = re.compile(rf"(?<![\w@.])(?:[Tt]he )?(?:{names})(?= (?:{ACTS})\b)")
        self._owns = re.compile(rf"(?<![\w@.])(?:[Tt]he )?(?:{names})'s?(?= [a-z])")

    def read(self, text: str) -> str:
        return self._acts.sub("we", self._owns.sub("our", self.title(text)))

    def title(self, text: str) -> str:
        """The same for titles, which name the company without a verb."""
        said = same_words(text)
        for one, several in _ALONE if self._is_alone else ():
            said = one.sub(several, said)
        return said
