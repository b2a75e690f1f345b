"""What people read: in their language, without a key, a column, a code, or an English sentence among others."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation
from selectolax.lexbor import LexborHTMLParser
from tests.rig.jobs import run_due
from tests.service.requests.conftest import Office
from tests.service.test_mail_kinds import every, written
from tests.tables import each_row
from tools import messages

from troth.declaration import Declaration, Period, in_language, load, parse
from troth.policy.render import render
from troth.service.cases import actions as case_actions
from troth.service.cases import case_links, labels, lifecycle
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK, STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel, Right
from troth.service.complaints import actions
from troth.service.complaints import actions as appeals
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import sequence
from troth.service.mail.message_kinds import kinds
from troth.service.networks import Networks
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import RIGHTS
from troth.service.requests.responses import outcome
from troth.service.requests.responses.receipt_sentences import done

SHOP = """
create table kunde_tbl (kd_nr integer primary key, eml_addr text, nm text, tel_priv text, gesperrt text, werbung text);
create table rg_x1 (rg_nr integer primary key, kd_nr integer, adr text, netto_ct integer, ausgest_am text);
create table login (lfd integer primary key, kd_nr integer, ip_adr text, am_um text);
"""
ROWS = """
insert into kunde_tbl values ({0}, '{1}', 'Ann', '+44 1632 960001', null, 'yes');
insert into rg_x1 values ({0}, {0}, '1 High Street', 123456, '2025-03-01');
insert into login values ({0}, {0}, '192.0.2.1', '2026-01-01T10:00:00');
"""
DECLARED = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  take_orders: {basis: contract, use: essential.service, data: [user]}
  send_news: {title: {en: The newsletter, de: Der Newsletter, fr: La lettre, es: El boletín}, basis: consent,
              use: marketing.communications.email, data: [user.contact.email]}
recipients:
  post_uk: {title: Example Post Ltd, role: processor, country: GB, receives: [user.contact.email],
            contract: post.pdf, contract_until: 2030-01-01, contact: privacy@post.example.org}
collection_points:
  sign_up: {page: /register/, purposes: [take_orders], fields: {eml_addr: {need: required,
            category: user.contact.email}}}
cookies: {sess: {purpose: necessary, lifetime: session}, stat: {purpose: statistics, lifetime: 6 months}}
retention:
  old_logins: {table: crm_1.login, for: 90 days, from: am_um}
systems:
  crm_1:
    title: {en: The shop, de: Der Laden, fr: La boutique, es: La tienda}
    store: ${SHOP_DATABASE_URL}
    tables:
      kunde_tbl:
        key: kd_nr
        identity: {email: eml_addr}
        fields: {eml_addr: user.contact.email, nm: user.name, tel_priv: user.contact.phone_number}
        marks: {restricted: {column: gesperrt, value: "yes"}, send_news: {column: werbung, value: stopped}}
        erase: delete
      rg_x1:
        title: {en: Invoices, de: Rechnungen, fr: Factures, es: Facturas}
        titles: {ausgest_am: {en: the day of the invoice, de: dem Rechnungstag, fr: le jour de la facture,
                 es: el día de la factura}}
        key: rg_nr
        belongs_to: {kd_nr: kunde_tbl.kd_nr}
        fields: {adr: user.contact.address, netto_ct: {category: user.behavior.purchase_history, unit: GBP/100}}
        keep: {for: 6 years, from: ausgest_am, cite: VATA 1994 Sch 11, because: {en: tax law wants invoices,
               de: das Steuerrecht verlangt Rechnungen, fr: le droit fiscal veut des factures,
               es: la ley fiscal exige facturas}}
        erase: {adr: mask, netto_ct: keep}
      login:
        key: lfd
        belongs_to: {kd_nr: kunde_tbl.kd_nr}
        fields: {ip_adr: user.device.ip_address, am_um: user.behavior}
        erase: delete
  paper_1: {title: {en: The archive, de: Das Archiv, fr: Les archives, es: El archivo}, store: task}
"""
NAMES = (
    *("kunde_tbl", "kd_nr", "eml_addr", "nm", "tel_priv", "rg_x1", "rg_nr", "adr", "netto_ct", "ausgest_am", "lfd"),
    *("ip_adr", "am_um", "crm_1", "paper_1", "take_orders", "send_news", "post_uk", "sign_up", "old_logins"),
)
HIDDEN = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+|\b[RCQ]-\d{4}-\d+\b")
FAULTS = {
    "a key of a category": re.compile(r"\b(?:user|essential|marketing|functional|analytics)\.[a-z_.]+\b"),
    "a name with an underscore": re.compile(r"\b[A-Za-z0-9]+_\w+"),
    "a code of a proof": re.compile(r"\bV[0-4]\b|\btier\b", re.IGNORECASE),
    "a name of a table, a column or a system": re.compile(rf"\b(?:{'|'.join(NAMES)})\b", re.IGNORECASE),
}
LANGUAGES = ("en", "de", "fr", "es")


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Our sentences in English that read otherwise in *language*: three words or more, without a gap."""
    if language == "en":
        return ()
    with (messages.LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    texts = ((one.id, one.string) for one in catalog if isinstance(one.id, str) and one.id)
    return tuple(text for text, other in texts if "%(" not in text and len(text.split()) > 2 and text != other)


def faults(text: str, language: str) -> list[str]:
    plain = HIDDEN.sub(" ", " ".join(text.split()))
    found = [f"{what}: {hit[0]}" for what, pattern in FAULTS.items() if (hit := pattern.search(plain))]
    return found + [f"in English: {one}" for one in sentences(language) if one in plain]


def seen(page: bytes | str) -> str:
    """What a person reads of a page: not the bytes of an entry, nor the names of files and commands."""
    tree = LexborHTMLParser(page.decode() if isinstance(page, bytes) else page)
    for node in tree.css("pre, code, script, style, option, blockquote"):
        if node.tag != "option":
            node.decompose()
    assert tree.body is not None
    return tree.body.text(separator=" ")


@pytest.fixture
def firm(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    from troth.service.portal import throttle

    monkeypatch.setattr(throttle, "networks", Networks(most=1_000))
    office.do("drop table login;" + SHOP)
    office.do("".join(ROWS.format(number, f"{right}@example.org") for number, right in enumerate(RIGHTS, 1)))
    (office.folder / "troth.yaml").write_text(DECLARED, encoding="utf-8")
    return office


def asked(firm: Office, language: str, kind: CaseKind = CaseKind.REQUEST, right: str = "", **content: Any) -> Case:
    who = f"{right or kind}@example.org"
    what = CaseContent(address=who, identifiers=(("email", who),), message="?", **content)
    tier = 1 if kind == CaseKind.REQUEST else 0
    intake = receive.Intake(kind, what, Channel.CENTRE, right=right, language=language, tier=tier)
    return receive.receive(intake, firm.deployment, now=firm.now())


def mails(firm: Office) -> Iterator[EmailMessage]:
    run_due(None, "mail")
    for file in (firm.settings.home / "mail").glob("*.eml"):
        letter = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
        assert isinstance(letter, EmailMessage)
        yield letter


def everything_asked(firm: Office, language: str) -> list[Case]:
    """A case of each kind and right, answered; one refused and appealed, one paused and taken back."""
    changes = {"user.contact.phone_number": "+44 1632 960009"}
    for right in RIGHTS:
        more: dict[str, Any] = {"changes": changes} if right == Right.AMEND else {}
        asked(firm, language, right=right, **more, purposes=("send_news",) if right in ("object", "withdraw") else ())
    firm.work()
    for case in Case.objects.all():
        for step in case.steps.all():
            external_systems.give_up(step.pk, by="", at=firm.now())
    firm.work()
    ben = lifecycle.Actor("staff", "ps1:" + "b" * 32)
    for kind in (CaseKind.QUESTION, CaseKind.COMPLAINT):
        actions.answer(asked(firm, language, kind).pk, "42", firm.deployment, who=ben, now=firm.now())
    refused = case_actions.refuse(
        asked(firm, language, right="erase").pk, "42", "Art. 12(5)", firm.deployment, who=ben, now=firm.now()
    )
    appealed = appeals.open_appeal(
        refused.pk, "42", firm.deployment, channel=Channel.CENTRE, is_proved=True, now=firm.now()
    )
    chloe = lifecycle.Actor("staff", "ps1:" + "c" * 32)
    appeals.decide(appealed.pk, "42", firm.deployment, granted=False, who=chloe, now=firm.now())
    paused = asked(firm, language, right="view")
    case_actions.pause(paused.pk, "42", firm.deployment, who=ben, now=firm.now())
    firm.work()
    sequence(ledger_signer(firm.deployment.keyring, firm.deployment.declaration.organisation), now=firm.now())
    return list(Case.objects.all())


@pytest.mark.few(2)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_reads_a_key_or_a_sentence_of_another_language(firm: Office, language: str) -> None:
    cases = everything_asked(firm, language)
    read: dict[str, str] = {}
    for number, letter in enumerate(mails(firm)):
        body = letter.get_body(("plain",))
        assert body is not None
        if letter["To"].endswith("@example.org") and letter["Content-Language"] == language:
            read[f"mail {number}: {letter['Subject']}"] = f"{letter['Subject']}\n{body.get_content()}"
    visitor = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")
    paths = ["", *(f"{right}/" for right in RIGHTS), "complain/", "ask/", "again/", "choices/"]
    paths += [f"sent/?what={what}" for what in (*RIGHTS, "complaint", "question", "again")]
    for path in paths:
        page = visitor.get(f"/your-data/{path}{'&' if '?' in path else '?'}language={language}")
        assert page.status_code == 200, path
        read[path] = seen(page.content)
    for case in cases:
        for use in (STATUS_LINK, PROVE_LINK):
            visitor.post(f"/your-data/link/{case_links.make(case, use, now=firm.now())}")
            page = visitor.get("/your-data/case/")
            read[f"{case.right or case.kind}, {use}"] = seen(page.content)
        for leaf in re.findall(r"/your-data/case/receipt/(\d+)", page.content.decode()):
            read[f"{case.right or case.kind}, receipt"] = seen(visitor.get(f"/your-data/case/receipt/{leaf}").content)
        if (packed := outcome.unsealed(case, firm.deployment, now=firm.now())) is not None:
            read |= {f"{case.right}, {name}": text for name, text in opened(packed).items()}
    assert len(read) > 45
    assert any("receipt" in name for name in read)
    assert {name: wrong for name, text in read.items() if (wrong := faults(text, language))} == {}


def opened(packed: bytes) -> dict[str, str]:
    """What a person reads of a package: the page and the letter."""
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        pdf = pypdfium2.PdfDocument(files.read("letter.pdf"))
        letter = " ".join(page.get_textpage().get_text_range() for page in pdf)
        return {"page": seen(files.read("index.html")), "letter": letter.replace("\ufffe", "").replace("-\r\n", "")}


@each_row("language", LANGUAGES)
@each_row("kind", [name for name, one in kinds().items() if one.to_person])
def test_no_message_to_a_person_has_a_code_in_it(kind: str, language: str) -> None:
    facts = {name: "Ben" if name == "sent_to" else value for name, value in every(kinds()[kind]).items()}
    assert faults(written(kind, facts, language).plain, language) == []


def test_a_fault_is_found_where_there_is_one() -> None:
    assert len(faults("user.contact.email, V0, tier: 1, order_item, rg_x1", "en")) == 4
    assert faults("Wir sagen: We have received your question. https://example.org/a_b ann_b@example.org", "de") == [
        "in English: We have received your question"
    ]


# --- the parts -------------------------------------------------------------------------------------------------------


@cache
def declared() -> Declaration:
    return parse(DECLARED)


@pytest.mark.parametrize(
    ("language", "table", "column", "kept", "amount"),
    [
        ("en", "Invoices", "Phone number", "6 years (counted from: the day of the invoice)", "1,234.56 GBP"),
        ("de", "Rechnungen", "Telefonnummer", "6 Jahre (gerechnet ab: dem Rechnungstag)", "1.234,56 GBP"),
    ],
)
def test_titles_periods_and_amounts_follow_the_reader(
    language: str, table: str, column: str, kept: str, amount: str
) -> None:
    with translation.override(language):
        assert labels.table_words(declared(), "crm_1.rg_x1") == table
        assert labels.column_words(declared(), "crm_1.kunde_tbl", "tel_priv") == column
        six = Period(count=6, unit="year")
        assert labels.lasting_words(declared(), "crm_1.rg_x1", six, "ausgest_am") == kept
        assert labels.money(123456, "GBP/100") == amount
        assert labels.lasting_words(declared(), "crm_1.login", six, "am_um") in ("6 years", "6 Jahre")


def test_what_has_no_title_is_called_by_what_it_holds() -> None:
    with translation.override("de"):
        assert labels.table_words(declared(), "crm_1.kunde_tbl") == "E-Mail-Adresse, Name, Telefonnummer"
        assert labels.column_words(declared(), "crm_1.kunde_tbl", "kd_nr") == "Nummer des Datensatzes"
    with translation.override("en"):
        assert labels.table_words(declared(), "crm_1.login") == "Login"
        assert labels.table_words(declared(), "crm_1.nowhere_x1") == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("adr: tax law wants invoices", "das Steuerrecht verlangt Rechnungen"),
        ("tax law wants invoices", "das Steuerrecht verlangt Rechnungen"),
        ("adr: the row is also about someone else", "der Datensatz betrifft auch jemand anderen"),
        ("a legal hold applies (R-2026-1)", "wir müssen es für eine offene Angelegenheit aufbewahren (R-2026-1)"),
        ("adr: because we say so", "because we say so"),
    ],
)
def test_a_reason_is_told_in_the_language_of_the_reader(said: str, told: str) -> None:
    line = {"place": "crm_1.rg_x1", "rows": 1, "what": "keep", "words": said, "cite": "", "until": None}
    with translation.override("de"):
        assert done(line, "erase", declared()).because == told


def test_the_rendered_policy_has_no_key_in_it() -> None:
    voice = load(Path(__file__).parents[3] / "examples/voice-company/troth.yaml")
    assert faults(seen(render(voice).html), "en") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_speaks_the_language_of_its_readers(language: str) -> None:
    voice = load(Path(__file__).parents[3] / "examples/voice-company/troth.yaml")
    texts = [
        *(one.title for one in voice.purposes.values()),
        *(one.title for one in voice.collection_points.values()),
        *(one.title for one in voice.notice.sources.values()),
        *(one.why for one in voice.cookies.values()),
    ]
    assert [text for text in texts if text is None or in_language(text, language) is None] == []
