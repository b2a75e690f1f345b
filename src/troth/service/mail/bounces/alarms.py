"""Alerts staff if mail servers refuse our e-mails because of our configuration or reputation: one e-mail for each code
and day, five a day at most."""

from __future__ import annotations

import datetime as dt
import logging
import re

from django.utils.translation import gettext, override

from troth.service.core.deployment import Deployment
from troth.service.mail.actions import post
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter, LetterRefused

_LOG = logging.getLogger("troth.mail")
_A_DAY_MAX = 5
"""Most alarms of a day: reports, and the codes in them, may be forged."""
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


def alarm(status: str, deployment: Deployment, *, now: dt.datetime) -> None:
    """Queue an e-mail to the organisation about refusals with this enhanced *status*, in the open transaction, unless
    there was one today."""
    code = status if _STATUS.fullmatch(status) else ""
    today = f"mail:ours/{now.astimezone(dt.UTC):%Y-%m-%d}/"
    known = set(LetterRow.objects.filter(once__startswith=today).values_list("once", flat=True))
    if f"{today}{code}" in known or len(known) >= _A_DAY_MAX:
        return
    _LOG.error("mail servers refuse our e-mails: %s", code or "without a code")
    organisation, language = deployment.declaration.organisation, deployment.declaration.policy.language
    with override(language):
        what = gettext("A mail server refuses e-mails of ours (%s)") % (code or gettext("without a code"))
        detail = gettext(
            "It says that the fault is ours, so nobody was stopped for it. Compare the DNS records of our domain with "
            "those that “troth mail dns” prints, look whether our mail server is on a block list, and send a copy of "
            "the message through “troth mail check”. This e-mail comes once a day for each code."
        )
    facts = {"what": what, "at": now, "detail": detail, "link": f"{deployment.site}/console/"}
    try:
        letter = Letter("staff_alert", organisation.email, language, "mail:ours", facts, once=f"{today}{code}")
        post(letter, keyring=deployment.keyring, organisation=organisation, now=now)
    except LetterRefused as refused:  # the log has it
        _LOG.warning("nobody can be alarmed by e-mail: %s", refused)
