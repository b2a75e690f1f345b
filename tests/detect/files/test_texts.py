"""Text in files: found wherever a piece ends, by line and column, in every encoding, and never passed over silently."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect import Detector, Unscanned
from troth.detect.files import FileFinding, Remark, prose, scan

DETECTOR = Detector(types={"EMAIL_ADDRESS", "UK_NINO"}, names=False)
ANN = "ann@example.org"


def _found(data: bytes) -> list[tuple[str, int, int]]:
    """Type, line and column of what is found; the file is scanned to its end."""
    told = list(scan(DETECTOR, io.BytesIO(data)))
    assert not [it for it in told if isinstance(it, Remark) and it.unscanned]
    return [(it.finding.type, it.line, it.column) for it in told if isinstance(it, FileFinding)]


def _remarks(data: bytes) -> list[Remark]:
    return [it for it in scan(DETECTOR, io.BytesIO(data)) if isinstance(it, Remark)]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_lines_and_columns_count_from_one(end: str) -> None:
    text = end.join(["Dear Ben,", f"write to {ANN} or", "ben@example.org"])
    assert _found(text.encode()) == [("EMAIL_ADDRESS", 2, 10), ("EMAIL_ADDRESS", 3, 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_is_read(encoding: str) -> None:
    text = f"Zoë écrit à {ANN} de façon générale, et à personne d'autre.\n" * 3
    assert _found(text.encode(encoding)) == [("EMAIL_ADDRESS", line, 13) for line in (1, 2, 3)]


def test_bytes_that_are_not_utf8_are_read_and_said_so_once() -> None:
    data = "naïve ".encode("cp1252") * 100_000 + f"{ANN} ".encode() + b"\x81\xff"
    assert _found(data) == [("EMAIL_ADDRESS", 1, 600_001)]
    (remark,) = _remarks(data)
    assert remark == Remark(1, "not all of it is UTF-8: that is read as Windows-1252")


def test_a_character_that_chunks_cut_in_two_is_whole() -> None:
    text = "é" * 200_001 + f" {ANN}"
    assert _found(b" " + text.encode()) == [("EMAIL_ADDRESS", 1, 200_004)]
    assert _remarks(b" " + text.encode()) == []


@each_row(
    ("data", "says"),
    [
        (b"PK\x03\x04" + ANN.encode(), "ZIP"),
        (b"%PDF-1.7\n" + ANN.encode(), "PDF"),
        (b"\x1f\x8b\x08" + ANN.encode(), "gzip"),
        (b"BZh91AY&SY" + ANN.encode(), "bzip2"),
        (b"PAR1\x15\x04" + ANN.encode(), "Parquet"),
        (b"GIF89a" + ANN.encode(), "picture"),
        (b"RIFF\n\x00\x00\x00WAVEfmt " + ANN.encode(), "sound"),
        (b"ID3\x04\x00" + ANN.encode(), "sound"),
        (bytes(range(256)) * 9, "not characters"),
        (b"\x00\x00\x00\x01\x07\x02" * 99, "not characters"),
    ],
    ids=["zip", "pdf", "gzip", "bzip2", "parquet", "gif", "wave", "mp3", "bytes", "numbers"],
)
def test_what_is_no_text_is_unscanned_and_never_clean(data: bytes, says: str) -> None:
    (remark,) = _remarks(data)
    assert remark.unscanned
    assert says in remark.says
    assert ANN not in remark.says


_TEXTS = {
    "cp500": "Dear Ben, write to me at home",
    "shift_jis": "こんにちは、明日の会議についてご連絡します。",
    "koi8-r": "Добрый день, напишите мне домой",
    "cp1251": "Добрый день, напишите мне домой",
    "gb18030": "您好,请把明天的会议时间发给我",
    "iso8859-7": "Καλημέρα, γράψτε μου στο σπίτι",
    "cp874": "สวัสดีครับ ยินดีต้อนรับ สวัสดีครับ",
    "iso2022_jp": "こんにちは、明日の会議",
    "cp850": "Grüße aus München, für übermorgen über Zürich",
}


@each_row("encoding", _TEXTS)
@each_row("before", [b"", b"plain\n" * 4_000], ids=["all", "after plain text"])
def test_text_in_another_encoding_is_never_clean_unless_it_is_named(encoding: str, before: bytes) -> None:
    data = f"{_TEXTS[encoding]} {ANN}\n".encode(encoding)
    lost = [it for it in _remarks(before + data) if it.unscanned]
    assert ["--encoding" in it.says for it in lost] == [True]
    told = list(scan(DETECTOR, io.BytesIO(data), encoding=encoding))
    assert [it.finding.type for it in told if isinstance(it, FileFinding)] == ["EMAIL_ADDRESS"]
    assert not any(isinstance(it, Remark) for it in told)


def test_noise_after_a_long_text_is_unscanned_and_hides_nothing_before() -> None:
    noise = random.Random(7).randbytes(5_000)
    *found, last = scan(DETECTOR, io.BytesIO(f"{ANN} \n".encode() * 1_500 + noise))
    assert isinstance(last, Remark)
    assert last.unscanned
    assert len(found) > 400
    assert all(isinstance(it, FileFinding) for it in found)


@pytest.mark.parametrize(
    "odd",
    [
        "[äöüÄÖÜß]+ // für alle".encode("cp1252"),
        "« À bientôt… », dit-elle —\xa0« Noël »".encode("cp1252"),
        "Äiti söi, pää, sää, määrä, päälle, hyvää yötä, tämä on jäätävää".encode("cp1252"),
        "Добрый день, срез: ".encode() + "й".encode()[:1],
        b"plain, cut: " + "’".encode()[:2],
        "日本語のログ、切れた: ".encode() + "語".encode()[:2],
    ],
    ids=["umlauts", "quotations", "doubled", "cut in Russian", "cut", "cut in Japanese"],
)
def test_what_only_looks_like_another_encoding_is_read(odd: bytes) -> None:
    assert len(_found(b"a line of text\n" + (odd + f" {ANN}\n".encode()))) == 1


def test_a_wrong_name_for_an_encoding_is_unscanned() -> None:
    data = f"Dear Ben, write to {ANN}\n".encode()
    for encoding in ("cp500", "utf-16", "utf-32"):
        told = list(scan(DETECTOR, io.BytesIO(data), encoding=encoding))
        assert any(isinstance(it, Remark) and it.unscanned for it in told), encoding


@each_row("beginning", ["ID3", "RIFF", "BZh", "GIF8", "PAR1", "OggS", "fLaC", "%PDF-"])
def test_a_text_that_begins_as_other_files_do_is_read(beginning: str) -> None:
    text = f"{beginning} is what {ANN} sent"
    assert _found(text.encode()) == [("EMAIL_ADDRESS", 1, len(beginning) + 10)]


def test_noughts_in_a_text_hide_nothing() -> None:
    assert _found(b"log of a dump\x00\n" * 20 + ANN.encode()) == [("EMAIL_ADDRESS", 21, 1)]


def test_an_empty_file_holds_nothing() -> None:
    assert list(scan(DETECTOR, io.BytesIO(b""))) == []


@given(st.lists(st.sampled_from([ANN, "\n", " ", "AB123456C", "of " * 27, "é"]), max_size=40), st.data())
def test_no_border_between_pieces_hides_or_repeats_anything(parts: list[str], data: st.DataObject) -> None:
    text = " ".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prose, "_PIECE", 220)
        patch.setattr(prose, "_SHARED", 80)
        told = list(prose.in_text(DETECTOR, chunks))
    spans = [it.finding[:3] for it in told if isinstance(it, FileFinding)]
    assert spans == [it[:3] for it in DETECTOR.find(text)]
    for it in told:
        assert isinstance(it, FileFinding)
        lines = text[: it.finding.start].split("\n")
        assert (it.line, it.column) == (len(lines), len(lines[-1]) + 1)


@each_row("shift", range(0, 150, 2))
def test_a_value_is_whole_wherever_a_piece_ends(monkeypatch: pytest.MonkeyPatch, shift: int) -> None:
    monkeypatch.setattr(prose, "_PIECE", 150)
    monkeypatch.setattr(prose, "_SHARED", 80)
    text = "." * shift + f"\n{ANN} or {ANN}," * 20
    told = list(prose.in_text(DETECTOR, [text]))
    assert [it.finding[:2] for it in told if isinstance(it, FileFinding)] == [it[:2] for it in DETECTOR.find(text)]


def test_one_enormous_line_is_searched_in_bounded_memory() -> None:
    seen: list[int] = []

    class _Watched(Detector):
        def find(self, text: str) -> list:  # type: ignore[type-arg]
            seen.append(len(text))
            return super().find(text)

    def chunks() -> Iterator[str]:
        for _ in range(60):
            yield "x" * 50_000 + f" {ANN} "

    told = list(prose.in_text(_Watched(types={"EMAIL_ADDRESS"}, names=False), chunks()))
    assert len(told) == 60
    assert max(seen) < 300_000


def test_a_piece_that_could_not_be_searched_is_told_with_its_lines() -> None:
    class _Tired(Detector):
        def find(self, text: str) -> list:  # type: ignore[type-arg]
            if "tired" in text:
                raise Unscanned("too long")
            return super().find(text)

    text = f"{ANN}\n" * 20_000 + "tired\n" + f"{ANN}\n" * 20_000
    told = list(prose.in_text(_Tired(types={"EMAIL_ADDRESS"}, names=False), [text]))
    lost = [it for it in told if isinstance(it, Remark)]
    assert all(it.unscanned for it in lost)
    lines = {it.line for it in told if isinstance(it, FileFinding)}
    assert 1 in lines
    assert 40_001 in lines
    first, last = (int(word.replace(",", "")) for word in lost[0].says.split()[1:4:2])
    assert first <= 20_001 <= last
    assert set(range(1, 40_002)) - lines <= set(range(first, last + 1)) | {20_001}


@pytest.mark.parametrize("how", ["base64", "quoted-printable"])
@pytest.mark.parametrize("before", [0, 300_000])
def test_mail_that_is_encoded_is_unscanned_and_told_once(how: str, before: int) -> None:
    mail = EmailMessage()
    mail.set_content(f"Zoë, write to {ANN}", cte=how)
    mail.add_attachment("Zoë", cte=how)
    head = f"From: {ANN}\n" + "a line\n" * (before // 7)
    found, remark = sorted(scan(DETECTOR, io.BytesIO(head.encode() + mail.as_bytes())), key=lambda it: it.line)[:2]
    assert isinstance(found, FileFinding)
    assert isinstance(remark, Remark)
    assert remark.unscanned
    assert how in remark.says
    lines = (head + mail.as_string()).splitlines()
    assert lines[remark.line - 1] == f"Content-Transfer-Encoding: {how}"
    assert len(_remarks(head.encode() + mail.as_bytes())) == 1


@pytest.mark.parametrize("how", ["7bit", "8bit"])
def test_mail_that_is_not_encoded_is_read(how: str) -> None:
    text = f"Content-Type: text/plain\nContent-Transfer-Encoding: {how}\n\nWrite to {ANN}; base64 is not used\n"
    assert _found(text.encode()) == [("EMAIL_ADDRESS", 4, 10)]


def test_a_file_that_stops_being_readable_is_unscanned() -> None:
    class _Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    told = list(scan(DETECTOR, _Broken(f"{ANN}\n".encode() * 9_000)))
    assert told[-1] == Remark(1, "it could not be read completely: Input/output error", unscanned=True)
