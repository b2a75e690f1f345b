"""Timestamps (RFC 3161): an authority's statement that a checkpoint existed at a time.

A witness shows that nothing was rewritten; a timestamp shows since when. It needs the extra ``timestamp``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from troth.errors import needs
from troth.ledger.errors import TimestampRefused

if TYPE_CHECKING:
    import httpx

_TOKEN_BYTES_MAX = 262_144
_MEND = "check its URL, or wait for the next pass"


def request_timestamp(note: str, url: str, client: httpx.Client) -> bytes:
    """The answer of the authority at *url* about the checkpoint *note*, in DER, unverified; see `verify_timestamp`.

    Raises `TimestampRefused`.
    """
    _require_installed()
    import httpx
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    asked = TimestampRequestBuilder(data=note.encode(), hash_algorithm=HashAlgorithm.SHA256).build()
    headers, answered = {"Content-Type": "application/timestamp-query"}, b""
    try:
        with client.stream("POST", url, content=asked.as_bytes(), headers=headers) as answer:
            for part in answer.iter_bytes():
                answered += part
                if len(answered) > _TOKEN_BYTES_MAX:
                    raise TimestampRefused(f"the timestamp authority answered with more than a timestamp; {_MEND}")
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise TimestampRefused(f"the timestamp authority cannot be reached ({type(fault).__name__}); {_MEND}") from None
    if answer.status_code != httpx.codes.OK:
        raise TimestampRefused(f"the timestamp authority answered with status {answer.status_code}; {_MEND}")
    return answered


def verify_timestamp(note: str, token: bytes, roots: Sequence[bytes]) -> dt.datetime:
    """When an authority under one of *roots*, certificates in PEM, saw *note*. Raises `TimestampRefused`."""
    _require_installed()
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        trusted = [certificate for root in roots for certificate in load_pem_x509_certificates(root)]
    except ValueError:
        raise TimestampRefused(
            "the certificate of the timestamp authority is not in PEM format; download its root certificate again"
        ) from None
    try:
        answer = decode_timestamp_response(token)
        VerifierBuilder(roots=trusted).build().verify_message(answer, note.encode())
        return answer.tst_info.gen_time
    except (VerificationError, ValueError):
        raise TimestampRefused(
            "the timestamp is not for this checkpoint, or not by an authority under the given certificate"
        ) from None


def _require_installed() -> None:
    with needs("timestamp", TimestampRefused, "timestamps need the extra 'timestamp'"):
        import rfc3161_client  # noqa: F401 - whether it is there
