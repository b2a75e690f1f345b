"""Columns with personal data are found by name, kind and values, and things are left alone."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.declaration import is_category
from troth.detect import classify
from troth.detect.schema.rules import rules
from troth.detect.schema.table_context import TableContext
from troth.stores import Column, ColumnKind, ForeignKey, Scalar, TableSchema

K = ColumnKind


def _table(name: str, /, **kinds: ColumnKind) -> TableSchema:
    return TableSchema(name, tuple(Column(column, kind, kind.value) for column, kind in kinds.items()), key=("id",))


def _found(table: TableSchema, **samples: Sequence[Scalar]) -> dict[str, str]:
    """The best category of each column that has one."""
    found: dict[str, str] = {}
    for finding in classify(table, samples):
        found.setdefault(finding.column, finding.category)
    return found


def _texts(name: str, *columns: str) -> TableSchema:
    return _table(name, id=K.INTEGER, **dict.fromkeys(columns, K.TEXT))


def test_every_need_of_the_rules_is_one_that_a_table_has() -> None:
    place = TableContext.of(_texts("customer", "name"), rules())
    assert all(place.allows(rule, ("name",), rules()) in {True, False} for rule in rules().rules)


def test_every_category_of_the_rules_exists() -> None:
    assert [rule.category for rule in rules().rules if not is_category(rule.category)] == []


def test_a_customer_table_is_found_whatever_the_spelling() -> None:
    expected = ["user.name.first", "user.name.last", "user.contact.email", "user.contact.phone_number"]
    for columns in (
        ("FirstName", "LastName", "Email", "Phone"),
        ("first_name", "last_name", "email_address", "phone_number"),
        ("FNAME", "LNAME", "EMAILADDR", "TELNO"),
        ("firstname", "surname", "e_mail", "mobile"),
        ("vorname", "nachname", "email", "telefon"),
        ("prenom", "cognome", "courriel", "téléphone"),
        ("voornaam", "achternaam", "mail", "telefoon"),
    ):
        assert list(_found(_texts("cust", *columns)).values()) == expected, columns


@each_row(
    ("table", "columns", "categories"),
    [
        ("kunde", "gebdat geschlecht strasse hausnummer plz ort", "birth gender street street postal city"),
        ("PAZIENTE", "Nome Cognome DataNascita Sesso CodFiscale", "first last birth gender national"),
        ("usuarios", "nombre apellidos correo contrasena telefono", "first last email password phone"),
        ("utilisateurs", "nom prenom mot_de_passe tel pseudo", "last first password phone username"),
        ("tblEMPLOYEE", "EmployeeFName EmployeeLName EmployeeDOB", "first last birth"),
        ("Kunde", "Navn Epost Telefonnummer", "name email phone"),
        ("TCustomers", "strFirstName strZip strPhoneNumber", "first postal phone"),
        ("client", "portable num_secu nir", "phone national national"),
        ("personen", "geb_dat strasse plz", "birth street postal"),
        ("staff", "nat_ins ssn_last4 pwd_hash", "national national password"),
        ("clients", "email_client prenom_client", "email first"),
        ("members", "nick locale avatar_thumbnail pw_reset_token", "username language image credentials"),
        ("PERSONA", "per_nombre per_apellido per_sexo per_clave", "first last gender password"),
        ("hs_employee", "emp_firstname emp_lastname emp_birthday emp_ssn_num", "first last birth national"),
        ("pelanggan", "nama alamat tanggal_lahir no_telepon", "name street birth phone"),
        ("patient", "patfname patlname phone_biz plus_four", "first last phone postal"),
        ("adherent", "prenom pass_crypted phone_perso", "first password phone"),
    ],
)
def test_names_are_read_in_many_languages_and_styles(table: str, columns: str, categories: str) -> None:
    kinds = {
        "birth": "user.demographic.date_of_birth",
        "city": "user.contact.address.city",
        "credentials": "user.authorization.credentials",
        "email": "user.contact.email",
        "first": "user.name.first",
        "gender": "user.demographic.gender",
        "image": "user.content.self_image",
        "language": "user.demographic.language",
        "last": "user.name.last",
        "name": "user.name",
        "national": "user.government_id.national_identification_number",
        "password": "user.authorization.password",
        "phone": "user.contact.phone_number",
        "postal": "user.contact.address.postal_code",
        "street": "user.contact.address.street",
        "username": "user.account.username",
    }
    found = _found(_texts(table, *columns.split()))
    assert list(found.values()) == [kinds[kind] for kind in categories.split()]


def test_a_title_is_of_work_where_work_is_named() -> None:
    assert _found(_texts("users", "first_name", "title", "department"))["title"] == "user.job_title"
    assert _found(_texts("patients", "first_name", "title"))["title"] == "user.name"
    assert "title" not in _found(_texts("albums", "title"))


def test_what_a_person_wrote_is_known_by_who_wrote_it() -> None:
    assert _found(_texts("reports", "account_id", "comment")) == {"comment": "user.content"}
    assert _found(_texts("appeals_made", "author_id", "text")) == {"text": "user.content"}
    assert _found(_texts("devices", "owner_id", "comments")) == {}
    assert _found(_texts("assets", "user_id", "text")) == {}
    assert _found(_texts("mail_templates", "user_id", "text")) == {}


def test_a_profile_of_a_thing_is_nobodys() -> None:
    assert _found(_texts("zone_profile", "name")) == {}
    assert _found(_texts("member_profile", "name")) == {"name": "user.name"}


def test_a_person_stays_one_in_a_table_that_is_called_after_a_thing() -> None:
    assert _found(_texts("t_role", "first_name", "last_name", "pass")) == {
        "first_name": "user.name.first",
        "last_name": "user.name.last",
        "pass": "user.authorization.password",
    }
    assert "name" not in _found(_texts("enterprise", "name", "email", "contact_name"))


def test_the_state_and_the_number_of_an_invoice_are_no_address() -> None:
    assert _found(_texts("invoice", "number", "state")) == {}
    assert set(_found(_texts("site", "street", "city", "number")).values()) == set()
    assert set(_found(_texts("home", "street", "city", "number"))) == {"street", "city", "number"}


def test_who_else_gets_a_letter_is_an_address_of_mail() -> None:
    assert _found(_texts("queued", "cc", "bcc", "in_reply_to", "reply_to")) == dict.fromkeys(
        ("cc", "bcc", "reply_to"), "user.contact.email"
    )


def test_a_token_of_a_person_is_one_whatever_it_opens() -> None:
    assert _found(_texts("users", "rp_token")) == {"rp_token": "user.authorization.credentials"}
    assert _found(_texts("users", "page_token")) == {}


def test_clients_that_are_programs_are_nobody() -> None:
    assert "name" not in _found(_texts("client", "name", "redirect_uri"))
    assert _found(_texts("client", "name")) == {"name": "user.name"}


def test_what_is_kept_for_letting_in_may_be_called_a_value() -> None:
    assert list(_found(_texts("api_keys", "value"))) == ["value"]
    assert _found(_texts("key_value", "value")) == {}


def test_the_number_of_a_bank_account_needs_a_bank_beside_it() -> None:
    assert list(_found(_texts("company_rib", "bank", "number", "iban_prefix"))) == ["bank", "number", "iban_prefix"]
    assert _found(_texts("company_car", "number")) == {}


def test_what_lets_somebody_in_is_known_by_its_table_in_the_plural() -> None:
    assert list(_found(_texts("oauth_grants", "token"))) == ["token"]
    assert _found(_texts("paging", "token")) == {}


def test_an_engines_own_type_tells_addresses_of_the_network() -> None:
    address = Column("created_from", K.OTHER, "inet")
    found = classify(TableSchema("orders", (address,), key=()), {})
    assert [(it.category, it.reasons) for it in found] == [("user.device.ip_address", ("its type says so",))]
    assert classify(TableSchema("subnet", (address, Column("netmask", K.TEXT, "")), key=()), {}) == []


def test_three_letters_hold_no_address() -> None:
    told = TableSchema("patients", (Column("may_mail", K.TEXT, "varchar", length=3),), key=())
    assert classify(told, {}) == []


def test_weight_is_of_a_body_where_a_birth_date_is_beside_it() -> None:
    assert "weight" in _found(_table("students", birth_date=K.DATE, weight=K.NUMBER))
    assert _found(_table("members", weight=K.NUMBER)) == {}


def test_what_somebody_wrote_is_told_from_what_a_machine_says() -> None:
    assert _found(_texts("product_comment", "text")) == {"text": "user.content"}
    assert _found(_texts("label", "text")) == {}
    assert _found(_texts("job_log", "error_message", "status_message", "response_body")) == {}


def test_an_address_of_a_machine_is_nobodys() -> None:
    assert _found(_texts("member", "address", "subnet", "protocol_port")) == {}
    assert _found(_texts("member", "address", "city")) == {
        "address": "user.contact.address.street",
        "city": "user.contact.address.city",
    }


def test_the_prefix_of_a_name_makes_no_network_of_an_address() -> None:
    found = _found(_texts("invoice_address", "prefix", "name", "company", "street", "city", "postal_code"))
    assert {"company", "street", "city", "postal_code"} <= found.keys()


def test_a_card_of_a_product_is_nobodys() -> None:
    assert _found(_texts("products", "card_type", "portable")) == {}
    assert _found(_texts("payments", "card_type")) == {"card_type": "user.financial.credit_card"}


def test_digits_of_a_random_identifier_are_no_card() -> None:
    table = _texts("visit", "token")
    for token in ("50861509e2d364204752669455b9f5", "d3642047526694550b9f50ab", "ab4111111111111111cdef5e6f7a8b9c"):
        assert _found(table, token=[token, "048b05af6ce28ee68ac95033f333ab9b"]) == {}, token
    for card in ("4111111111111111", "B4111111111111111", "4111111111111111D25121011234", "face-4111-1111-1111-1111"):
        assert _found(table, token=[card, "a1"]) == {"token": "user.financial.credit_card"}, card


def test_where_somebody_is_stands_in_a_table_of_places_too() -> None:
    assert list(_found(_table("user_locations", latitude=K.NUMBER))) == ["latitude"]
    assert _found(_table("locations", latitude=K.NUMBER)) == {}


def test_the_name_of_a_row_is_not_cut_off_its_columns() -> None:
    assert _found(_texts("email_domains", "email_domain")) == {}


def test_a_key_opens_doors_only_where_somebody_comes_in() -> None:
    assert _found(_texts("api_token", "key")) == {"key": "user.authorization.credentials"}
    assert _found(_texts("translation", "key", "value")) == {}


def test_parts_of_an_address_need_company() -> None:
    parts = ("street", "city", "postal_code", "state", "country")
    assert len(_found(_texts("delivery", *parts))) == 5
    assert _found(_texts("flag", "state")) == {}
    assert _found(_texts("weather", "city", "degrees")) == {}
    assert len(_found(_texts("invoice", "BillingAddress", "BillingCity", "BillingState"))) == 3


def test_a_name_is_personal_where_rows_are_people() -> None:
    assert _found(_texts("customers", "name")) == {"name": "user.name"}
    assert _found(_texts("contact_us", "name", "email")) == {"name": "user.name", "email": "user.contact.email"}
    for thing in ("album", "genre", "playlist", "product", "MediaType", "artist", "companies", "countries"):
        assert _found(_texts(thing, "name", "title")) == {}, thing
    assert _found(_texts("employee", "product_name", "file_name", "host_name")) == {}


def test_what_comes_last_says_what_a_column_is() -> None:
    columns = {
        "email_verified": K.BOOLEAN,
        "share_birthday": K.INTEGER,
        "email_count": K.INTEGER,
        "phone_type": K.TEXT,
        "address_id": K.INTEGER,
        "birth_certificate_seen": K.BOOLEAN,
        "last_name_changed_at": K.DATETIME,
        "city_tax": K.NUMBER,
    }
    assert _found(_table("customer", id=K.INTEGER, **columns)) == {}


def test_words_are_cut_only_where_all_of_them_are_known() -> None:
    assert rules().words("postalcode") == ("postal", "code")
    assert rules().words("kundenname") == ("customer", "name")
    for word in ("message", "percentage", "coverage", "storage"):
        assert rules().words(word) == (word,)


def test_birth_dates_are_told_from_other_dates() -> None:
    table = _table("employee", id=K.INTEGER, BirthDate=K.DATE, HireDate=K.DATE, UpdatedAt=K.DATETIME, born=K.INTEGER)
    assert _found(table, BirthDate=[dt.date(1962, 2, 18)] * 6, born=[1962] * 6) == {
        "BirthDate": "user.demographic.date_of_birth",
        "HireDate": "user.workplace",
        "born": "user.demographic.date_of_birth",
    }


def test_a_job_title_is_one_only_among_staff() -> None:
    assert _found(_texts("employee", "title")) == {"title": "user.job_title"}
    assert _found(_texts("album", "title")) == {}


def test_keys_and_references_are_no_findings() -> None:
    columns = (Column("phone", K.INTEGER, "int"), Column("email", K.INTEGER, "int"))
    table = TableSchema("customer", columns, key=("phone",), foreign_keys=(ForeignKey(("email",), "email", ("id",)),))
    assert _found(table) == {}


@each_row(
    ("category", "values"),
    [
        ("user.contact.email", [f"ann{n}@example.org" for n in range(6)]),
        ("user.contact.phone_number", [f"+44 20 7946 09{n:02}" for n in range(6)]),
        ("user.contact.phone_number", [f"020 7946 09{n:02}" for n in range(6)]),
        ("user.device.ip_address", [f"198.51.100.{n}" for n in range(6)]),
        ("user.device.ip_address", [f"2001:db8::{n}" for n in range(6)]),
        ("user.financial.bank_account", ["GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000"] * 3),
        ("user.financial.credit_card", ["4111 1111 1111 1111", "5500005555555559", "340000000000009"] * 2),
        ("user.government_id.national_identification_number", [f"AB 12 34 5{n} C" for n in range(6)]),
        ("user.device.device_id", [f"00:00:5e:00:53:0{n}" for n in range(6)]),
        ("user.name", ["Ann Archer", "Ben van Brown", "Chloé Cole", "Thomas Miller", "Maria Silva"]),
    ],
)
def test_values_speak_where_a_name_does_not(category: str, values: list[Scalar]) -> None:
    assert _found(_texts("t", "x"), x=values) == {"x": category}


@each_row(
    "values",
    [
        [f"ORD-2026-{n:06}" for n in range(9)],
        [f"4915112345{n:03}" for n in range(9)],  # plain digits
        [f"1.{n}.0" for n in range(9)],
        ["4111 1111 1111 1112"] * 9,
        ["GB28 NWBK 6016 1331 9268 19"] * 9,
        ["2026-01-02 03:04:05"] * 9,
        ["Let There Be Rock", "For Those About To Rock", "Balls to the Wall", "Big Ones", "Jagged Little Pill"],
        ["d41d8cd98f00b204e9800998ecf8427e"] * 9,
        ["6f1c2d3e-0000-4000-8000-00000000beef"] * 9,
        ["12227-000", "00192", "0171", "1010 AB", "LS1 4AB"],
        ["user @ host", "a@b", "@ann", "5 @ 3.99"],
        [f"<7da7118b67768fbe88e3883b4c662c{n:02}@example.org>" for n in range(9)],  # identifiers of messages
        ["$1,234.56", "0.99", "1.99"] * 3,
    ],
)
def test_values_that_only_look_alike_are_left(values: list[Scalar]) -> None:
    assert _found(_texts("t", "x"), x=values) == {}


def test_values_overrule_a_name() -> None:
    table = _texts("settings", "email", "phone")
    assert _found(table, email=["yes", "no"] * 5, phone=["enabled"] * 10) == {}
    assert _found(table, email=["yes"]) == {"email": "user.contact.email", "phone": "user.contact.phone_number"}


def test_one_number_in_a_note_is_enough() -> None:
    notes = ["all fine", "ring +44 20 7946 0958 after six", "ann@example.org asked again", "x"]
    found = {(it.column, it.category) for it in classify(_texts("order", "remark_2"), {"remark_2": notes})}
    assert {("remark_2", "user.contact.phone_number"), ("remark_2", "user.contact.email")} <= found
    assert ("remark_2", "user.content") in found


def test_one_of_a_few_that_machines_write_is_no_sign_of_a_person() -> None:
    notes = ["started", "host 198.51.100.7 answered", "done", "stopped"]
    assert _found(_texts("job", "outcome"), outcome=notes) == {}


def test_what_stands_inside_is_told_from_what_a_value_is() -> None:
    inside = classify(_texts("t", "x"), {"x": ["ask ann@example.org today", "no", "yes", "no", "no"]})
    whole = classify(_texts("t", "x"), {"x": [f"ann{n}@example.org" for n in range(5)]})
    assert [(it.category, it.inside) for it in (*inside, *whole)] == [
        ("user.contact.email", True),
        ("user.contact.email", False),
    ]


def test_a_comment_helps_a_terse_name() -> None:
    columns = (Column("c7", K.TEXT, "text", comment="Date of birth"), Column("c8", K.TEXT, "text", comment="x" * 999))
    assert _found(TableSchema("t", columns)) == {"c7": "user.demographic.date_of_birth"}


def test_reasons_hold_no_value() -> None:
    samples = {"email": ["ann@example.org"] * 6, "x": ["ben@example.org"] * 6}
    findings = classify(_texts("customer", "email", "x"), samples)
    assert len(findings) == 2
    assert "example.org" not in repr(findings)


HOSTILE = [
    "a@" * 500_000,
    "+4" * 500_000,
    "1 " * 500_000,
    "(" * 1_000_000,
    "\x00\u202e" * 99,
    "A " * 500_000,
    "ö" * 999,
]


def test_hostile_values_and_names_cost_no_more() -> None:
    begin = time.process_time()
    classify(_texts("t", "x"), {"x": HOSTILE * 100})
    classify(_texts("x" * 1_000_000, "emailaddress" * 100_000), {})
    assert time.process_time() - begin < 5


@given(
    st.text(max_size=40), st.text(max_size=40), st.lists(st.one_of(st.none(), st.text(), st.binary(), st.integers()))
)
def test_the_same_input_gives_the_same_findings(name: str, column: str, values: list[Scalar]) -> None:
    table = TableSchema(name, (Column(column, K.TEXT, "text"),))
    found = classify(table, {column: values})
    assert found == classify(table, {column: values})
    assert all(0.5 <= finding.score <= 1 for finding in found)


def test_people_who_share_a_value_are_people() -> None:
    values = ["Ann Archer, Ben Brown", "Chloe Cole", "Ben Brown / Chloe Cole", "Ann Archer"] * 3
    table = TableSchema("track", (Column("composer", ColumnKind.TEXT, "text"),), ())
    assert [it.category for it in classify(table, {"composer": values})] == ["user.name"]
