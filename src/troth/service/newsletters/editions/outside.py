"""What preflight of an edition looks up outside, within seconds: records in DNS, and whether linked pages answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings

from troth.service.core.deployment import Deployment
from troth.service.mail.preflight import RECORDS, Expected, MailFault, check, status_of
from troth.service.mail.preflight.faults import fault
from troth.service.mail.signatures.records import Dns
from troth.site.page import ProbeError

SECONDS = 4.0
"""For all that is looked up for one edition."""
_TOGETHER = 10
"""Pages that are requested at the same time."""


def is_live(deployment: Deployment) -> bool:
    """Whether editions leave for people's mailboxes: the site is a public one, and mail goes to no folder."""
    server = settings.TROTH.mail
    return deployment.site.startswith("https://") and server is not None and server.folder is None


def must_sign(deployment: Deployment) -> bool:
    """Whether an edition may not leave without our own signature. Where it may, mail stays here, or a provider signs it
    as well."""
    server = settings.TROTH.mail
    return is_live(deployment) and server is not None and not server.provider


def looked_up(raw: bytes, expected: Expected) -> Iterator[MailFault]:
    """The faults of one copy, with those of its records and pages, which all copies share. What cannot be looked up
    within `SECONDS` is a fault that blocks nothing. Raises `MailUnreadable`."""
    until, pages = time.monotonic() + SECONDS, dict[str, Future[int | None]]()
    pool = ThreadPoolExecutor(_TOGETHER)

    def begin(url: str) -> None:
        pages[url] = pool.submit(_status, url)

    def status(url: str) -> int | None:
        try:
            return pages[url].result(max(until - time.monotonic(), 0))
        except TimeoutError:
            return None

    try:
        check(raw, expected, None, begin)  # the pages answer while DNS is asked
        seen = check(raw, expected, Dns(SECONDS), status)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    yield from seen.faults
    if any(it.startswith(RECORDS) for it in seen.not_looked_at):
        yield fault("records_unseen", "DNS")


def _status(url: str) -> int | None:
    try:
        return status_of(url, SECONDS)
    except ProbeError:  # this machine may be the one that reaches nothing
        return None
