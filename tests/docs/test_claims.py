"""What we claim is in the list of claims, with what shows it: a new sentence with an absolute word belongs there."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools import messages

from troth.service import duty

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/claims.md").read_text("utf-8")
SITE = ROOT / "examples/voice-company/example_voice/web"
NOTICE = ROOT / "src/troth/policy/render/en.toml"
NOT_SAID = ("page", "headings", "how", "tables", "words", "links")
"""Parts of the notice's words that are no sentences."""
STAFF = (
    "/console",
    "/staff",
    "/api/",
    "/account/",
    "/mfa/",
    "socialaccount",
    "/vault/",
    "/evidence",
    "mail/message_kinds.py",
)
LIBRARY = ("/law/", "taxonomy")
ABSOLUTE = re.compile(
    r"\b(all|always|alone|at any time|any ?(?:body|one|where)|at once|each|every(?:\w+)?|exactly|immediately|"
    r"mostly|most|neither|never|nobody|none|nothing|nowhere|no one|no other|only|same day|whoever|"
    r"no (?:longer|further|more))\b",
    re.IGNORECASE,
)
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
GAP = re.compile(r"%\(\w+\)[sd]|\{[a-z]+\}")


def plain(text: str) -> str:
    """*text* in one line, with a mark for each gap, and links as their words."""
    without_tags = re.sub(r"</?a\b[^>]*>", "", text)
    return LINK.sub(r"\1", GAP.sub("…", " ".join(without_tags.split())))


def of_the_service() -> Iterator[str]:
    """What pages, messages and packages say to people who are no staff."""
    registered = for_staff()
    for message in messages.extracted():
        places = [place for place, _ in message.locations if not any(part in place for part in (*STAFF, *LIBRARY))]
        if message.id in registered:
            places = [place for place in places if not place.endswith("/duty.py")]
        if message.id and places and not all("core/console.py" in place for place in places):
            yield from (message.id,) if isinstance(message.id, str) else message.id


def for_staff() -> set[str]:
    """Texts that duties register for the console, and for tokens and webhooks of programs."""
    pages = {text for page in duty.listed("console") for text in (page.title, page.about)}
    labels = {permission.label for permission in (*duty.listed("rights"), *duty.listed("scopes"))}
    return pages | labels | set(duty.gathered("webhooks").values())


def of_the_notice() -> Iterator[str]:
    for part, sentences in tomllib.loads(NOTICE.read_text("utf-8")).items():
        if part not in NOT_SAID:
            yield from sentences.values()


def of_the_example() -> Iterator[str]:
    """What the website of the example company says: texts of its pages that are no docstrings."""
    for name in ("pages.py", "forms.py"):
        tree = ast.parse((SITE / name).read_text("utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in docs else None
            if isinstance(text, str) and len(text.split()) > 2:
                yield text


@cache
def said() -> frozenset[str]:
    return frozenset(map(plain, (*of_the_service(), *of_the_notice(), *of_the_example())))


def rows() -> list[tuple[str, str, str]]:
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[2].startswith("`"):
            found.append((cells[0], cells[1], cells[2].strip("`")))
    return found


def listed() -> set[str]:
    return {claim for claim, _, _ in rows()} | set(re.findall(r"^- (.+)$", PAGE, re.MULTILINE))


def test_each_sentence_with_an_absolute_word_is_listed() -> None:
    missing = {text for text in said() if ABSOLUTE.search(text)} - listed()
    assert missing == set(), "put it into docs/reference/claims.md, with what shows it, or say less"


def test_each_claim_that_is_listed_is_said() -> None:
    assert {claim for claim in listed() if claim not in said()} == set()


def test_each_claim_names_what_shows_it_and_a_test_that_is_there() -> None:
    tests = {name for path in (ROOT / "tests").rglob("test_*.py") for name in _tests(path)}
    assert {test for _, _, test in rows()} <= tests
    assert all(shown for _, shown, _ in rows())
    modules = {name for _, shown, _ in rows() for name in re.findall(r"`([a-z_/]+\.py)`", shown)}
    assert {name for name in modules if not (ROOT / "src/troth/service" / name).is_file()} == set()


def _tests(path: Path) -> list[str]:
    return re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)


def test_a_claim_that_nobody_listed_is_found() -> None:
    assert ABSOLUTE.search("We delete everything at once.")
    assert plain("until %(until)s") == "until …"
    assert len(rows()) > 80
