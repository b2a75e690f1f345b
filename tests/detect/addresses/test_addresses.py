"""Addresses are found whole, in the layouts of several countries, and other numbers and capitals are left alone."""

from __future__ import annotations

from tests.tables import each_row

from troth.detect.addresses import AddressFinder
from troth.detect.text import FoldedText


def _marked(marked: str) -> tuple[str, list[str]]:
    """The text without its marks, and what stands between ⟦ and ⟧."""
    pieces = marked.replace("⟧", "⟦").split("⟦")
    return "".join(pieces), pieces[1::2]


def _found(text: str) -> list[str]:
    return [text[it.start : it.end] for it in AddressFinder().find(FoldedText(text))]


@each_row(
    "marked",
    [
        "Ann moved to ⟦14 Harbour View, Portishead⟧.",
        "Ann\n⟦Flat 7, Wren House\n112 Mill Road\nBristol\nBS6 7SU⟧\n\nDear Ann",
        "send it to ⟦5 st saviours rd, LE5 3HD⟧ please",
        "DELIVER TO ⟦904 MAGNOLIA LANE MOBILE ALABAMA⟧",
        "Ben at ⟦2400 Waterview Pkwy #1316\nRichardson, Texas 75080⟧\n\nPaid in full",
        "mail: ⟦PO Box 619, Footscray VIC 3011⟧",
        "⟦Unit 9, 4412 Dundas St W, Toronto ON M9A 1A6⟧",
        "⟦12, rue des Lilas\n75002 Paris⟧\nBonjour",
        "⟦Lindenstraße 14a, 38440 Wolfsburg⟧\n\nSehr geehrte Frau",
        "⟦Via Cappuccina 188, interno 7, 30172 Venezia Mestre⟧\nGrazie",
        "⟦C/ Mayor, 16, 3.º izda., 20003 Donostia-San Sebastián (Gipuzkoa)⟧",
        "⟦Prinsenstraat 118-III, 1015 DG Amsterdam⟧",
        "⟦The Old Forge, Bell Lane, Ludford, Shropshire, SY8 4PP⟧. Mind the gate.",
        "meet at ⟦the corner of Maple Avenue and Elm Street⟧ at noon",
        "her name is Chloe, she lives at ⟦Kaupangsbakken 98⟧",
        '{"to": "⟦Flat 7\\n112 Mill Road\\nBristol BS6 7SU⟧"}',
        "<p>⟦Flat 7<br>112 Mill Road<br/>Bristol BS6 7SU⟧</p>",
        "'Ben grew up in ⟦Little Ossing⟧'",
        "She flew to ⟦Portugal⟧ on Monday",
        "J'habite ⟦14 rue de la République, 69002 Lyon⟧. Tél. 06 12 34 56 78",
        "⟦Calle Mayor 5, 28013 Madrid⟧. Mi correo",
        "⟦Lindenstraße 14a, 89073 Ulm⟧. Bitte klingeln",
        "⟦Rosenweg 3, 9000 St. Gallen⟧ bitte",
        "⟦BP 120, 69002 Lyon⟧",
        "Ann is at ⟦9 Park Road, Leeds LS1 3AB⟧. London is far away",
    ],
)
def test_an_address_is_found_from_its_first_part_to_its_last(marked: str) -> None:
    text, wanted = _marked(marked)
    assert _found(text) == wanted


@each_row(
    "text",
    [
        "It was a 10 minute walk down the road, 2 blocks from the square.",
        "Take 30 photographs on the day you move in, and keep all 12 receipts.",
        "We lost 3 games on the road and won 4 in the park.",
        "Room 12 of the guest house costs $500 Street price",
        "GPU: 4060 Ti 16GB, RAM: 32 GB 6000 CL30",
        "In 2019 they won; see Section 4, 2020 Act.",
        "Please ask at Mill Road Surgery or at Silk Road Dental.",
        "press one for sales, two for the place where you live",
        "The meeting is in Hall 3; see Section 7 and the terms at Step 4.",
        "i for india, d for denmark",
        "HR 72 BP 120 over 80",
        "BP 120/80, HR 72, patient lives at home",
    ],
)
def test_numbers_and_capitals_of_other_things_are_no_address(text: str) -> None:
    assert _found(text) == []


def test_a_name_before_the_address_and_a_greeting_after_it_stay_outside() -> None:
    assert _found("Ann Example\n9 Park Road\nLeeds\nLS1 3AB\nKind regards") == ["9 Park Road\nLeeds\nLS1 3AB"]


def test_a_telephone_number_after_a_street_is_not_taken_for_a_code() -> None:
    assert _found("Ben, 9 Park Road, 07700 900123") == ["9 Park Road"]


def test_offsets_are_right_where_characters_are_left_out_or_wider() -> None:
    text = "À Zoë\u200b: \u2003１４ rue de l’Église, 67000 Straß\u00adbourg 🏠"
    assert _found(text) == ["１４ rue de l’Église, 67000 Straß\u00adbourg"]


def test_a_town_and_a_code_make_an_address_surer() -> None:
    alone, coded = ("Ben is at 14 Harbour View", "Ben is at 14 Harbour View, Bristol BS6 7SU")
    scores = [next(iter(AddressFinder().find(FoldedText(text)))).score for text in (alone, coded)]
    assert scores[0] < scores[1]


def test_streets_without_a_number_are_places_and_no_addresses() -> None:
    assert [it.type for it in AddressFinder().find(FoldedText("Turn left into Orchard Road, then stop."))] == [
        "LOCATION"
    ]
