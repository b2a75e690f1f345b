"""Checks of e-mails before they are sent: the full ones on a template and samples, the cheap ones on every message.

`check` reads any e-mail, also somebody else's. It says what it did not look at, and nothing about that.
"""

from troth.service.mail.preflight.cheap import check_one
from troth.service.mail.preflight.checks import RECORDS, Preflight, check, check_samples, status_of
from troth.service.mail.preflight.faults import Expected, MailClass, MailFault
from troth.service.mail.preflight.parts import MailUnreadable

__all__ = [
    "RECORDS",
    "Expected",
    "MailClass",
    "MailFault",
    "MailUnreadable",
    "Preflight",
    "check",
    "check_one",
    "check_samples",
    "status_of",
]
