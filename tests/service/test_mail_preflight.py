"""Preflight: a faultless message has no fault, and each planted one is found at its place, with law and fix."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.mail_samples import ANN, BEN, HTML, PLAIN, POSTAL, Records, copy, expected, signer, stops

from troth.data_files import read_toml
from troth.service.mail.message import Message
from troth.service.mail.preflight import (
    Expected,
    MailClass,
    MailUnreadable,
    check,
    check_one,
    check_samples,
)
from troth.site.fetch import SiteUnreachable

Raw = Callable[[bytes], bytes]


def found(
    raw: bytes, of: Expected | None = None, dns: Records | None = None, **more: Any
) -> set[tuple[str, str, bool]]:
    faults = check(raw, of or expected(), dns or Records(), **more).faults
    return {(it.id, it.place, it.blocks) for it in faults}


def ids(raw: bytes, of: Expected | None = None, dns: Records | None = None, **more: Any) -> list[str]:
    return sorted({id_ for id_, _, _ in found(raw, of, dns, **more)})


def test_a_faultless_message_has_no_fault() -> None:
    raw = copy().content
    assert check(raw, expected(), Records(), lambda url: 200).faults == ()
    assert check_one(copy(), to=ANN, opt_outs=stops(ANN)) == []


def test_every_rule_says_what_is_wrong_and_how_to_fix_it_and_by_which_law() -> None:
    for id_, rule in read_toml("troth.service.mail.preflight", "rules.toml").items():
        assert rule.keys() == {"blocks", "wrong", "fix", "cite"}, id_
        assert all(rule[part].strip() for part in ("wrong", "fix", "cite")), id_
        assert rule["wrong"].endswith("."), id_


# --- each fault alone -----------------------------------------------------------------------------------------------


def both(old: str, new: str) -> dict[str, Any]:
    return {"plain": PLAIN.replace(old, new), "html": HTML.replace(old, new)}


def shown(html: str) -> dict[str, Any]:
    return {"html": HTML.replace("</body>", f"{html}</body>")}


def listed(*uris: str) -> dict[str, Any]:
    return {"headers": {"List-Unsubscribe": ", ".join(f"<{uri}>" for uri in uris)}}


BEFORE_SIGNING: dict[str, dict[str, Any]] = {
    "optout_missing List-Unsubscribe": listed(stops(ANN)[1]),
    "optout_no_mail List-Unsubscribe": listed(stops(ANN)[0]),
    "optout_not_one_click List-Unsubscribe-Post": {"headers": {"List-Unsubscribe-Post": "List-Unsubscribe=one-click"}},
    "optout_hidden text/html": {
        "html": HTML.replace('<a href="{{stop}}">', '<a style="display: none" href="{{stop}}">')
    },
    "optout_hidden text/plain": {"plain": PLAIN.replace("Stop these e-mails, unsubscribe: {{stop}}", "Go away")},
    "postal_address_missing text": both(POSTAL, "London"),
    "advertisement_unlabelled text": both("Advertisement", "News"),
    "subject_reply Subject": {"subject": "Re: the new catalogue"},
    "subject_claim Subject": {"subject": "You have won the new catalogue"},
    "subject_unrelated Subject": {
        "subject": "Weather",
        **both("Stop these", f"{'and more ' * 9} Stop these"),
    },
    "placeholder_left text/html": shown("{{firstname}}"),
    "text_missing text/plain": {"is_html_only": True},
    "texts_differ text/plain, text/html": {"plain": PLAIN.replace("https://shop.example.org/catalogue", "here")},
    "stranger_named text": both("Example Ltd", "chloe@example.net"),
    "pixel text/html": shown('<img src="https://example.org/i.gif" width="1" height="1">'),
    "redirector text": both("https://shop.example.org/", "https://click.list-manage.com/"),
    "decorated_link text": both("/catalogue", "/catalogue?mc_eid=ab12"),
    "link_unsafe text/html": shown("<script>1</script>"),
    "clipped text/html": shown("<!-- " + "x" * 110_000 + " -->"),
    "token_of_another List-Unsubscribe": listed(*stops(BEN)),
    "token_of_another text": {"values": {"stop": stops(BEN)[0]}},
}
WITH_OTHERS = ("optout_missing", "optout_hidden text/plain", "token_of_another")
WARNINGS = {
    "optout_no_mail",
    "advertisement_unlabelled",
    "subject_unrelated",
    "text_missing",
    "stranger_named",
    "clipped",
}


@pytest.mark.parametrize("fault", BEFORE_SIGNING)
def test_a_planted_fault_is_found_at_its_place(fault: str) -> None:
    id_, _, place = fault.partition(" ")
    given = dict(BEFORE_SIGNING[fault])
    is_html_only = given.pop("is_html_only", False)
    raw = copy(**given, signed=not is_html_only).content
    if is_html_only:
        raw = signer("rsa-sha256").sign(raw.replace(b"Content-Type: text/plain;", b"Content-Type: text/other;"))
    faults = found(raw)
    assert (id_, place, id_ not in WARNINGS) in faults
    assert fault.startswith(WITH_OTHERS) or {it[0] for it in faults} == {id_}


AFTER_SIGNING: dict[str, Raw] = {
    "unsigned": lambda raw: raw.replace(b"d=example.org", b"d=example.com"),
    "signature_partial": lambda raw: raw.replace(b" subject:subject:", b" x:x:"),
    "optout_unsigned": lambda raw: raw.replace(b" list-unsubscribe:list-unsubscribe:", b" x:x:"),
    "signature_broken": lambda raw: raw.replace(b"catalogue is here", b"catalogue is gone"),
    "header_missing": lambda raw: raw.replace(b"Message-ID: ", b"X-Message-ID: "),
    "author_unclear": lambda raw: raw.replace(b"<news@mail.example.org>", b"<news>"),
    "recipient_several": lambda raw: raw.replace(b"To: ann@example.org", b"To: ann@example.org, ben@example.org"),
    "line_too_long": lambda raw: raw + b"x" * 999,
    "undecodable": lambda raw: raw.replace(b"charset=utf-8", b"charset=us-ascii").replace(b"Advertisement.", b"=C3=A4"),
}


@pytest.mark.parametrize("fault", AFTER_SIGNING)
def test_what_was_changed_is_found(fault: str) -> None:
    assert fault in ids(AFTER_SIGNING[fault](copy().content))


def test_records_that_are_missing_are_found() -> None:
    raw = copy().content
    for name, fault in {
        "rsa._domainkey.example.org": "key_missing",
        "bounce.example.org": "spf_missing",
        "_dmarc.example.org": "dmarc_missing",
    }.items():
        dns = Records()
        del dns.texts[name]
        assert ids(raw, dns=dns) == [fault]
    two = Records()
    two.texts["bounce.example.org"] = ["v=spf1 mx -all", "v=spf1 -all"]
    assert ids(raw, dns=two) == ["spf_missing"]
    assert ids(raw, expected(envelope="b@bounces.example.net"), Records()) == ["envelope_elsewhere", "spf_missing"]


def test_both_algorithms_are_verified() -> None:
    raw = copy(signed=False).signed(signer("rsa-sha256", "ed25519-sha256")).content
    assert ids(raw) == []
    one_gone = Records()
    one_gone.texts["ed25519._domainkey.example.org"] = one_gone.texts["rsa._domainkey.example.org"]
    assert ids(raw, dns=one_gone) == ["signature_broken"]


def test_what_nobody_looked_at_is_said() -> None:
    raw = copy().content
    seen = check(raw, Expected(to=ANN), Records(is_away=True), None)
    assert [it.partition(":")[0] for it in seen.not_looked_at] == [
        "whether the signatures verify, and the records of SPF and DMARC",
        "the envelope sender",
        "whether the opt-out is this recipient's",
        "whether pages answer",
    ]
    assert "no name server answers" in seen.not_looked_at[0]
    assert ANN not in str(seen)


# --- by class and consent -------------------------------------------------------------------------------------------


def test_an_owed_message_needs_no_opt_out_and_is_not_held_up_by_a_missing_key() -> None:
    text = "Hello {{name}}, your data was deleted.{{stop}}"
    no_opt_out = {"List-Unsubscribe": None, "List-Unsubscribe-Post": None}
    raw = copy(
        plain=text, html=text, headers=no_opt_out, values={"stop": ""}, signed=False, subject="Your data"
    ).content
    assert found(raw, expected(mail_class=MailClass.OWED)) == {("unsigned", "DKIM-Signature", False)}
    assert "optout_missing" in ids(raw, expected(mail_class=MailClass.ASKED_FOR))


def test_with_consent_nothing_is_called_an_advertisement_and_tracking_is_allowed() -> None:
    plain, html = (it.replace("Advertisement", "News") for it in (PLAIN, HTML))
    pixel = html.replace("</body>", '<img src="https://example.org/i.gif" width=1></body>')
    raw = copy(plain=plain, html=pixel).content
    assert ids(raw) == ["advertisement_unlabelled", "pixel"]
    assert ids(raw, expected(has_consented=True, may_track=True)) == []


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://example.org/o.gif" width="1" height="1">',
        '<img src="https://example.org/o.gif" height=0>',
        '<img src="https://example.org/o.gif" style="width:1px;height:1px">',
        '<img src="https://example.org/o.gif" style="display:none">',
        '<img src="//example.org/o.gif" hidden>',
        '<img src="https://example.org/o/aZ81kLq02mXw7RtB.gif">',
        f'<img src="https://example.org/o.gif?x={ANN}">',
        f'<img src="https://example.org/o.gif?x={ANN.replace("@", "%40")}">',
    ],
)
def test_images_that_tell_who_reads_are_found(image: str) -> None:
    assert "pixel" in ids(copy(html=HTML.replace("</body>", f"{image}</body>")).content)


@pytest.mark.parametrize("image", ['<img src="cid:logo">', '<img src="https://example.org/logo.png" width="100">'])
def test_other_images_are_none_of_them(image: str) -> None:
    assert ids(copy(html=HTML.replace("</body>", f"{image}</body>")).content) == []


@pytest.mark.parametrize(
    ("subject", "is_misleading"),
    [("Refunds", True), ("Reader's catalogue", False), ("AW: catalogue", True), ("The new catalogue: not free", True)],
)
def test_a_subject_is_held_against_the_text(subject: str, is_misleading: bool) -> None:
    assert bool({"subject_reply", "subject_claim"} & set(ids(copy(subject=subject).content))) is is_misleading


def test_the_numbers_of_a_list_and_a_heading_are_no_difference() -> None:
    items = "".join(f"{number}. A thing\n" for number in range(1, 20))
    page = "<h1>Example Ltd</h1><ol>" + "<li>A thing</li>" * 19 + "</ol>"
    plain, html = PLAIN + items, HTML.replace("</body>", f"{page}</body>")
    assert ids(copy(plain=plain, html=html).content) == []
    assert ids(copy(plain=plain + "And here are ten other words that the page lacks.\n", html=html).content) == [
        "texts_differ"
    ]


def test_an_answer_may_be_called_one() -> None:
    assert ids(copy(subject="Re: catalogue", headers={"In-Reply-To": "<1@example.org>"}).content) == []


# --- several people's copies ----------------------------------------------------------------------------------------


def samples(**more: Any) -> list[tuple[bytes, Expected]]:
    return [(copy(to, **more).content, expected(to)) for to in (ANN, BEN)]


def crossed(given: list[tuple[bytes, Expected]]) -> set[tuple[str, bool]]:
    return {(it.id, it.blocks) for it in check_samples(given, Records(), None).faults}


def test_copies_differ_in_their_opt_outs_only() -> None:
    assert crossed(samples()) == set()
    links = [(copy(to, **both("/catalogue", f"/c/{to[0]}")).content, expected(to)) for to in (ANN, BEN)]
    assert crossed(links) == {("decorated_link", True)}
    images = [
        (copy(to, **shown(f'<img src="https://example.org/{to[0]}.png">')).content, expected(to)) for to in (ANN, BEN)
    ]
    assert crossed(images) == {("decorated_link", True)}
    assert crossed([(raw, replace(of, may_track=True)) for raw, of in images]) == set()


def test_a_copy_that_names_another_recipient_is_found() -> None:
    both = samples()
    named = copy(ANN, plain=PLAIN.replace("Hello", f"Hello {BEN}"), html=HTML.replace("Hello", f"Hello {BEN}"))
    assert crossed([(named.content, expected(ANN)), both[1]]) == {("recipient_several", True)}


# --- pages ----------------------------------------------------------------------------------------------------------


def test_pages_are_followed_but_no_opt_out_and_no_link_with_an_id() -> None:
    asked: list[str] = []

    def follow(url: str) -> int:
        asked.append(url)
        return 200

    ids_ = PLAIN + "https://shop.example.org/u/aZ81kLq02mXw7RtB\n"
    seen = check(copy(plain=ids_).content, expected(), Records(), follow)
    assert asked == ["https://shop.example.org/catalogue"]
    assert "whether pages answer: 2 opt-outs and links with an id" in seen.not_looked_at[-1]


@pytest.mark.parametrize("status", [404, 410, 500, None])
def test_a_dead_page_is_found(status: int | None) -> None:
    def follow(url: str) -> int:
        if status is None:
            raise SiteUnreachable("/catalogue does not answer")
        return status

    assert ids(copy().content, follow=follow) == ["link_dead"]


# --- every message --------------------------------------------------------------------------------------------------


def _but(old: bytes, new: bytes) -> Message:
    whole = copy()
    return replace(whole, content=whole.content.replace(old, new, 1))


def _and(header: bytes) -> Message:
    return _but(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n")


MUTATIONS: dict[str, tuple[str, Callable[[], Message]]] = {
    "another's token in the header": (
        "token_of_another",
        lambda: copy(opt_outs=stops(BEN), values={"stop": stops(ANN)[0]}),
    ),
    "another's token in the text": ("token_of_another", lambda: copy(values={"stop": stops(BEN)[0]})),
    "another's token too": ("token_of_another", lambda: copy(plain=PLAIN + stops(BEN)[0])),
    "no token in the text": ("optout_hidden", lambda: copy(values={"stop": ""})),
    "another's address": ("recipient_several", lambda: copy(BEN, opt_outs=stops(ANN))),
    "another's envelope": ("recipient_several", lambda: replace(copy(), to=BEN)),
    "no signature": ("unsigned", lambda: copy(signed=False)),
    "another's signature": ("unsigned", lambda: _but(b"d=example.org", b"d=example.net")),
    "an unsigned opt-out": ("optout_unsigned", lambda: _but(b" list-unsubscribe:list-unsubscribe:", b" x:")),
    "an opt-out that can be added to": ("optout_unsigned", lambda: _but(b":list-unsubscribe:", b":")),
    "an unsigned subject": ("signature_partial", lambda: _but(b" subject:subject:", b" x:")),
    "a second opt-out": ("optout_missing", lambda: _and(b"List-Unsubscribe: <https://example.org/stop/x>")),
    "a second subject": ("header_missing", lambda: _and(b"Subject: other")),
    "no one-click": ("optout_not_one_click", lambda: copy(headers={"List-Unsubscribe-Post": None})),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_checks_of_every_message_see_it(mutation: str) -> None:
    fault, made = MUTATIONS[mutation]
    assert fault in {it.id for it in check_one(made(), to=ANN, opt_outs=stops(ANN))}


def test_the_checks_of_every_message_are_fast() -> None:
    message = copy(html=HTML.replace("</body>", "<p>Some news, and more.</p>" * 300 + "</body>"))
    begun = time.process_time()
    for _ in range(200):
        assert check_one(message, to=ANN, opt_outs=stops(ANN)) == []
    assert time.process_time() - begun < 200 / 1_000  # 5,000 a second by far on an idle machine


# --- bad input ------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_no_input_is_more_than_unreadable(tail: bytes) -> None:
    for raw in (tail, b"From: a@example.org\r\n" + tail, copy().content[:900] + tail):
        with contextlib.suppress(MailUnreadable):
            check(raw, Expected(), Records(), lambda url: 200)


def test_a_message_that_is_too_large_or_too_nested_is_refused() -> None:
    for raw in (b"From: a@example.org\r\n\r\n" + b"x" * 6_000_000, b"From: a@example.org\r\n\r\n" + b"\r\n--x" * 500):
        with pytest.raises(MailUnreadable, match="at most"):
            check(raw, Expected())


HEADERS = b"From: a@example.org\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [b"<div>" * 900_000, b"x" * 4_900_000, b"a@" * 2_000_000, b"<a href=https://a.example>x</a>" * 100_000],
    ids=["nested", "one word", "signs", "links"],
)
def test_a_message_that_is_built_to_be_slow_is_not(body: bytes) -> None:
    begun = time.process_time()
    with contextlib.suppress(MailUnreadable):
        check(HEADERS + body, Expected(), Records())
    assert time.process_time() - begun < 10
