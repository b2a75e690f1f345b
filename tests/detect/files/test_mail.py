"""Mail: every head and every part is decoded and read, told by part and line; what cannot be read is never clean."""

from __future__ import annotations

import base64
import io
import quopri
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect import Detector
from troth.detect.files import FileFinding, FileKind, Remark, mime_parts, scan

DETECTOR = Detector(types={"EMAIL_ADDRESS", "UK_NINO"}, names=False)
ANN = "ann@example.org"
NINO = "AB 12 34 56 C"


def _told(mail: bytes | EmailMessage) -> list[FileFinding | Remark]:
    return list(scan(DETECTOR, io.BytesIO(mail if isinstance(mail, bytes) else mail.as_bytes()), FileKind.MAIL))


def _found(mail: bytes | EmailMessage) -> list[tuple[str, int, int]]:
    """Part, its line and the column of what is found; all of the mail is read."""
    told = _told(mail)
    assert not [it for it in told if isinstance(it, Remark)]
    return [(it.part, it.part_line, it.column) for it in told if isinstance(it, FileFinding)]


def _unread(mail: bytes | EmailMessage) -> list[tuple[str, str]]:
    """Part and reason of what could not be read. No value is in it."""
    lost = [it for it in _told(mail) if isinstance(it, Remark) and it.unscanned]
    assert not any(value in repr(it) for it in lost for value in (ANN, NINO))
    return [(it.part, it.says) for it in lost]


def _written(text: str, *, charset: str = "utf-8", how: str = "base64", kind: str = "text/plain") -> bytes:
    body = text.encode(charset)
    coded = base64.encodebytes(body) if how == "base64" else quopri.encodestring(body) if how[0] == "q" else body
    head = f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {how}\n\n"
    return head.encode() + coded


def _several(*parts: bytes, kind: str = "mixed") -> bytes:
    inside = b"".join(b"--=_b\n" + part + b"\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="=_b"\n\n'.encode() + inside + b"--=_b--\n"


@each_row("how", ["base64", "quoted-printable", "8bit"])
@each_row("charset", ["utf-8", "iso-8859-1", "utf-16", "koi8-r", "shift_jis", "iso-2022-jp", "utf-7"])
def test_a_body_is_decoded_from_its_own_charset(how: str, charset: str) -> None:
    first = {"koi8-r": "Добрый день", "shift_jis": "こんにちは", "iso-2022-jp": "こんにちは"}.get(charset, "Zoë écrit")
    assert _found(_written(f"{first}\nto {ANN}\n", charset=charset, how=how)) == [("1", 2, 4)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
def test_lines_end_as_they_like(end: str) -> None:
    mail = _written(f"to {ANN}").replace(b"\n", end.encode())
    assert _found(mail) == [("1", 1, 4)]


def test_the_line_is_that_of_the_file_where_it_can_be() -> None:
    plain = _told(_several(_written(f"to\n{ANN}", how="8bit"), _written(f"to\n{ANN}")))
    assert [(it.line, it.column, it.part, it.part_line) for it in plain if isinstance(it, FileFinding)] == [
        (8, 1, "1", 2),
        (13, 1, "2", 2),  # the part begins there
    ]


@pytest.mark.parametrize(
    "subject",
    [
        f"=?utf-8?B?{base64.b64encode(f'Zoë: {ANN}'.encode()).decode()}?=",
        "=?utf-8?q?Zo=C3=AB:_ann=40example.org?=",
        "=?iso-8859-1?Q?Zo=EB:_?= =?utf-8?Q?ann?=\n =?utf-8?Q?=40example?=\n =?UTF-8*en?q?=2Eorg?=",
        "=?utf-8?q?Zo=C3?= =?utf-8?q?=AB:_ann=40example.org?=",
        f"Zoë: {ANN}",
    ],
    ids=["base64", "quoted", "several", "cut in a character", "not encoded"],
)
def test_words_in_a_header_are_decoded(subject: str) -> None:
    (told,) = _told(f"From: the shop\nSubject: {subject}\n\nnothing\n".encode())
    assert isinstance(told, FileFinding)
    assert (told.finding.type, told.line, told.column, told.part) == ("EMAIL_ADDRESS", 2, 15, "HEADER")


@pytest.mark.parametrize(
    "header",
    [
        f'Content-Disposition: attachment; filename="{ANN}.txt"',
        "Content-Disposition: attachment; filename*=utf-8''Zo%C3%AB%20ann%40example.org",
        "Content-Disposition: attachment; filename*0=ann@exam; filename*1=ple.org",
        'Content-Type: text/plain; name="=?utf-8?q?ann=40example=2Eorg?="',
    ],
    ids=["plain", "percent", "in pieces", "encoded"],
)
def test_names_of_files_are_read(header: str) -> None:
    assert [part for part, _, _ in _found(_several(f"X-Any: 1\n{header}\n\nnothing".encode()))] == ["1.MIME"]


def test_html_is_read_as_its_reader_sees_it() -> None:
    page = "<p>Write to\n<b>ann</b>&#64;example.<i>org</i></p>"
    (it,) = _told(_written(page, kind="text/html", how="quoted-printable"))
    assert isinstance(it, FileFinding)
    assert (it.part, it.part_line, it.column) == ("1", 2, 4)
    assert page[it.finding.start : it.finding.end] == "ann</b>&#64;example.<i>org"


def test_a_letter_in_a_letter_is_read_with_its_head() -> None:
    inner = f"Subject: =?utf-8?q?=C3=A0?= {ANN}\n".encode() + _several(_written(ANN), _written(ANN, how="8bit"))
    outer = _several(b"\nnothing", b"Content-Type: message/rfc822\n\n" + inner.replace(b"=_b", b"=_c"))
    assert _found(outer) == [("2.HEADER", 0, 12), ("2.1", 1, 1), ("2.2", 1, 1)]
    assert _found(_written("", how="8bit", kind="message/rfc822") + inner.replace(b"=_b", b"=_c"))[1][0] == "1.1"


@pytest.mark.parametrize("kind", ["message/rfc822", 'application/octet-stream; name="it.eml"'])
def test_a_letter_that_is_encoded_is_read(kind: str) -> None:
    inner = f"Subject: {ANN}\n".encode() + _written(ANN)
    assert _found(_written(inner.decode(), kind=kind)) == [("1.HEADER", 0, 10), ("1.1", 1, 1)]


def test_letters_of_a_digest_need_no_word_for_it() -> None:
    inner = b"\nSubject: " + ANN.encode() + b"\n" + _written(ANN)
    assert _found(_several(inner, kind="digest")) == [("1.HEADER", 0, 10), ("1.1", 1, 1)]


def test_attached_files_are_read_as_what_they_are() -> None:
    table = _written(f"id,nino\n1,{NINO}\n", kind="text/csv")
    named = _written('[{"nino": "AB123456C"}]', kind='application/octet-stream; name="a.json"')
    told = [it for it in _told(_several(table, named)) if isinstance(it, FileFinding)]
    assert [(it.part, it.part_line, it.field, it.element) for it in told] == [("1", 2, "nino", 0), ("2", 1, "nino", 1)]


def test_what_stands_around_the_parts_is_read() -> None:
    mail = _several(b"\nnothing").replace(b"\n\n", f"\n\nbefore {ANN}\n".encode(), 1) + f"after {ANN}".encode()
    assert _found(mail) == [("TEXT", 1, 8), ("TEXT", 1, 7)]


def test_several_letters_in_one_file_are_each_read() -> None:
    one = b"From ben@example.org Fri Nov 27 10:00:00 2026\nSubject: none\n" + _written(f"Zoë {ANN}") + b"\n"
    told = [it for it in _told(one * 3) if isinstance(it, FileFinding)]
    assert [(it.line, it.part) for it in told] == [
        it for line in (0, 7, 14) for it in ((line + 1, "HEADER"), (line + 6, "1"))
    ]


def test_a_line_that_begins_with_from_begins_no_letter() -> None:
    text = f"From ben@example.org Fri Nov 27 10:00:00 2026\n\nDear Ann,\n\nFrom what I hear, {ANN} is yours.\n"
    assert _found(text.encode())[1] == ("1", 3, 19)


@each_row(
    ("mail", "part", "says"),
    [
        (_several(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"\x89PNG\r\n\x1a\n" + bytes(99))),
         "1", "a picture"),
        (_several(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"%PDF-1.7\n")), "1", "a PDF"),
        (b"\n-----BEGIN PGP MESSAGE-----\n\nhQEMA", "1", "encrypted by PGP"),
        (_written("Добрый день", charset="koi8-r").replace(b"koi8-r", b"x-morse"), "1", "unknown"),
        (_written("Добрый день", charset="koi8-r").replace(b"koi8-r", b"punycode"), "1", "unknown"),
        (_written("Добрый день", charset="koi8-r").replace(b"koi8-r", b"us-ascii"), "1", "--encoding"),
        (b"Subject: =?x-morse?b?YW5u?=\n\n", "HEADER", "unknown"),
        (b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a", "HEADER", "unknown"),
        (b"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nYW5u", "HEADER", "repeated"),
        (b"Content-Type: text/plain" + b"; a=b" * 999 + b"\n\n", "HEADER", "too long"),
        (b"Content-Disposition: a; filename*1=a; filename*=b; filename*2=c\n\n", "HEADER", "understood"),
        (b"Content-Type: multipart/mixed\n\n--b\nContent-Transfer-Encoding: 8bit\n", "1", "boundary"),
        (_written("--b\n", kind="multipart/mixed; boundary=b"), "1", "not split"),
        (_written(ANN) + b"\n-- \na list\n", "1", "base64"),
        (b"A: b\n" * 60_000, "HEADER", "too long"),
    ],
    ids=["picture", "pdf", "pgp", "charset", "no charset", "wrong charset", "word", "uuencode", "twice", "long",
         "pieces", "no boundary", "encoded parts", "footer", "head"],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_never_clean(mail: bytes, part: str, says: str) -> None:
    assert [(number, says in reason) for number, reason in _unread(mail)] == [(part, True)]


def test_an_unknown_charset_is_nothing_where_the_text_is_utf8() -> None:
    assert _found(_written(f"Zoë {ANN}").replace(b"utf-8", b"x-morse")) == [("1", 1, 5)]


@pytest.mark.parametrize(
    ("text", "charset", "called"), [("Zoë", "utf-8", "us-ascii"), ("“Zoë”", "cp1252", "iso-8859-1")]
)
def test_what_is_more_than_it_is_called_is_read(text: str, charset: str, called: str) -> None:
    mail = _written(f"{text} {ANN}", charset=charset).replace(charset.encode(), called.encode())
    assert _found(mail) == [("1", 1, len(text) + 2)]


def test_what_is_no_base64_among_it_is_read_as_it_stands() -> None:
    told = [it for it in _told(_written(ANN) + f"-- \nsent to {ANN}\n".encode()) if isinstance(it, FileFinding)]
    assert [(it.line, it.part_line) for it in told] == [(6, 3), (4, 1)]


def test_base64_that_goes_on_after_its_padding_is_read_to_its_end() -> None:
    mail = _written("Dear Ben") + base64.b64encode(f" {ANN}".encode()) + b"==\n"
    assert b"=\n" in _written("Dear Ben")
    assert _found(mail) == [("1", 1, 10)]


@pytest.mark.parametrize("inside", ["multipart/mixed; boundary=b", "message/rfc822"])
def test_parts_inside_parts_end_somewhere(inside: str) -> None:
    deep = "".join(
        f"Content-Type: {inside.replace('=b', f'=b{at}')}\n\n" + f"--b{at}\n" * ("=" in inside) for at in range(5_000)
    )
    assert {says for _, says in _unread(deep.encode())} == {"it is nested too deeply to be split"}


def test_letters_inside_letters_end_somewhere() -> None:
    mail = f"\n{ANN}\n"
    for _ in range(9):
        mail = _written(mail, kind="message/rfc822").decode()
    assert _unread(mail.encode()) == [("1.1.1.1.1.1", "it is nested too deeply in other messages")]


def test_more_parts_than_any_letter_has_are_not_read() -> None:
    told = _told(_several(*[f"\n{ANN}".encode()] * 3_000))
    assert sum(isinstance(it, FileFinding) for it in told) == 1_000
    assert [it.says for it in told if isinstance(it, Remark)] == ["after 1,000 parts, the others were not read"]


def test_a_part_that_is_too_long_is_read_as_far_as_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime_parts, "_PART_MAX", 1_000)
    told = _told(_several(f"\n{ANN}\n".encode() + b"nothing\n" * 999 + ANN.encode(), f"\n{ANN}".encode()))
    assert [it.part for it in told] == ["1", "1", "2"]
    assert any(isinstance(it, Remark) and it.unscanned for it in told)


def test_a_mail_that_stops_being_readable_is_read_up_to_there() -> None:
    class _Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    found, remark = scan(DETECTOR, _Broken(_written(ANN)), FileKind.MAIL)
    assert isinstance(found, FileFinding)
    assert remark == Remark(1, "it could not be read completely: Input/output error", unscanned=True)


@given(
    st.lists(st.tuples(st.sampled_from(["plain", "html", "calendar", "rfc822"]), st.booleans()), min_size=1, max_size=5)
)
def test_whatever_python_writes_is_read(parts: list[tuple[str, bool]]) -> None:
    mail = EmailMessage()
    mail["Subject"] = f"für {ANN}"
    for kind, is_base64 in parts:
        how = "base64" if is_base64 else "quoted-printable"
        if kind == "rfc822":
            inner = EmailMessage()
            inner.set_content(f"für {ANN}", cte=how)
            mail.add_attachment(inner)
        else:
            mail.add_attachment(f"für {ANN}", subtype=kind, cte=how)
    assert len(_found(mail)) == len(parts) + 1


PIECES = st.sampled_from(
    [b"\n", b"\n\n", b"\r\n\r\n", b"--b\n", b"--b--\n", b" ", b"\t", b";", b'"', b"*0*=", b"name", b":", b"9", b"=",
     b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n", b"Content-Type: text/html;",
     b"charset=", b"utf-16", b"idna", b"Content-Transfer-Encoding: base64\n", b"YW5u", b"=?utf-8?b?", b"=?x?q?", b"?=",
     b"Content-Transfer-Encoding: quoted-printable\n", b"From a Fri Nov 27 10:00 2026\n", b"\xff", b"\x00", b"<a ",
     b">", b"&#", b"%C3''", b"<!--", b"Content-Disposition: a; filename", "é".encode(), ANN.encode(), b"<style>"]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join))
def test_no_mail_is_too_strange(data: bytes) -> None:
    for it in _told(data):
        assert 1 <= it.line <= len(data.splitlines()) + 1
        assert ANN not in repr(it)


@given(st.lists(PIECES, max_size=15).map(b"".join))
def test_an_address_on_a_line_of_its_own_is_found_whatever_stands_around(around: bytes) -> None:
    told = _told(around + b"\n\n" + ANN.encode() + b"\n")
    lost = any(isinstance(it, Remark) and it.unscanned for it in told)
    assert lost or any(isinstance(it, FileFinding) for it in told)
