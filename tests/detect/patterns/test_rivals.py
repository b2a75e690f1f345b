"""Of several recognisers that claim a value, the likelier gets the whole of it."""

from __future__ import annotations

from typing import Final

from tests.tables import each_row

from troth.detect import Detector

_DETECTOR: Final = Detector(names=False)


@each_row(
    ("text", "value", "kind"),
    [
        ("wire to account no. 000123456789", "000123456789", "BANK_ACCOUNT"),
        ("Vous pouvez m'appeler au 06.12.34.56.78", "06.12.34.56.78", "PHONE_NUMBER"),
        ("Nací el 3 de abril de 1985", "3 de abril de 1985", "DATE_OF_BIRTH"),
        ("I was born in Leeds on 3 March 1980", "3 March 1980", "DATE_OF_BIRTH"),
        ("postcode SW1A 2AC", "SW1A 2AC", "UK_POSTCODE"),
        ("username annlee99", "annlee99", "USERNAME"),
        ("customer 12345678901234", "12345678901234", "REFERENCE_NUMBER"),
        ("IBAN DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("payment 4111111111111111", "4111111111111111", "CREDIT_CARD"),
    ],
)
def test_the_likelier_recogniser_finds_the_whole_value(text: str, value: str, kind: str) -> None:
    assert [(text[it.start : it.end], it.type) for it in _DETECTOR.find(text)] == [(value, kind)]


@each_row("scheme", ["postgres", "mongodb+srv", "https", "redis"])
@each_row("name", ["user", "ann99", ""])
def test_a_password_before_a_host_is_a_secret_and_no_part_of_an_address(scheme: str, name: str) -> None:
    text = f"DATABASE_URL={scheme}://{name}:s3cret@db.example.org/x"
    found = {text[it.start : it.end]: it.type for it in _DETECTOR.find(text)}
    assert found.pop("s3cret") == "SECRET"
    assert not any("s3cret" in it for it in found)


def test_a_sort_code_behind_an_expiry_date_is_no_second_one() -> None:
    text = "exp 12/26; sort 12-34-56"
    found = [(text[it.start : it.end], it.type) for it in _DETECTOR.find(text)]
    assert found == [("12/26", "CARD_EXPIRY"), ("12-34-56", "SORT_CODE")]
