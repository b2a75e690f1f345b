"""DKIM signer (RFC 6376, relaxed/relaxed): RSA-SHA256, and Ed25519-SHA256 (RFC 8463).

A signature covers the whole body, and every header of `SIGNED` that a message has. Each is named once more than it is
there: a second one, which a mail program might show instead, breaks the signature (RFC 6376 §5.4.2, §8.15).
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.protect import MailSigningKey
from troth.service.configuration import ServiceError

SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To"),
    # RFC 8058 §4: a one-click address that is not signed is not followed
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
)
_ABSENT_TOO = frozenset({b"from", b"reply-to", b"subject"})
"""Named even if the message has none: adding one changes who seems to write, who gets the answer, or what it says.
A forwarding list may add its own ``List-*`` to other mail, and break no signature by that."""
_NAMES = tuple(name.lower().encode() for name in SIGNED)
_FOLDED = re.compile(rb"\r\n(?=[ \t])")
_LINE = 72


class SigningRefused(ServiceError):
    """The message cannot be signed; the text says why, and shows no value."""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A signing key, and the *selector* under which DNS has its public record."""

    selector: str
    key: MailSigningKey


class DkimSigner:
    """A `MessageSigner` that signs for *domain* with each of *keys*: two of different algorithms where receivers differ
    (RFC 8463 §3)."""

    def __init__(self, domain: str, keys: Sequence[DkimKey], *, clock: Callable[[], float] = time.time) -> None:
        self.domain = domain
        self._clock = clock
        self._keys = tuple(keys)

    def sign(self, content: bytes) -> bytes:
        """*content*, a whole message with CRLF line ends, with a signature of each key in front of it. Raises
        `SigningRefused`."""
        if not content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n"):
            raise SigningRefused("an e-mail with other line ends than CRLF would be changed after it was signed")
        head, _, body = content.partition(b"\r\n\r\n")
        names, lines = _signed_headers(head)
        body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
        return b"".join([*(self._signature(key, names, lines, body_hash) for key in self._keys), content])

    def _signature(self, key: DkimKey, names: str, lines: bytes, body_hash: bytes) -> bytes:
        unsigned = (
            f"DKIM-Signature: v=1; a={key.key.algorithm}; c=relaxed/relaxed; t={self._clock():.0f};\r\n"
            f" d={self.domain}; s={key.selector};\r\n h={names};\r\n bh={body_hash.decode()};\r\n b="
        ).encode()
        digest = hashlib.sha256(lines + relaxed_header(unsigned)).digest()
        value = base64.b64encode(key.key.sign(digest))
        return unsigned + b"\r\n ".join(value[at : at + _LINE] for at in range(0, len(value), _LINE)) + b"\r\n"


def _signed_headers(head: bytes) -> tuple[str, bytes]:
    """The names to sign, folded for ``h=``, and the canonical headers in that order, the last of a name first."""
    present: dict[bytes, list[bytes]] = {}
    for line in _FOLDED.sub(b"", head).split(b"\r\n"):
        canonical = relaxed_header(line)
        present.setdefault(canonical.partition(b":")[0], []).append(canonical)
    if len(present.get(b"from", ())) != 1:
        raise SigningRefused("an e-mail has exactly one From")
    names, lines = list[bytes](), list[bytes]()
    for name in _NAMES:
        own = present.get(name, [])
        if own or name in _ABSENT_TOO:
            names.append(b":".join([name] * (len(own) + 1)))
            lines += (line + b"\r\n" for line in reversed(own))
    return b":\r\n ".join(names).decode(), b"".join(lines)


def relaxed_header(line: bytes) -> bytes:
    """One header, without its line end, in the relaxed form (§3.4.2)."""
    name, _, value = _FOLDED.sub(b"", line).partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _single_spaced(value).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """A body in the relaxed form (§3.4.4)."""
    text = _single_spaced(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    text = text.rstrip(b"\r\n")  # no bare carriage return or line feed is in it
    return text + b"\r\n" if text else b""


def _single_spaced(text: bytes) -> bytes:
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text
