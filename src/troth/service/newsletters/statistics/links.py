"""Addresses that count: each leads on to one address of an edition, or is its image. They name no person.

The address to which a link leads stands in it beside a check value, so that nobody can make one that leads elsewhere,
and that it leads on when its edition is gone, or our database is away.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from markdown_it.token import Token

from troth.protect import Keyring

PATH = "/your-data/read/"
IMAGE = 0
"""The number of the image; those of links begin with one."""
_EDITION_BYTES, _NUMBER_BYTES, _MAC_BYTES = 6, 2, 12
_URL_MAX = 1_500
_COUNTING = re.compile(re.escape(PATH).encode() + rb"[a-z2-7]{32}")


@dataclass(frozen=True, slots=True)
class CountedEdition:
    """What makes the counting addresses of one edition."""

    pk: int
    site: str
    keyring: Keyring

    @property
    def image(self) -> str:
        return self._address(IMAGE, "")

    def link(self, number: int, url: str) -> str:
        """The address of the link *number*, which leads on to *url*."""
        return f"{self._address(number, url)}?to={quote(url, safe='')}"

    def _address(self, number: int, url: str) -> str:
        body = self.pk.to_bytes(_EDITION_BYTES) + number.to_bytes(_NUMBER_BYTES)
        token = base64.b32encode(body + _mac(body, url, self.keyring)).decode("ascii").lower()
        return f"{self.site}{PATH}{token}"


def read(token: str, url: str, keyring: Keyring) -> tuple[int, int] | None:
    """The edition and the number of the link with this *token* that leads on to *url*; None if it is none of ours."""
    try:
        raw = base64.b32decode(token.upper())
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[: _EDITION_BYTES + _NUMBER_BYTES], raw[_EDITION_BYTES + _NUMBER_BYTES :]
    if len(mac) != _MAC_BYTES or not hmac.compare_digest(mac, _mac(body, url, keyring)):
        return None
    return int.from_bytes(body[:_EDITION_BYTES]), int.from_bytes(body[_EDITION_BYTES:])


def is_counted(content: bytes) -> bool:
    """Whether a finished message has an address that counts."""
    return _COUNTING.search(binascii.a2b_qp(content)) is not None


def links_of(tokens: list[Token], instead: Callable[[int, str], str] | None = None) -> list[str]:
    """The pages to which parsed Markdown leads, in order. *instead* of each, by number and address, another is put in
    place. An address with a placeholder is none of them: it is not the same for all readers."""
    urls = list[str]()
    for child in (child for token in tokens for child in token.children or () if child.type == "link_open"):
        url = str(child.attrGet("href"))
        if url.startswith(("https://", "http://")) and "%7B%7B" not in url and len(url) <= _URL_MAX:
            urls.append(url)
            if instead is not None:
                child.attrSet("href", instead(len(urls), url))
    return urls


def _mac(body: bytes, url: str, keyring: Keyring) -> bytes:
    return bytes.fromhex(keyring.digest("counted link", body.hex(), url).text.partition(":")[2])[:_MAC_BYTES]
