"""Where sentences end."""

from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy.parse.sentences import split


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@each_row(
    "text",
    [
        "We keep it. | You may ask.",
        "Is it safe? | Yes! | We encrypt it.",
        "We follow Art. 6(1)(a) of the law. | We say so.",
        "Use it for orders, e.g. Shop orders, i.e. Ours. | Nothing else.",
        "We work in the U.K. | We follow its law.",
        "The U.K. Information Commissioner decides. | You may complain.",
        "Write to ann@example.org. | We answer.",
        "See https://example.org/a.b?c. | It says more.",
        "Fees are 3.5 per cent. | We say “never.” | They agree.",
        "Example Ltd. keeps it. | Example Ltd. | We keep it.",
        "Ask Dr. Ann Example. | She answers.",
        "Under s. 164A of the Act. | It is law...",
        "Names, addresses, etc. | We keep them.",
        "1. We keep it. | 2. You may ask.",
        "(See No. 5.) | It says so.",
        "We wait... then answer. | Good.",
        "no stop at all",
    ],
)
def test_sentences_end_where_a_reader_says(text: str) -> None:
    expected = text.split(" | ")
    assert cut(" ".join(expected)) == expected


@given(st.text(alphabet=st.sampled_from("aB1.!?…\"') "), max_size=80))
def test_nothing_is_lost_between_sentences(text: str) -> None:
    text = " ".join(text.split())
    assert " ".join(cut(text)) == text
