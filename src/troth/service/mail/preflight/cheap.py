"""The checks of every message of a bulk mailing: its person, its opt-out, its signature. Nothing is parsed for them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from html import escape

from troth.service.mail.message import Message, author_domain
from troth.service.mail.preflight.faults import MailFault, fault
from troth.service.mail.preflight.headers import ONE_CLICK, SignatureTags, is_aligned
from troth.service.mail.signatures.dkim import SIGNED

_FOLDED = re.compile(r"\r\n(?=[ \t])")


def check_one(message: Message, *, to: str, opt_outs: Sequence[str] = ()) -> list[MailFault]:
    """Faults of a finished message of this product: it goes to *to* alone, its List-Unsubscribe has just *opt_outs*,
    the first of them (https) is in the text with no other of its kind, and its signatures cover every header that
    counts. An owed message has no *opt_outs*."""
    head, _, body = message.content.partition(b"\r\n\r\n")
    fields: dict[str, list[str]] = {}
    for line in _FOLDED.sub("", head.decode("utf-8", "replace")).split("\r\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), []).append(value.strip())
    return [*_of_headers(message, fields, to), *(_of_opt_outs(fields, body, opt_outs) if opt_outs else ())]


def _of_headers(message: Message, fields: dict[str, list[str]], to: str) -> Iterator[MailFault]:
    yield from (
        fault("header_missing", name)
        for name in ("From", "Date", "Subject", "Message-ID")
        if len(fields.get(name.lower(), ())) != 1
    )
    if not message.to == to == ", ".join(fields.get("to", ())) or "cc" in fields or "bcc" in fields:
        yield fault("recipient_several", "To, Cc, Bcc")
    author = author_domain(message.content)
    signatures = [SignatureTags.read(value) for value in fields.get("dkim-signature", ())]
    if not signatures or not all(is_aligned(it.domain, author) for it in signatures):
        yield fault("unsigned", "DKIM-Signature")
    for name in SIGNED:
        count = len(fields.get(name.lower(), ()))
        # one more than there are, so that no second one can be added
        if count and not all(it.covers(name, count + 1) for it in signatures):
            yield fault("optout_unsigned" if name.startswith("List-Unsub") else "signature_partial", name)


def _of_opt_outs(fields: dict[str, list[str]], body: bytes, opt_outs: Sequence[str]) -> Iterator[MailFault]:
    values, web = fields.get("list-unsubscribe", ()), opt_outs[0]
    if len(values) != 1:
        yield fault("optout_missing", "List-Unsubscribe")
    elif values[0] != ", ".join(f"<{uri}>" for uri in opt_outs):
        yield fault("token_of_another", "List-Unsubscribe")
    if fields.get("list-unsubscribe-post") != [ONE_CLICK]:
        yield fault("optout_not_one_click", "List-Unsubscribe-Post")
    text = binascii.a2b_qp(body)
    own = sum(text.count(form.encode()) for form in {web, escape(web)})
    if not own:
        yield fault("optout_hidden", "text")
    if text.count(web.rpartition("/")[0].encode() + b"/") != own:
        yield fault("token_of_another", "text")
