"""Signatures of e-mails: as the RFCs compute them, verified by another implementation, and broken by any change."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from troth.protect import MailAlgorithm, MailSigningKey
from troth.service.mail.message import Address, Message, message
from troth.service.mail.rules import MessageText
from troth.service.mail.signatures.dkim import (
    DkimKey,
    DkimSigner,
    SigningRefused,
    relaxed_body,
    relaxed_header,
)

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "mail" / "dkim.json").read_text())
ANN = Address.read("ann@example.org")
LIST = {
    "List-Id": "<news.example.org>",
    "List-Unsubscribe": "<https://example.org/stop/token>, <mailto:stop+token@example.org>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Reply-To": "answers@example.org",
}


@cache
def key(algorithm: MailAlgorithm) -> MailSigningKey:
    return MailSigningKey(algorithm, MailSigningKey.generate(algorithm))


def record(algorithm: MailAlgorithm) -> bytes:
    kind = algorithm.partition("-")[0]
    return f"v=DKIM1; k={kind}; p={base64.b64encode(key(algorithm).public_key).decode()}".encode()


@cache
def signer(*algorithms: MailAlgorithm) -> DkimSigner:
    return DkimSigner("example.org", [DkimKey(one.partition("-")[0], key(one)) for one in algorithms])


BOTH = signer("rsa-sha256", "ed25519-sha256")


def built(**more: Any) -> Message:
    text = MessageText("News from us", "Hello  Ann,\n\n  indented \n.\n", "<p>Hello\tAnn</p>\n" + " \n" * 3)
    return message(
        text,
        name="Example Ltd",
        sender=Address.read("news@example.org"),
        to=ANN,
        language="en",
        now=NOW,
        **{"headers": LIST, **more},
    )


def verified(content: bytes, index: int = 0) -> bool:
    """What dkimpy says about a signature, with our records for its DNS."""
    records = {b"rsa._domainkey.example.org.": record("rsa-sha256")}
    records[b"ed25519._domainkey.example.org."] = record("ed25519-sha256")
    with contextlib.suppress(dkim.DKIMException):
        return bool(dkim.DKIM(content).verify(index, dnsfunc=lambda name, timeout=5: records[name]))
    return False


# --- as the RFCs compute them ---------------------------------------------------------------------------------------


def test_headers_and_body_are_relaxed_as_in_rfc_6376() -> None:
    of = VECTORS["relaxed"]
    first, *folded = (line.encode() for line in of["header_lines"])
    assert [relaxed_header(first), relaxed_header(b"\r\n".join(folded))] == [line.encode() for line in of["headers"]]
    assert relaxed_body(of["body"].encode()) == of["body_relaxed"].encode()
    assert (relaxed_body(b""), relaxed_body(b"\r\n \r\n"), relaxed_body(b"a \t")) == (b"", b"", b"a\r\n")


@pytest.mark.parametrize("index", [0, 1])
def test_the_signatures_of_rfc_8463_come_out(index: int) -> None:
    algorithm: MailAlgorithm = ("ed25519-sha256", "rsa-sha256")[index]
    secret = base64.b64decode(VECTORS["rsa" if index else "seed"])
    if index:
        loaded = load_der_private_key(secret, None)
        secret = loaded.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    own = MailSigningKey(algorithm, secret)
    published = VECTORS["records"]["test" if index else "brisbane"]
    assert base64.b64encode(own.public_key).decode() == published.rpartition("p=")[2]
    unsigned, _, value = "\r\n".join(VECTORS["signatures"][index]).rpartition("b=")
    headers = dict(line.split(": ", 1) for line in VECTORS["headers"])
    names = ["From", "To", "Subject", "Date", "Message-ID"]
    signed = b"".join(relaxed_header(f"{name}: {headers[name]}".encode()) + b"\r\n" for name in names)
    digest = hashlib.sha256(signed + relaxed_header(f"{unsigned}b=".encode())).digest()
    assert own.sign(digest) == base64.b64decode(value.replace("\r\n ", ""))
    body = "\r\n".join(VECTORS["body"]) + "\r\n"
    assert base64.b64encode(hashlib.sha256(relaxed_body(body.encode())).digest()).decode() == VECTORS["body_hash"]


# --- verified by another implementation -----------------------------------------------------------------------------


def test_both_signatures_verify() -> None:
    content = built().signed(BOTH).content
    assert content.count(b"DKIM-Signature:") == 2
    assert [verified(content, index) for index in (0, 1)] == [True, True]
    assert max(map(len, content.split(b"\r\n"))) <= 78


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_is_written_verifies(subject: str, plain: str, html: str) -> None:
    text = MessageText(" ".join(subject.split()), plain, html)
    made = message(text, name="", sender=ANN, to=ANN, language="en", now=NOW)
    content = made.signed(BOTH).content
    assert verified(content)
    assert verified(content, 1)


# --- broken by any change -------------------------------------------------------------------------------------------


def _changed(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    at = next(at for at, sign in enumerate(value) if chr(sign).isalnum())
    return name + b":" + value[:at] + (b"x" if value[at : at + 1] != b"x" else b"y") + value[at + 1 :]


ELEVEN = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "List-Id"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
)


@pytest.mark.parametrize("name", ELEVEN)
def test_no_signature_survives_a_change_of_a_signed_header(name: str) -> None:
    content = built().signed(BOTH).content
    head, _, body = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    [at] = [at for at, line in enumerate(lines) if line.lower().startswith(name.lower().encode() + b":")]
    end = next(end for end in range(at + 1, len(lines) + 1) if end == len(lines) or lines[end][:1] not in b" \t")
    changes = {
        "changed": [*lines[:at], _changed(lines[at]), *lines[at + 1 :]],
        "removed": [*lines[:at], *lines[end:]],
        "second above": [*lines[:at], name.encode() + b": other", *lines[at:]],
        "second below": [*lines, name.encode() + b": other"],
        "same again": [*lines, *lines[at:end]],
    }
    for change, altered in changes.items():
        raw = b"\r\n".join(altered) + b"\r\n\r\n" + body
        assert not verified(raw), change
        assert not verified(raw, 1), change


SIGNED_ONCE = built().signed(BOTH).content
BODY_AT = SIGNED_ONCE.index(b"\r\n\r\n") + 4


@given(st.integers(BODY_AT, len(SIGNED_ONCE) - 1))
def test_no_signature_survives_a_change_of_the_text(at: int) -> None:
    raw = SIGNED_ONCE[:at] + (b"A" if SIGNED_ONCE[at] != ord("A") else b"B") + SIGNED_ONCE[at + 1 :]
    is_white = SIGNED_ONCE[at : at + 1].isspace() and at > len(SIGNED_ONCE) - 3
    assert is_white or not (verified(raw) or verified(raw, 1))


def test_a_message_without_the_list_headers_survives_a_forwarding_list_but_no_reply_to() -> None:
    content = built(headers={}).signed(BOTH).content
    assert verified(b"List-Id: <other.example.org>\r\n" + content)
    assert not verified(b"Reply-To: other@example.org\r\n" + content)


def test_what_would_be_changed_on_its_way_is_not_signed() -> None:
    for content in (b"From: a@example.org\n\nHello\n", b"From: a@example.org\r\n\r\nHello\rthere\r\n"):
        with pytest.raises(SigningRefused, match="line ends"):
            BOTH.sign(content)
    for head in (b"To: a@example.org", b"From: a@example.org\r\nFrom: b@example.org"):
        with pytest.raises(SigningRefused, match="one From"):
            BOTH.sign(head + b"\r\n\r\n")


def test_a_signing_key_stays_where_it_is() -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key("rsa-sha256"))
    assert repr(key("ed25519-sha256")) == "MailSigningKey(ed25519-sha256)"
