"""What a sentence promises, as far as rules can see."""

import pytest

from troth.policy import PolicyText, Quantity, Statement, promises_in, read


def only(text: str) -> Statement:
    (statement,) = promises_in(read(text, kind="text"))
    return statement


@pytest.mark.parametrize(
    ("text", "kind", "negative"),
    [
        ("We do not sell your data.", "sharing", True),
        ("We'll never trade it to outside parties.", "sharing", True),
        ("Recordings are deleted within thirty days after the contract ends.", "retention", False),
        ("You may ask us to delete your data at any time.", "right", False),
        ("You have the right to object.", "right", False),
        ("All sensitive information is encrypted via SSL.", "security", False),
        ("We will notify you of a breach by e-mail within 72 hours.", "security", False),
        ("We only collect what the form asks for.", "collection", True),
        ("You can contact our data-protection officer.", "right", False),
        ("We will use your address in order to answer.", "purpose", False),
        ("We will be fair.", "promise", False),
        ("Our pages load nothing from other companies.", "promise", True),
        ("Our forms accept these fields and no others.", "promise", False),
        ("What we have deleted stays deleted.", "right", False),
        ("Refusing is as easy as allowing.", "promise", False),
        ("Backups are overwritten after thirty-five days.", "promise", False),
        ("We tell the recipients to do the same.", "sharing", False),
        ("Every link on our website leads somewhere.", "promise", False),
    ],
)
def test_a_commitment_has_its_kind_and_direction(text: str, kind: str, negative: bool) -> None:
    found = only(text)
    assert (found.kind, found.negative) == (kind, negative)


@pytest.mark.parametrize(
    "text",
    [
        "Please read this policy carefully.",
        "The GDPR is a law of the European Union.",
        "Will we sell it?",
        "Cookies are small files.",
    ],
)
def test_what_commits_to_nothing_is_no_statement(text: str) -> None:
    assert promises_in(read(text, kind="text")) == []


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("We answer within 30 days.", [(30, "day")]),
        ("We answer within thirty (30) calendar days.", [(30, "day")]),
        ("We will tell you within seven business days, or 72 hours.", [(7, "working day"), (72, "hour")]),
        ("We keep it for 1,000 days or 2.5 years.", [(1000, "day"), (2.5, "year")]),
        ("We will keep it for a year.", [(1, "year")]),
        ("We never let more than 8 people see it.", [(8, "person")]),
        ("We will keep version 3.4 days.", [(3.4, "day")]),
    ],
)
def test_numbers_come_with_their_units(text: str, quantities: list[tuple[float, str]]) -> None:
    assert list(only(text).quantities) == [Quantity(number, unit) for number, unit in quantities]


def test_headings_promise_nothing() -> None:
    assert promises_in(read("# We will never sell it\n")) == []


def test_statements_come_in_the_order_of_the_text(either: PolicyText) -> None:
    assert [(statement.kind.value, statement.negative) for statement in promises_in(either)] == [
        ("sharing", True),
        ("security", True),
        ("retention", False),
        ("right", False),
        ("promise", False),
        ("sharing", True),
    ]
