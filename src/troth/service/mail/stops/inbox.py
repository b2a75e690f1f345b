"""Stops that arrive by e-mail: to an address or with a subject that holds the person's token, or in one's own words."""

from __future__ import annotations

import datetime as dt
from email.parser import BytesHeaderParser

from troth.service.core.deployment import Deployment
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.parsing import BAD_MAIL, BoundedPolicy
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope, lists, stop

_HEADERS_MAX = 64 * 1024
_WHERE = ("Subject", "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")


def take_token(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Take an e-mail whose subject or recipient holds a token: the mailto address of List-Unsubscribe (RFC 2369). The
    token says whose stop it is, not the sender, who may write from elsewhere. No reply is sent. Idempotent."""
    try:
        headers = BytesHeaderParser(policy=BoundedPolicy()).parsebytes(message.raw[:_HEADERS_MAX])
        text = " ".join(str(value) for name in _WHERE for value in headers.get_all(name, ()))
    except BAD_MAIL:
        return False
    found = [read for word in tokens.TOKEN.findall(text) if (read := tokens.read(word, deployment.keyring))]
    for read in found:
        stop(read.fingerprint, list_of(read, deployment), StopScope.LIST, deployment, channel="mail", now=now)
    return bool(found)


def list_of(token: tokens.StopToken, deployment: Deployment) -> str:
    """The declared list that *token* is of; empty if it is declared no more."""
    return next((name for name in lists(deployment.declaration) if tokens.list_mark(name) == token.list), "")
