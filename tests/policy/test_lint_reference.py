"""The reference of rules says what the catalogue says."""

from tools import lint_rules


def test_the_reference_of_rules_is_what_the_catalogue_says() -> None:
    assert lint_rules.REFERENCE.read_text("utf-8") == lint_rules.reference(), (
        "write it anew: python tools/lint_rules.py"
    )
