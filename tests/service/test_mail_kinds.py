"""Every kind of letter states its facts, all of them and no others, as text and nothing else, in every language."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from tests.tables import each_row

from troth.declaration import Organisation
from troth.service.mail.facts import RetainedItem
from troth.service.mail.message_kinds import MessageKind, kinds
from troth.service.mail.rules import Attachment, Letter, LetterRefused, MessageText, write

DATE, MOMENT = dt.date(2026, 12, 1), dt.datetime(2026, 12, 1, 9, 41, tzinfo=dt.UTC)
COMPANY = Organisation(
    name="Example Ltd", country="GB", address="1 Example Street", email="privacy@example.org", regulator="ICO"
)
LANGUAGES = [code for code, _ in settings.LANGUAGES]
TEXT = "Tallow & <b>son</b> {{ request }} {% now 'Y' %} %(name)s 'q' \"q\""
"""What somebody may write who means mischief, or just writes."""


def fact(shape: Any, name: str) -> object:
    """A value of that shape, which says which fact it is."""
    values: list[object] = [
        DATE,
        MOMENT,
        7,
        f"{name} {TEXT}",
        f"https://example.org/{name}",
        [f"{name} one {TEXT}", f"{name} two"],
        f"Ben {name}",
        [
            RetainedItem(f"{name} what", "tax law", "HGB § 257", DATE),
            RetainedItem(f"{name} more", "a dispute", "ZPO § 286"),
        ],
    ]
    for value in values:
        try:
            shape(value)
        except ValueError:
            continue
        return value
    words: list[str] = next(cell.cell_contents for cell in shape.__closure__)
    return words[0]


def every(kind: MessageKind) -> dict[str, object]:
    return {name: fact(shape, name) for name, shape in {**kind.may, **kind.needs}.items()}


def needed(kind: MessageKind) -> dict[str, object]:
    return {name: fact(shape, name) for name, shape in kind.needs.items()}


def letter(kind: str, facts: dict[str, object], language: str = "en") -> Letter:
    return Letter(kind, "ann@example.org", language, "case:R-2026-0187", facts, "k")


def written(kind: str, facts: dict[str, object], language: str = "en") -> MessageText:
    return write(letter(kind, facts, language), COMPANY)


@each_row("language", LANGUAGES)
@each_row("kind", kinds())
def test_a_letter_states_every_fact(kind: str, language: str) -> None:
    text = written(kind, every(kinds()[kind]), language)
    for name, value in every(kinds()[kind]).items():
        if isinstance(value, str) and (name in value or value.startswith("https")):
            assert value in f"{text.subject}\n{text.plain}", name
        if isinstance(value, list):
            assert all((item.what if isinstance(item, RetainedItem) else item) in text.plain for item in value), name
        if isinstance(value, dt.date):
            assert "2026" in f"{text.subject}\n{text.plain}", name
    assert "R-2026-0187" in text.plain
    assert "\n" not in text.subject
    assert "{{ request }}" in text.plain or TEXT not in str(every(kinds()[kind]))
    assert "None" not in text.plain
    assert "\n\n\n" not in text.plain


@each_row("kind", kinds())
def test_a_letter_needs_what_it_needs_and_nothing_else(kind: str) -> None:
    facts = needed(kinds()[kind])
    assert written(kind, facts).subject
    for name in facts:
        with pytest.raises(LetterRefused, match=name):
            letter(kind, {other: value for other, value in facts.items() if other != name})
    with pytest.raises(LetterRefused, match="secret"):
        letter(kind, {**facts, "secret": "x"})


@each_row("kind", kinds())
def test_nothing_becomes_markup_and_only_links_become_links(kind: str) -> None:
    facts = every(kinds()[kind])
    html = written(kind, facts).html
    assert "<b>" not in html
    assert "<img" not in html
    assert html.count("<a ") == sum(isinstance(value, str) and value.startswith("https") for value in facts.values())
    assert "src=" not in html


def test_a_link_in_somebodys_words_stays_text() -> None:
    facts = needed(kinds()["refused"]) | {"reasons": "https://evil.example/"}
    assert "<a " not in written("refused", facts).html


@each_row(
    ("kind", "facts"),
    [
        ("link", {"link": "javascript:alert(1)", "until": MOMENT}),
        ("link", {"link": "http://example.org/", "until": MOMENT}),
        ("link", {"link": "https://example.org/ x", "until": MOMENT}),
        ("link", {"link": "https://example.org/", "until": dt.datetime(2026, 12, 1)}),  # noqa: DTZ001
        ("link", {"link": "https://example.org/", "until": DATE}),
        ("withdrawn", {"right": "view", "closed": MOMENT}),
        ("withdrawn", {"right": "everything", "closed": DATE}),
        ("withdrawn", {"right": "view", "closed": "2026-12-01"}),
        ("staff_alert", {"what": "one\r\nBcc: ben@example.org", "at": MOMENT}),
        ("staff_alert", {"what": "\x1b[31m", "at": MOMENT}),
        ("staff_alert", {"what": "", "at": MOMENT}),
        ("staff_alert", {"what": "\u202etxt", "at": MOMENT}),
        ("nothing_held", {"right": "view", "received": DATE, "systems": True}),
        ("nothing_held", {"right": "view", "received": DATE, "systems": 3, "searched": "an e-mail address"}),
        ("agent_authority", {"agent": "Ben", "right": "view", "link": "https://a.b/", "until": MOMENT}),
        ("valentine", {}),
    ],
)
def test_facts_of_another_shape_are_refused_and_not_quoted(kind: str, facts: dict[str, object]) -> None:
    with pytest.raises(LetterRefused) as refusal:
        letter(kind, facts)
    assert not any(str(value) in str(refusal.value) for value in facts.values() if len(str(value)) > 4)


def test_a_letter_shows_no_values() -> None:
    assert repr(letter("withdrawn", needed(kinds()["withdrawn"]))) == "Letter(withdrawn, about case:R-2026-0187)"
    assert "secret" not in repr(Attachment("receipt.txt", "text/plain", b"secret"))


@pytest.mark.parametrize("field", ["about", "once"])
def test_keys_hold_nothing_personal(field: str) -> None:
    parts = {"about": "case:R-1", "once": "k", field: "case:ann@example.org"}
    facts = needed(kinds()["withdrawn"])
    with pytest.raises(LetterRefused, match=field):
        Letter("withdrawn", "ann@example.org", "en", parts["about"], facts, parts["once"])


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "1 December 2026"),
        ("de", "1. Dezember 2026"),
        ("fr", "1er décembre 2026"),
        ("es", "1 de diciembre de 2026"),
    ],
)
def test_dates_are_written_as_the_language_has_them(language: str, day: str) -> None:
    assert day in written("withdrawn", needed(kinds()["withdrawn"]), language).plain


@each_row("language", [code for code in LANGUAGES if code != "en"])
@each_row("kind", kinds())
def test_a_letter_is_in_one_language(kind: str, language: str) -> None:
    """No sentence of the English letter is left in the others, but for what somebody else wrote."""
    facts = needed(kinds()[kind])
    english, other = (set(written(kind, facts, code).plain.splitlines()) for code in ("en", language))
    names = (text for text in COMPANY.model_dump().values() if isinstance(text, str))
    ours = {*names, *(line for value in facts.values() for line in _lines_of(value))}
    assert english & other <= {"", *(str(line) for line in ours)}


def _lines_of(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [prefix + str(item) for item in items for prefix in ("", "- ")]


def test_a_language_that_we_do_not_have_gets_the_nearest() -> None:
    facts = needed(kinds()["withdrawn"])
    assert written("withdrawn", facts, "de-AT") == written("withdrawn", facts, "de")
    assert written("withdrawn", facts, "tlh") == written("withdrawn", facts, "en")


# --- what the law asks of them (OBLIGATIONS 1.1, 1.3) -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refused", "extended", "nothing_held", "partly_fulfilled", "complaint_outcome"])
def test_who_does_not_agree_learns_where_to_turn(kind: str) -> None:
    plain = written(kind, needed(kinds()[kind])).plain
    assert "complain to us" in plain
    assert "ICO (Art. 77 of the GDPR or of the UK GDPR)" in plain
    assert "go to court (Art. 79 of the GDPR or of the UK GDPR)" in plain
    californian = written(kind, {**needed(kinds()[kind]), "under": "ccpa"}).plain
    assert "California Privacy Protection Agency" in californian
    assert "GDPR" not in californian


@each_row(
    ("kind", "facts"),
    [
        ("refused", {"reasons", "cite"}),  # Art. 12(4), 11 CCR 7022-7024
        ("extended", {"reasons", "due", "due_before", "cite"}),  # Art. 12(3), 11 CCR 7021(b)
        ("acknowledged", {"due", "laws", "received"}),  # 11 CCR 7021(a)
        ("more_information", {"needed", "clock"}),  # UK Art. 12A
        ("restriction_lifted", {"on", "reasons"}),  # Art. 18(3)
        ("complaint_acknowledged", {"received"}),  # DPA 2018 s.164A
        ("complaint_outcome", {"outcome"}),
        ("partly_fulfilled", {"kept", "did"}),  # Art. 12(4), 17(3)
        ("recipient_notice", {"right", "people", "what"}),  # Art. 19
    ],
)
def test_what_a_law_wants_said_cannot_be_left_out(kind: str, facts: set[str]) -> None:
    assert facts <= kinds()[kind].needs.keys()


@pytest.mark.parametrize(("clock", "says"), [("paused", "stands still"), ("runs", "does not stand still")])
def test_a_question_back_says_whether_the_clock_stands_still(clock: str, says: str) -> None:
    facts = needed(kinds()["more_information"]) | {"clock": clock}
    assert says in written("more_information", facts).plain


def test_the_ways_to_handle_a_request_are_told() -> None:
    """11 CCR 7021(a): how it is handled and verified, and when to expect an answer."""
    facts = needed(kinds()["acknowledged"])
    ways = [written("acknowledged", {**facts, "verification": way}).plain for way in ("none", "link", "points")]
    assert len(set(ways)) == 3
    assert all("Next, we look in our systems" in way for way in ways)
