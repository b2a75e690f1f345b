"""The page and the letter of a package: every fact of Art. 15 is there, and nothing gets out of its cell."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from tests.rig.packages import read_package
from tests.scale import scaled
from tests.service.requests.packages import (
    ANN,
    DECLARED,
    INVOICE,
    LOGINS,
    MADE,
    MESSAGES,
    as_json,
    contents,
    unzipped,
)
from tests.tables import each_row

from troth.declaration import Basis, Declaration, parse
from troth.service.requests.models import RIGHTS
from troth.service.requests.package import Contents, Shared, TableContents, build
from troth.service.requests.package.cells import printable
from troth.service.requests.package.covering_letter import letter
from troth.service.requests.package.facts import PackageFacts, facts_of
from troth.service.requests.package.html_page import ROWS_SHOWN_MAX, page
from troth.service.requests.package.portability import OmittedColumns, PortabilityReason, portable

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><h1>",
    "{{ settings }}{% load i18n %}",
    "%(name)s %s {0}",
    '#panic("out") $x$ *b* _i_ `r` = h @ref <l> // c /* c */ \\u{41} #sys.inputs #read("/etc/passwd")',
    "a\x00b\x1b[31m\x07",
    "safe\u202egpj.exe\u2066\u2069\u200f",
    "half \ud800 \udfff \ufffe",
    "中文 עברית 😀 \ufeff\u200b",
    "x" * 1_000_000,
    "=cmd|' /C calc'!A0",
    "line\r\nbreak\u2028\u2029",
)


def text_of(html: bytes) -> str:
    body = LexborHTMLParser(html.decode()).body
    assert body is not None
    return " ".join(body.text(separator=" ").split())


def section(html: bytes, name: str) -> str:
    found = LexborHTMLParser(html.decode()).css_first(f'section[aria-labelledby="{name}"]')
    assert found is not None, name
    return " ".join(found.text(separator=" ").split())


def index(**other: Any) -> bytes:
    return unzipped(build(contents(**other)))["index.html"]


# --- what the person is told -----------------------------------------------------------------------------------------


@each_row(
    ("name", "law", "said"),
    [
        ("held", "Art. 15(1), 15(3)", ["The shop", "Purchases 24 records", "Tea no. 24", "3 February 1990", "0.250"]),
        (
            "why",
            "Art. 15(1)(a)",
            [
                "To run your account",
                "our contract with you",
                "to keep accounts safe",
                "(Art. 6(1)(f))",
                "Do what the law",
            ],
        ),
        ("kinds", "Art. 15(1)(b)", ["E-mail address", "Date of birth", "IP address"]),
        (
            "who",
            "Art. 15(1)(c)",
            [
                "Example Hosting GmbH , Germany: works for us",
                "Privacy notice of Example Post Inc",
                "25 October 2026, 09:41 UTC: Example Post Inc, E-mail address (To send the newsletter)",
                "23 November 2026, 09:41 UTC: Support (To answer you)",
            ],
        ),
        ("abroad", "Art. 15(2)", ["Example Post Inc , the United States.", "the UK–US data bridge", "found adequate"]),
        (
            "long",
            "Art. 15(1)(d)",
            [
                "Customer : 3 years.",
                "stays for 6 years: tax law has us keep invoices (VATA 1994 Sch 11 para 6)",
                "No fixed period: as long as we need it for this: To answer you",
            ],
        ),
        (
            "rights",
            "Art. 15(1)(e)",
            ["Correct it", "Delete it", "Pause its use", "Object", "Take it with you", "Withdraw", "dpo@example.org"],
        ),
        ("complain", "Art. 15(1)(f)", ["https://example.org/your-data/complain/", "ICO", "go to court"]),
        (
            "from",
            "Art. 15(1)(g)",
            ["Forms of ours ask for it (Register):", "It arose when you used", "We worked it out"],
        ),
        ("automated", "Art. 15(1)(h)", ["does not say whether a computer alone decides about people"]),
        ("missing", "15(4)", ["Payroll : the answer is still being prepared", "2 values about somebody else"]),
    ],
)
def test_every_fact_of_the_law_can_be_found(name: str, law: str, said: list[str]) -> None:
    words = section(index(), name)
    assert law in words
    for each in said:
        assert each in words, each


SOURCES = """
notice:
  sources:
    desk: {title: people who write to the desk, data: [user.content.private]}
    use: {title: your use of the shop, data: [user.behavior, user.device]}
"""


def test_the_source_that_the_notice_names_is_told() -> None:
    html = index(declaration=parse(DECLARED + SOURCES), parts=(LOGINS, MESSAGES))
    words = section(html, "from")
    assert "By our records, from here (people who write to the desk): Private messages and files" in words
    assert "By our records, from here (your use of the shop): Behaviour" in words
    assert "name no source: you, others who dealt with us, or we ourselves: E-mail address" in words


def test_an_empty_column_is_no_kind_of_data_and_came_from_nowhere() -> None:
    row = (5, "ann@example.org", None, None, "")
    html = index(parts=(TableContents(ANN.place, ANN.columns, ANN.categories, (row,)),), shared=())
    for name in ("kinds", "from", "why", "who"):
        assert "Date of birth" not in section(html, name), name
        assert "Name" not in section(html, name), name
    assert "E-mail address" in section(html, "kinds")


def test_what_is_withheld_is_no_kind_of_data_of_the_person() -> None:
    other = TableContents(MESSAGES.place, MESSAGES.columns, MESSAGES.categories, MESSAGES.rows[1:], 2)
    assert "Private messages" not in section(index(parts=(other,)), "kinds")


def test_a_use_that_was_stopped_is_not_said_to_be_agreed_to() -> None:
    agreed, stopped = "you agreed to it", "it rested on your consent (GDPR Art. 6(1)(a)), and a stop is recorded"
    assert agreed in section(index(), "why")
    for html in (index(stopped=("newsletter",)), index(stopped=("",)), index(declaration=MARKED, parts=(ANN,))):
        assert agreed not in section(html, "why")
        assert stopped in section(html, "why")
    nobody = TableContents(ANN.place, ANN.columns, ANN.categories, ((*ANN.rows[0][:3], None, None),))
    assert agreed in section(index(declaration=MARKED, parts=(nobody,)), "why")


MARKED = parse(
    DECLARED.replace(
        "        erase: delete\n      order_line",
        "        marks: {newsletter: {column: born, value: now}}\n        erase: delete\n      order_line",
    )
)


def test_a_system_in_which_the_person_cannot_be_found_is_not_said_to_hold_nothing() -> None:
    words = section(index(parts=(), shared=(), looks=(), unanswered={}, kinds=("phone",)), "held")
    assert "found nothing under what you gave us: Payroll." in words


CALLS = """
  calls:
    title: The calls
    store: files:calls
    tables:
      turn:
        key: id
        belongs_to: {customer_id: shop.customer.id}
        mentions: {phone: {column: phone, shared: review}}
        fields: {phone: user.contact.phone_number}
        erase: delete
purposes:
"""


def test_what_is_found_by_other_identifiers_alone_is_said_to_be_unsearched() -> None:
    declaration = parse(DECLARED.replace("\npurposes:\n", CALLS))
    page = index(declaration=declaration, kinds=("email",), unanswered={})
    assert "The calls" not in section(page, "held")
    said = section(page, "missing")
    assert "These cannot be searched by what you gave us" in said
    assert "The calls : it is searched by: Telephone number" in said
    assert "cannot be searched" not in section(index(declaration=declaration, kinds=("phone", "email")), "missing")


def test_rows_that_belong_to_others_stay_as_long_as_those() -> None:
    said = section(index(), "long")
    assert "The shop , Purchases : Together with this: The shop: Customer. That stays for: 3 years." in said


def test_a_copy_that_withholds_something_does_not_say_that_nothing_is_left_out() -> None:
    rests = by_contract("support")
    parts = (MESSAGES,)
    said = text_of(index(declaration=rests, right="port", parts=parts, unanswered={}))
    assert "2 values about somebody else are withheld" in said
    assert "Nothing is left out" not in said
    assert "2 values of fields about somebody else are withheld (Art. 15(4)). What people wrote is shown as" in said


def test_the_copy_says_what_it_does_not_hold() -> None:
    words = section(index(), "missing")
    assert "Columns that it leaves out are not in this file" in words
    assert "what we keep of your requests to us" in words


def test_who_receives_nothing_of_what_is_held_is_not_named() -> None:
    assert "Example Health" not in text_of(index())


def test_a_notice_to_a_recipient_has_its_purpose_in_words() -> None:
    told = Shared("post", ("user.contact.email", "user.name"), "subject_request", MADE)
    words = section(index(shared=(told,)), "who")
    assert "Example Post Inc, E-mail address and Name (to answer a request of yours)" in words


def test_where_nothing_was_found_the_page_says_where_we_looked() -> None:
    package = build(contents(parts=(), shared=(), looks=(), unanswered={}))
    words = text_of(unzipped(package)["index.html"])
    assert "found no personal data under what you gave us" in words
    assert "found nothing under what you gave us: Payroll, The shop and The support desk" in words
    assert "Each system that we looked into or asked has answered." in words
    assert read_package(package).parts == ()


def test_a_copy_that_is_not_complete_says_so_first() -> None:
    said = "This copy is not complete"
    assert said in text_of(index())[:500]
    assert said not in text_of(index(unanswered={}))


def test_a_system_that_names_no_purpose_may_be_used_for_any() -> None:
    declaration = parse(DECLARED.replace("purposes: [support]\n    tables", "tables"))
    assert "The support desk" in section(index(declaration=declaration, parts=(MESSAGES,)), "why")


def test_a_use_of_profiles_is_named_beside_automated_decisions() -> None:
    declaration = parse(DECLARED.replace("use: essential.service.security", "use: essential.fraud_detection"))
    assert "To keep strangers out" in section(index(declaration=declaration), "automated")


def test_a_transfer_without_a_safeguard_is_not_called_safe() -> None:
    declaration = parse(DECLARED.replace("safeguard: uk_bridge", "contact: post@example.org"))
    assert "our records name no safeguard" in section(index(declaration=declaration), "abroad")
    within = parse(DECLARED.replace("country: GB", "country: FR"))
    assert "European Economic Area" in section(index(declaration=within), "abroad")


def test_long_tables_and_texts_are_cut_on_the_page_and_whole_in_the_files() -> None:
    rows = tuple((at, "y" * 5_000) for at in range(ROWS_SHOWN_MAX + 3))
    package = build(contents(parts=(TableContents("shop.note", ("id", "text"), (None, "user.content"), rows),)))
    words = section(unzipped(package)["index.html"], "held")
    assert "3 more records are in the files" in words
    assert "(3,000 more characters in the files)" in words
    assert len(read_package(package).parts[0].rows) == ROWS_SHOWN_MAX + 3


def test_every_kind_of_value_reads_well() -> None:
    row = (
        None,
        True,
        b"\x00" * 1234,
        MADE.replace(tzinfo=None),
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        Decimal("-1"),
    )
    part = TableContents("shop.odd", tuple("abcdef"), (None,) * 6, (row,))
    words = section(index(parts=(part,)), "held")
    for each in ("— empty", "yes", "1,234 bytes", "24 November 2026, 09:41:07", "1 January 0001", "-1"):
        assert each in words, each


def test_a_moment_in_a_text_and_a_country_read_well_and_are_whole_in_the_files() -> None:
    row = ("2026-10-24 14:58:46.022236", "GB", "2026-99-24 14:58:46", "GB")
    part = TableContents("shop.odd", tuple("abcd"), (None, "user.contact.address.country", None, None), (row,))
    package = build(contents(parts=(part,)))
    words = section(unzipped(package)["index.html"], "held")
    assert "24 October 2026, 14:58:46" in words
    assert ".022236" not in words
    assert "the United Kingdom" in words
    assert "2026-99-24 14:58:46" in words
    assert read_package(package).parts == (part,)


def test_bytes_are_files_that_can_be_opened_and_never_run() -> None:
    png, html = b"\x89PNG\r\n\x1a\n" + bytes(9), b"<script>alert(1)</script>"
    rows = ((1, "cat.png", png), (2, "evil.html", html), (3, "empty", b""))
    part = TableContents("desk.attachment", ("id", "filename", "content"), (None, "user.content", "user.content"), rows)
    package = build(contents(parts=(part,)))
    files = unzipped(package)
    assert files["files/desk.attachment-1-3.png"] == png
    assert files["files/desk.attachment-2-3.bin"] == html
    assert sum(name.startswith("files/") for name in files) == 2
    assert 'href="files/desk.attachment-1-3.png"' in files["index.html"].decode()
    assert b'3,"empty",""' in files["data/desk.attachment.csv"]
    assert b'1,"cat.png","files/desk.attachment-1-3.png"' in files["data/desk.attachment.csv"]
    assert read_package(package).parts == (part,)


ASKED = """
  crm:
    title: The address book
    store: https://crm.example.org/requests
    purposes: [account]
    asked: {answers: [view], secret: "${CRM_SECRET}", holds: {mail: user.contact.email}}
  vault:
    title: The vault
    store: https://vault.example.org/requests
    asked: {answers: [erase], secret: "${VAULT_SECRET}"}
purposes:
"""


def test_a_system_that_answers_for_itself_is_told_of_like_any_other() -> None:
    declaration = parse(DECLARED.replace("\npurposes:\n", ASKED, 1))
    answer: tuple[Any, ...] = ("ann@example.org", ["tea", {"sugar": 1}])
    part = TableContents("crm.person", ("mail", "likes"), (None, None), (answer,))
    package = build(contents(declaration=declaration, parts=(part,)))
    (read,) = read_package(package).parts
    assert read.categories == ("user.contact.email", None)
    assert read.rows == (("ann@example.org", '["tea", {"sugar": 1}]'),)
    html = unzipped(package)["index.html"]
    assert "The address book" in section(html, "why")
    assert "E-mail address" in section(html, "kinds")
    assert "The vault : it does not answer such requests by itself" in section(html, "missing")
    assert "The vault" not in section(html, "held")
    taken, _ = portable(declaration, (read,))
    assert taken[0].columns == ("mail", "likes")


def test_a_table_that_says_of_no_column_what_it_is_goes_along_by_its_systems_purposes() -> None:
    declaration = parse(DECLARED)
    shop, desk = (TableContents(place, ("a",), (None,), ((1,),)) for place in ("shop.odd", "desk.odd"))
    assert portable(declaration, (shop, desk)) == (
        (shop,),
        (OmittedColumns("desk.odd", ("a",), PortabilityReason.BASIS),),
    )


def test_what_somebody_found_goes_along_as_a_file() -> None:
    package = build(contents(parts=(), uploads={"payroll": b"%PDF-1.7 Ann"}, unanswered={}))
    files = unzipped(package)
    assert files["uploads/payroll.pdf"] == b"%PDF-1.7 Ann"
    words = section(files["index.html"], "held")
    assert "Payroll Somebody looked there for you" in words
    assert "found nothing under what you gave us: The shop and The support desk" in words
    assert "Yes, we use personal data about you" in text_of(files["index.html"])
    read_package(package)


def test_every_right_leads_to_its_page() -> None:
    declaration = contents().declaration
    facts = facts_of(contents())
    assert len(facts.rights) == 7
    for right in facts.rights:
        assert right.page.startswith("https://example.org/your-data/")
        assert resolve(urlsplit(right.page).path).url_name == "centre-right"
        assert right.page.split("/")[-2] in RIGHTS
    assert resolve(urlsplit(facts.complain).path).url_name == "centre-complain"
    assert resolve(urlsplit(facts.centre).path).url_name == "centre"
    nowhere = facts_of(contents(site="javascript:alert(1)", declaration=declaration))
    assert (nowhere.centre, nowhere.complain, {right.page for right in nowhere.rights}) == ("", "", {""})


def test_the_language_is_the_persons_and_the_companys_words_keep_theirs() -> None:
    html = index(language="de-AT")
    assert b'<html lang="de">' in html
    assert b'<h3 lang="en">The shop</h3>' in html
    assert "3. Februar 1990" in text_of(html)
    assert b'<html lang="en">' in index(language="xx")


# --- hostile values --------------------------------------------------------------------------------------------------


def hostile(text: str) -> Contents:
    """Contents that hold *text* wherever a text from outside may stand; as a value of a table the whole of it."""
    whole, text = text, text[:5_000]
    declaration = parse(DECLARED)
    organisation = declaration.organisation.model_copy(update={"name": text, "address": text, "regulator": text})
    system = declaration.systems["shop"].model_copy(update={"title": text})
    purpose = declaration.purposes["security"].model_copy(update={"title": text, "interests": text})
    recipient = declaration.recipients["post"].model_copy(update={"title": text, "safeguard": text, "notice": text})
    declaration = declaration.model_copy(
        update={
            "organisation": organisation,
            "systems": {**declaration.systems, "shop": system},
            "purposes": {**declaration.purposes, "security": purpose},
            "recipients": {**declaration.recipients, "post": recipient},
        }
    )
    return contents(
        declaration=declaration,
        parts=(
            TableContents(
                f"shop.{text[:500]}",
                ("id", text[:500]),
                (None, text[:500]),
                ((whole, text), (whole.encode("utf-8", "replace"), text)),
            ),
            ANN,
        ),
        shared=(Shared(text, (text,), text, MADE),),
        looks=((MADE, text, text),),
        unanswered={text: text},
        site=text,
        reference=text[:100],
        receipt={"proof": printable(text), "verifier": printable(text), "odd": MADE},
    )


@each_row("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_gets_out_of_its_place(text: str) -> None:
    package = build(hostile(text))
    files = unzipped(package)
    assert read_package(package).parts[0].rows[0][0] == text
    usual = LexborHTMLParser(index().decode())
    html = LexborHTMLParser(files["index.html"].decode())
    for tag in ("script", "img", "iframe", "object", "link", "form", "base"):
        assert html.css_first(tag) is None, tag
    for once in ("style", "title", "h1", "meta[http-equiv]", "main", "body"):
        assert len(html.css(once)) == len(usual.css(once)), once
    assert not re.search(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", html.body.text() if html.body else ""
    )
    for node in html.css("[href], [src]"):
        assert re.match(
            r"#[a-z]+$|(https://|data/|files/|uploads/)[\w./~-]+$|[a-z]+\.(json|pdf|tlog-proof)$",
            node.attributes["href"] or "",
        )
    assert all(not name.startswith("on") for node in html.css("*") for name in node.attributes)
    assert files["letter.pdf"].startswith(b"%PDF")


def test_markup_in_a_text_is_text_in_the_letter() -> None:
    """Typst would panic, read a file or make a heading of it, if it read it as markup."""
    said = hostile(HOSTILE[5])
    assert outline_of(said) == outline_of(hostile("plain")) == [1, 10, 0, 0, 0]


def outline_of(said: Contents) -> list[int]:
    """How many of each part of the structure the letter of *said* has: what markup could add to."""
    pdf = letter(said, facts_of(said))
    return [pdf.count(f"/S/{tag}/".encode()) for tag in ("H1", "H2", "Figure", "Formula", "Code")]


@given(st.text(max_size=40))
@settings(max_examples=scaled(6, 25), suppress_health_check=[HealthCheck.too_slow])
def test_any_text_can_stand_in_page_and_letter(text: str) -> None:
    said = hostile(text)
    facts = facts_of(said)
    page(said, facts).decode()
    assert letter(said, facts).startswith(b"%PDF")


# --- the letter ------------------------------------------------------------------------------------------------------


def test_the_letter_is_a_tagged_pdf_in_the_persons_language() -> None:
    pdf = unzipped(build(contents(language="fr")))["letter.pdf"]
    assert b"/Lang(fr)" in pdf
    assert b"/MarkInfo<</Marked true" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert b'<rdf:li xml:lang="x-default">Vos donn\xc3\xa9es chez Example Ltd</rdf:li>' in pdf
    assert b"/CreationDate(D:20261124094107Z)" in pdf


def test_letters_are_made_by_many_threads_at_once() -> None:
    said = contents()
    facts: PackageFacts = facts_of(said)
    expected, found = letter(said, facts), list[bool]()
    workers = [threading.Thread(target=lambda: found.append(letter(said, facts) == expected)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [True] * 6


# --- to take along ---------------------------------------------------------------------------------------------------


def test_only_what_the_person_provided_for_a_consent_or_a_contract_is_taken_along() -> None:
    taken, left = portable(contents().declaration, contents().parts)
    assert [(part.place, part.columns) for part in taken] == [
        ("shop.customer", ("id", "email", "name", "born")),
        ("shop.order_line", ("order_id", "line", "product", "paid")),
        ("shop.invoice", ("id", "billed_name")),
    ]
    assert taken[0].rows == ((5, "ann@example.org", "Ann Example", dt.date(1990, 2, 3)),)
    assert left == (
        OmittedColumns("shop.customer", ("score",), PortabilityReason.SOURCE),
        OmittedColumns("shop.login", ("ip", "at"), PortabilityReason.BASIS),
        OmittedColumns("desk.message", ("author_email", "body"), PortabilityReason.BASIS),
    )


def test_a_basis_in_law_alone_is_not_portable() -> None:
    declaration = parse(DECLARED.replace("purposes: [account, order, tax, security, newsletter]", "purposes: [tax]"))
    taken, left = portable(declaration, (INVOICE,))
    assert taken == ()
    assert left == (OmittedColumns("shop.invoice", ("billed_name",), PortabilityReason.BASIS),)


def by_contract(purpose: str) -> Declaration:
    """The declaration with one purpose that rests on a contract instead."""
    declaration = parse(DECLARED)
    other = declaration.purposes[purpose].model_copy(update={"basis": Basis.CONTRACT})
    return declaration.model_copy(update={"purposes": {**declaration.purposes, purpose: other}})


def test_observed_data_are_taken_along_where_the_basis_fits() -> None:
    assert portable(by_contract("security"), (LOGINS,)) == ((LOGINS,), ())


def test_withheld_values_are_counted_among_what_is_taken_along() -> None:
    declaration = by_contract("support")
    only_body = declaration.purposes["support"].model_copy(update={"data": ("user.content.private",)})
    declaration = declaration.model_copy(update={"purposes": {**declaration.purposes, "support": only_body}})
    (taken,), _ = portable(declaration, (MESSAGES,))
    assert (taken.columns, taken.withheld) == (("id", "body"), 1)


def test_a_portable_package_says_what_is_left_out_and_reads_back() -> None:
    package = build(contents(right="port"))
    words = section(unzipped(package)["index.html"], "left")
    assert "Customer: Profile: you did not provide it" in words
    assert "Login: IP address, Behaviour: we use it neither with your consent nor for a contract" in words
    read = read_package(package)
    assert (read.right, [part.place for part in read.parts]) == (
        "port", ["shop.customer", "shop.order_line", "shop.invoice"],
    )  # fmt: skip
    assert "score" not in unzipped(package)["data.json"].decode()


def test_what_is_left_out_was_found_all_the_same() -> None:
    words = section(index(right="port", unanswered={}), "held")
    assert "found nothing under what you gave us: Payroll." in words
    assert "The support desk" not in words


def test_where_nothing_may_be_taken_along_the_package_says_so() -> None:
    made = contents(right="port", parts=(MESSAGES,), unanswered={})
    words = text_of(unzipped(build(made))["index.html"])
    assert "None of it falls under the right to take data with you." in words
    assert "in a form that computers read. You may" not in words
    assert "The support desk, Message: E-mail address" in words
    nothing = text_of(index(right="port", parts=(), unanswered={}))
    assert "We looked, and found no personal data under what you gave us." in nothing


# --- the receipt, the whole ------------------------------------------------------------------------------------------


def test_the_receipt_goes_along_with_its_proof() -> None:
    proof = "c2sp.org/tlog-proof@v1\nindex 7\n"
    package = build(contents(receipt={"proof": proof, "verifier": "example+00+key", "at": MADE, "leaf": 7}))
    files = unzipped(package)
    assert files["receipt.tlog-proof"].decode() == proof
    assert json.loads(files["receipt.json"])["leaf"] == 7
    assert "verify_troth_ledger.py receipt receipt.tlog-proof --key" in section(files["index.html"], "files")
    read_package(package)
    assert "receipt.json" not in unzipped(build(contents()))


def test_parts_of_one_system_stand_together() -> None:
    package = build(contents(parts=(ANN, MESSAGES, LOGINS)))
    assert [part.place for part in read_package(package).parts] == ["shop.customer", "shop.login", "desk.message"]


def test_a_usual_package_is_made_at_once() -> None:
    build(contents())
    begun = time.process_time()
    for again in range(5):
        build(contents(reference=f"R-2026-{again:04}"))
    assert (time.process_time() - begun) / 5 < 0.150
    assert as_json(build(contents()), "manifest.json")["counts"]["rows"] == 30


def test_amounts_have_their_currency_where_it_is_declared() -> None:
    bought = "user.behavior.purchase_history"
    priced = parse(DECLARED.replace(f"paid: {bought}", f"paid: {{category: {bought}, unit: EUR}}"))
    rows = ((7, Decimal("1234.50")), (8, None))
    lines = TableContents("shop.order_line", ("order_id", "paid"), (None, bought), rows)
    assert "1.234,50 EUR" in text_of(index(declaration=priced, parts=(lines,), language="de"))
    assert "1234,50" in text_of(index(parts=(lines,), language="de"))


def test_columns_of_one_kind_are_told_apart() -> None:
    words = section(
        index(parts=(TableContents("shop.x", ("a", "b"), ("user.name", "user.name"), (("Ann", "Ben"),)),)), "held"
    )
    assert "Name (1)" in words
    assert "Name (2)" in words


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ("none", "names no decision about people that a computer takes alone"),
        (
            "{limit: {title: Limit, logic: what you bought, effect: less credit}}",
            "Limit: what you bought; less credit",
        ),
    ],
)
def test_decisions_by_a_computer_alone_are_told_as_declared(decisions: str, said: str) -> None:
    declaration = parse(f"{DECLARED}notice: {{decisions: {decisions}}}\n")
    assert said in section(index(declaration=declaration), "automated")


def test_the_manifest_says_what_tables_and_columns_are_called() -> None:
    [customer, *_] = as_json(build(contents(language="de")), "manifest.json")["tables"]
    assert (customer["place"], customer["columns"]["email"]) == ("shop.customer", "E-Mail-Adresse")
